"""ONNX Runtime Mobile files: writing them and running them with ONNX Runtime."""
