"""LiteRT (TensorFlow Lite) files: written by way of litert-torch, run with LiteRT."""
