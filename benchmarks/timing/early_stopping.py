"""How many queries a latency percentile needs before it says anything."""

from math import ceil, log


def queries_needed(percentile: float, confidence: float = 0.99) -> int:
    """Return how many queries a latency percentile needs.

    MLPerf Inference's early-stopping rule (inference policies, "Early Stopping"): with this many
    queries, and `confidence`, at least two of them lie above the true percentile, so that
    discarding the slowest leaves an upper bound. 64 queries for p90 and 662 for p99, the figures
    LoadGen prints.

    Args:
        percentile: Above 0 and below 100.
        confidence: Of the statement, above 0 and below 1.
    """
    below = percentile / 100.0
    queries = max(2, ceil(log(1.0 - confidence) / log(below)))
    while below ** (queries - 1) * (below + queries * (1.0 - below)) > 1.0 - confidence:
        queries += 1
    return queries
