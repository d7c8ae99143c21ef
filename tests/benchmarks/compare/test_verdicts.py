import pytest
from hypothesis import given
from hypothesis import strategies as st

from benchmarks.compare.verdicts import (
    quality_fails,
    quality_verdict,
    speed_fails,
    speed_verdict,
)
from compress.metrics import Interval


@pytest.mark.parametrize(
    ("change", "verdict", "fails", "fails_strictly"),
    [
        ((0.03, 0.01, 0.05), "better", False, False),
        ((0.0, 0.0, 0.0), "not shown to be worse", False, False),
        ((-0.005, -0.009, 0.002), "not shown to be worse", False, False),
        ((-0.005, -0.11, 0.1), "not shown to be worse", False, True),
        ((-0.3, -0.61, 0.01), "not decided", False, True),
        ((-0.05, -0.10, 0.0), "not decided", False, True),
        ((-0.005, -0.008, -0.002), "worse within the limit", False, False),
        ((-0.008, -0.015, -0.002), "worse within the limit", False, True),
        ((-0.05, -0.08, -0.02), "worse", True, True),
    ],
)
def test_quality_with_a_drop_of_one_percent_allowed(change, verdict, fails, fails_strictly):
    interval = Interval(*change)
    assert quality_verdict(interval, 0.01) == verdict
    assert quality_fails(interval, 0.01, strict=False) is fails
    assert quality_fails(interval, 0.01, strict=True) is fails_strictly


@pytest.mark.parametrize(
    ("ratio", "verdict", "fails", "fails_strictly"),
    [
        ((0.9, 0.85, 0.95), "faster", False, False),
        ((1.05, 0.98, 1.09), "not shown to be slower", False, False),
        ((1.05, 0.98, 1.5), "not shown to be slower", False, True),
        ((1.2, 0.98, 1.5), "not decided", False, True),
        ((1.05, 1.02, 1.08), "slower within the limit", False, False),
        ((1.05, 1.02, 1.15), "slower within the limit", False, True),
        ((1.3, 1.2, 1.4), "slower", True, True),
    ],
)
def test_speed_with_a_slowdown_of_ten_percent_allowed(ratio, verdict, fails, fails_strictly):
    interval = Interval(*ratio)
    assert speed_verdict(interval, 0.1) == verdict
    assert speed_fails(interval, 0.1, strict=False) is fails
    assert speed_fails(interval, 0.1, strict=True) is fails_strictly


def test_a_value_that_its_own_interval_leaves_out_fails_strictly_too():
    """A percentile interval of a skewed metric may lie beside the estimate."""
    change, ratio = Interval(-0.021, -0.0199, -0.001), Interval(1.11, 1.02, 1.09)
    for strict in (False, True):
        assert quality_fails(change, 0.02, strict)
        assert speed_fails(ratio, 0.1, strict)


INTERVALS = st.builds(
    lambda value, ends: Interval(value, *sorted(ends)),
    st.floats(-0.9, 2.0),
    st.tuples(st.floats(-0.9, 2.0), st.floats(-0.9, 2.0)),
)
"""The value may lie outside."""


@given(INTERVALS, st.floats(0.0, 0.5))
def test_what_fails_leniently_or_is_not_decided_fails_strictly(found, limit):
    for fails, verdict in ((quality_fails, quality_verdict), (speed_fails, speed_verdict)):
        lenient, strict = (fails(found, limit, strict) for strict in (False, True))
        assert strict >= (lenient or verdict(found, limit) == "not decided")
