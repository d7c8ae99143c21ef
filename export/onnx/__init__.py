"""ONNX files: writing them and running them with ONNX Runtime."""
