"""What is predicted: the deploy signature, the target and the metrics."""
