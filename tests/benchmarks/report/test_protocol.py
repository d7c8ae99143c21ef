from benchmarks.report.protocol import protocol_lines
from compress.recipe import GlobalTime, NextItemRecipe


def lines(recipe: NextItemRecipe) -> str:
    return " ".join(protocol_lines(recipe, cases=943, items=1682, queries=64, seconds=2.0))


def test_it_says_what_makes_figures_comparable(inputs):
    text = lines(inputs.recipe)
    for fact in (
        "whole catalogue of 1,682 items, never sampled",
        "leave-one-out",
        "943 test cases",
        "order of the file",
        "masks the last 50",
        "500 resamples",
        "at least 64 queries and 2 s",
        "1 thread,",
        "662 for p99",
    ):
        assert fact in text


def test_it_names_the_split_that_was_used(inputs):
    split = GlobalTime(kind="global-time", validation=0.05, test=0.2)
    data = inputs.recipe.data.model_copy(update={"split": split})
    text = lines(inputs.recipe.model_copy(update={"data": data}))
    assert "the last 20% of all events are the test period, the 5% before it" in text
    assert "leave-one-out" not in text
