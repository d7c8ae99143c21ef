"""Measures every file: latency, quality, fidelity to the teacher; reports it."""
