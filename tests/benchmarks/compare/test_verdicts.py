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
        ((-0.05, -0.11, 0.01), "not shown to be worse", False, True),
        ((-0.05, -0.10, 0.0), "not shown to be worse", False, True),
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
        ((1.2, 0.98, 1.5), "not shown to be slower", False, True),
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


@given(
    st.lists(st.floats(-0.9, 2.0), min_size=3, max_size=3).map(sorted),
    st.floats(0.0, 0.5),
)
def test_what_fails_leniently_fails_strictly(ends, max_drop):
    low, value, high = ends
    change = Interval(value, low, high)
    assert quality_fails(change, max_drop, strict=True) >= quality_fails(
        change, max_drop, strict=False
    )
