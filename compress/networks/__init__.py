"""Building blocks of the networks: transformer, item embedding, and what a network can do."""
