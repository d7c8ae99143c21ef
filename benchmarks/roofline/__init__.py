"""What a file costs by its graph, what this machine can do, and the share of it reached."""
