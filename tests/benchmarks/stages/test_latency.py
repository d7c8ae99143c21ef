"""The measuring stages' keys."""

from benchmarks.stages.latency import QUICK_QUERIES, QUICK_SECONDS, latency_stage
from compress.recipe import NextItemRecipe

RECIPE = NextItemRecipe.model_validate(
    {
        "name": "r",
        "data": {"source": {"kind": "movielens-100k"}},
        "teacher": {"kind": "text-sequence"},
        "student": {"kind": "transformer"},
        "benchmark": {"queries": 2000, "seconds": 20},
    }
)


def test_a_quick_measurement_is_never_taken_for_a_full_one():
    assert latency_stage(quick=False).settings(RECIPE) == [2000, 20.0, 1]
    assert latency_stage(quick=True).settings(RECIPE) == [QUICK_QUERIES, QUICK_SECONDS, 1]
    assert (QUICK_QUERIES, QUICK_SECONDS) == (64, 2.0)
