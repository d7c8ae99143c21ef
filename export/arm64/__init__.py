"""Asking ONNX files on an emulated arm64 processor, beside this one."""
