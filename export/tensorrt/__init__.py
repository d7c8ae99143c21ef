"""TensorRT engines: built ahead of time, or on the device, and run where there is a GPU."""
