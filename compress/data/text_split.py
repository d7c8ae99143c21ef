"""Which examples train, validate and test. Arrays in, arrays out; equal input, equal split."""

import numpy as np
from numpy.typing import NDArray

TRAIN, VALIDATION, TEST, UNLABELLED = range(4)
"""Numbers of the splits, in the order of `compress.data.text_dataset.SPLITS`."""

REMOVED = 255
"""Of an example that is in no split."""


def stratified_split(
    strata: NDArray[np.int64], *, validation: float, test: float, seed: int
) -> NDArray[np.uint8]:
    """Draw a random part of every stratum, such as a class.

    Of every stratum at least one example trains, so a stratum of one example is only trained on.
    Of the others the shares hold to within one example, in each stratum and, as far as enough are
    left to train on, over all of them.

    Args:
        strata: int64 [N], the stratum of each example.
        validation: Share of all examples.
        test: Share of all examples; may be 0.
        seed: Draws the examples within a stratum.

    Returns:
        uint8 [N], `TRAIN`, `VALIDATION` or `TEST`.
    """
    _, stratum, sizes = np.unique(strata, return_inverse=True, return_counts=True)
    # Rounding sums instead of strata: many small strata do not all round the same way.
    parts = np.where(sizes > 1, sizes * (validation + test), 0.0)
    held_out = np.minimum(_rounded_parts(parts), sizes - 1)
    tested = _rounded_parts(held_out * (test / (validation + test)))
    shuffled = np.random.default_rng(seed).permutation(len(strata))
    shuffled = shuffled[np.argsort(stratum[shuffled], kind="stable")]
    place = np.arange(len(strata)) - np.repeat(np.cumsum(sizes) - sizes, sizes)
    split = np.full(len(strata), TRAIN, np.uint8)
    split[shuffled[place < np.repeat(held_out, sizes)]] = VALIDATION
    split[shuffled[place < np.repeat(tested, sizes)]] = TEST
    return split


def grouped_split(
    groups: NDArray[np.int64],
    owners: NDArray[np.int64],
    classes: NDArray[np.int64],
    *,
    validation: float,
    test: float,
    seed: int,
) -> NDArray[np.uint8]:
    """Put whole groups into one split each, so that every split has its share of every class.

    Greedy: the biggest groups first (equal ones in random order), each to the split whose classes
    it would leave shortest of their share: over the group's examples, the mean of
    `1 - (have + new) / wanted` of the example's class in that split, the largest of which wins.

    Args:
        groups: int64 [N], the group of each example.
        owners: int64 [M], an example for each class that it has.
        classes: int64 [M], those classes, from 0.
        validation: Share of every class.
        test: Share of every class; may be 0.
        seed: Orders groups of one size.

    Returns:
        uint8 [N], `TRAIN`, `VALIDATION` or `TEST`.
    """
    _, group, sizes = np.unique(groups, return_inverse=True, return_counts=True)
    width = int(classes.max(initial=0)) + 1
    cells, counts = np.unique(group[owners] * width + classes, return_counts=True)
    columns = cells % width
    ends = np.searchsorted(cells, (np.arange(len(sizes)) + 1) * width)
    names = [TRAIN, VALIDATION] + ([TEST] if test > 0 else [])
    shares = np.array([1 - validation - test, validation, test][: len(names)])
    wanted = shares[:, None] * np.bincount(columns, counts, minlength=width)
    have = np.zeros_like(wanted)
    random = np.random.default_rng(seed).permutation(len(sizes))
    chosen = np.full(len(sizes), TRAIN, np.uint8)
    for number in random[np.argsort(-sizes[random], kind="stable")]:
        cell = slice(ends[number - 1] if number else 0, ends[number])
        column, new = columns[cell], counts[cell]
        shortage = 1 - (have[:, column] + new) / wanted[:, column]
        best = int((shortage @ new).argmax())
        have[best, column] += new
        chosen[number] = names[best]
    return chosen[group]


def rarest_classes(
    owners: NDArray[np.int64], classes: NDArray[np.int64], count: int
) -> NDArray[np.int64]:
    """Return int64 [count], of each example the class that the fewest examples have, -1 for none.

    Args:
        owners: int64 [M], an example for each class that it has.
        classes: int64 [M], those classes, from 0.
        count: The number of examples.
    """
    frequency = np.bincount(classes)
    # Assigning in order of falling frequency leaves each example with its rarest class.
    order = np.lexsort((classes, -frequency[classes]))
    rarest = np.full(count, -1)
    rarest[owners[order]] = classes[order]
    return rarest


def _rounded_parts(parts: NDArray[np.floating]) -> NDArray[np.int64]:
    """Round so that every running total is rounded, too."""
    # The small number keeps sums that end in .4999... because of floating point at .5.
    totals = np.floor(np.cumsum(parts) + 0.5 + 1e-9).astype(np.int64)
    return np.diff(totals, prepend=0)
