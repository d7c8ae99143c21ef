"""Intervals over cases and seeds."""

import numpy as np
import pytest

from benchmarks.over_seeds import case_and_seed_interval


def test_value_is_the_mean_the_difference_or_the_ratio():
    a, b = np.array([[1.0, 0.0], [1.0, 1.0]]), np.array([[0.5, 0.5], [0.5, 0.5]])
    assert case_and_seed_interval(a).value == 0.75
    assert case_and_seed_interval(a, b).value == 0.25
    assert case_and_seed_interval(a, b, ratio=True).value == 1.5


def test_a_difference_that_every_case_and_seed_shows_is_certain():
    noise = np.random.default_rng(0).random((3, 50))
    interval = case_and_seed_interval(noise + 0.1, noise)
    assert interval.low == pytest.approx(0.1)
    assert interval.high == pytest.approx(0.1)


def test_seeds_that_disagree_widen_the_interval():
    rng = np.random.default_rng(0)
    cases = rng.random((1, 400)).repeat(4, axis=0)
    shift = np.array([[-0.1], [0.1], [-0.1], [0.1]])
    agree, disagree = (case_and_seed_interval(table) for table in (cases, cases + shift))
    assert disagree.high - disagree.low > 2 * (agree.high - agree.low)


def test_one_seed_is_the_bootstrap_over_cases():
    values = np.random.default_rng(0).random((1, 400))
    interval = case_and_seed_interval(values)
    expected = 1.96 * values.std() / np.sqrt(400)
    assert (interval.high - interval.low) / 2 == pytest.approx(expected, rel=0.1)
