"""Writes the student in every format, runs what it wrote, and checks it."""
