"""The training-free baselines, called like any other file."""
