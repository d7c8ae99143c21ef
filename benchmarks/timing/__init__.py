"""How long models take: MLPerf LoadGen in fresh processes, and models asked in turn."""
