"""Random numbers that belong to a place of an example, however examples are ordered or batched.

A running generator gives an example other numbers as soon as others come before it. Here a number
is a hash of the seed, what it is for, the example and the place.
"""

import hashlib

import numpy as np
from numpy.typing import NDArray

_STEP = np.uint64(0x9E3779B97F4A7C15)


def uniforms(
    seed: int, purpose: str, examples: NDArray[np.int64], places: int
) -> NDArray[np.float64]:
    """Return independent numbers from 0 to below 1, by SplitMix64 (Steele et al. 2014, figure 16).

    Args:
        seed: Of the experiment.
        purpose: Another one gives other numbers.
        examples: `[N]`, number of each example in its data set, from 0.
        places: P; an example's first numbers are the same whatever P is.

    Returns:
        `[N, P]`.
    """
    digest = hashlib.sha256(f"{seed} {purpose}".encode()).digest()
    key = np.uint64(int.from_bytes(digest[:8], "little"))
    rows = np.asarray(examples, dtype=np.int64).astype(np.uint64)
    states = _mix(key + (rows + np.uint64(1)) * _STEP)
    counted = np.arange(1, places + 1, dtype=np.uint64) * _STEP
    return (_mix(states[:, None] + counted) >> np.uint64(11)).astype(np.float64) * 2.0**-53


def share_of_counts(
    counts: NDArray[np.int64], share: float, rounding: NDArray[np.float64]
) -> NDArray[np.int64]:
    """Return how many things a share of each count is, `[N]`.

    A part of a thing is rounded down or up at random so that the share is met on average: 10% of
    3 events are none in seven of ten examples and one in three of them.

    Args:
        counts: `[N]`.
        share: 0...1.
        rounding: `[N]`, from 0 to below 1.
    """
    return np.minimum(np.floor(share * counts + rounding).astype(np.int64), counts)


def _mix(state: NDArray[np.uint64]) -> NDArray[np.uint64]:
    """Mix 64 bits so that each depends on all (Stafford's variant 13)."""
    state = (state ^ (state >> np.uint64(30))) * np.uint64(0xBF58476D1CE4E5B9)
    state = (state ^ (state >> np.uint64(27))) * np.uint64(0x94D049BB133111EB)
    return state ^ (state >> np.uint64(31))
