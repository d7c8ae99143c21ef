"""Random numbers that belong to a place of an example."""

import numpy as np
from hypothesis import given
from hypothesis import strategies as st

from benchmarks.robustness.draws import share_of_counts, uniforms


def splitmix64(state: int) -> int:
    """One step of SplitMix64's output, in Python's own integers."""
    whole = 2**64 - 1
    state = ((state ^ (state >> 30)) * 0xBF58476D1CE4E5B9) & whole
    state = ((state ^ (state >> 27)) * 0x94D049BB133111EB) & whole
    return state ^ (state >> 31)


def test_the_mixing_is_that_of_splitmix64():
    """The first two numbers of the generator seeded with 0, as its authors publish them."""
    step = 0x9E3779B97F4A7C15
    assert splitmix64(step) == 0xE220A8397B1DCDAF
    assert splitmix64((2 * step) % 2**64) == 0x6E789E6AA1B965F4
    from benchmarks.robustness.draws import _mix

    states = np.array([step, (2 * step) % 2**64], dtype=np.uint64)
    assert _mix(states).tolist() == [0xE220A8397B1DCDAF, 0x6E789E6AA1B965F4]


@given(st.integers(0, 2**31), st.permutations(range(12)), st.integers(1, 12))
def test_an_example_keeps_its_numbers_in_any_order_and_batch(seed, order, places):
    examples = np.array(order)
    whole = uniforms(seed, "x", np.arange(12), 12)
    assert (uniforms(seed, "x", examples, places) == whole[examples, :places]).all()


def test_seed_purpose_and_example_each_change_the_numbers():
    rows = np.arange(50)
    found = [uniforms(seed, what, rows, 4) for seed in (1, 2) for what in ("a", "b")]
    assert len(np.unique(np.concatenate(found))) == 4 * 50 * 4


def test_they_are_uniform_and_uncorrelated():
    found = uniforms(1, "x", np.arange(2000), 8)
    assert found.min() >= 0.0 and found.max() < 1.0
    counts = np.histogram(found, bins=10, range=(0.0, 1.0))[0] / found.size
    assert np.abs(counts - 0.1).max() < 0.01  # standard error 0.0024
    correlation = np.corrcoef(found, rowvar=False) - np.eye(8)
    assert np.abs(correlation).max() < 0.1  # standard error 0.022


def test_a_share_is_rounded_so_that_it_is_met_on_average():
    """10% of 3: one where the rounding is 0.7 or more; 50% of 4 is 2 whatever it is."""
    counts = np.array([3, 3])
    assert share_of_counts(counts, 0.1, np.array([0.69, 0.71])).tolist() == [0, 1]
    assert share_of_counts(np.array([4, 4]), 0.5, np.array([0.0, 0.99])).tolist() == [2, 2]
    assert share_of_counts(np.array([0, 2]), 1.0, np.array([0.99, 0.99])).tolist() == [0, 2]
