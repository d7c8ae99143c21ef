"""Distillation: losses, soft labels, and the training that uses them."""
