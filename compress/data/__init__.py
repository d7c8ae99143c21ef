"""From interactions to a data set on disk, read by memory map."""
