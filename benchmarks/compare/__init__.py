"""Runs side by side: what changed, how sure that is, and whether it may be merged."""
