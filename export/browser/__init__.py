"""ONNX files in a browser: onnxruntime-web in headless Chromium, served from loopback."""
