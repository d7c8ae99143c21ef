"""How far popularity moved, and quality by it."""

import numpy as np
import pytest

from benchmarks.robustness.popularity import by_third, mean_within, popularity_change
from compress.metrics import bootstrap


def test_the_change_is_the_log_of_the_ratio_of_shares():
    """3 items. Training 6, 1, 0 of 7, so shares 7/10, 2/10, 1/10. Later 1, 2, 5 of 8 events, less
    the case's own: (0 + 1)/10, (1 + 1)/10, (4 + 1)/10."""
    found = popularity_change(np.array([6, 1, 0]), np.array([1, 2, 5]), np.array([0, 1, 2, 1]))
    assert found == pytest.approx(np.log2([1 / 7, 1.0, 5.0, 1.0]))


def test_a_target_belongs_to_the_test_period():
    with pytest.raises(ValueError, match="not among"):
        popularity_change(np.array([1, 1]), np.array([1, 0]), np.array([1]))


def test_thirds_are_equal_where_changes_differ_and_equal_changes_stay_together():
    place = by_third(np.array([0.3, -2.0, 5.0, 0.1, 0.2, -1.0]))
    assert place.tolist() == [2, 0, 2, 1, 1, 0]
    assert by_third(np.array([1.0, 1.0, 1.0])).tolist() == [0, 0, 0]


def test_the_mean_within_a_part_is_resampled_with_the_rest():
    values = np.array([1.0, 0.5, 0.0, 0.25])
    inside = np.array([True, False, False, True])
    part = mean_within(values, inside)
    assert part.value == 0.625
    draws = np.random.default_rng(3).integers(0, 4, (200, 4))
    plain = [values[one][inside[one]].mean() for one in draws if inside[one].any()]
    found = bootstrap({"m": part}, 200, 3)["m"]
    assert (found.low, found.high) == pytest.approx(tuple(np.quantile(plain, [0.025, 0.975])))
