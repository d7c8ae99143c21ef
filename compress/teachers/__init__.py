"""What a student learns from: networks, their ensembles, the text encoder, and the baselines."""
