"""One pair of resamples and seed behind all intervals."""

import numpy as np

from benchmarks.report.shape import IntervalData
from benchmarks.resampling import Resampling
from compress.metrics import bootstrap, mean_statistic

VALUES = mean_statistic(np.repeat([1.0, 0.0], [3, 7]))


def test_intervals_come_back_by_their_keys():
    found = Resampling(100, 4).bootstrap({("a", 1): VALUES, ("b", 2): VALUES})
    alone = bootstrap({"x": VALUES}, 100, 4)["x"]
    assert found[("a", 1)] == IntervalData(value=0.3, low=alone.low, high=alone.high)
    assert found[("b", 2)] == found[("a", 1)]


def test_a_share_never_leaves_0_to_1_and_a_difference_may():
    almost_all = mean_statistic(np.repeat([1.0, 0.0], [9, 1]))
    assert Resampling(100, 4).jackknife(almost_all).high == 1.0
    assert Resampling(100, 4).jackknife(VALUES, almost_all).low < -0.6
