import pytest

from benchmarks.timing.early_stopping import queries_needed


@pytest.mark.parametrize(
    ("percentile", "queries"), [(50, 11), (90, 64), (95, 130), (99, 662), (99.9, 6636)]
)
def test_percentiles_need_the_queries_that_mlperf_asks_for(percentile, queries):
    """LoadGen itself prints 64 for p90 and 662 for p99."""
    assert queries_needed(percentile) == queries


@pytest.mark.parametrize("percentile", [50, 90, 95, 99])
def test_the_number_of_queries_is_the_least_that_satisfies_the_rule(percentile):
    def chance_of_at_most_one_above(queries: int) -> float:
        below = percentile / 100
        return below**queries + queries * (1 - below) * below ** (queries - 1)

    needed = queries_needed(percentile)
    assert chance_of_at_most_one_above(needed) <= 0.01 < chance_of_at_most_one_above(needed - 1)
