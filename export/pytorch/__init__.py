"""The PyTorch models as they were trained, called like any other file."""
