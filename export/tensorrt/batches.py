"""Cutting inputs into batches that an engine takes."""

from collections.abc import Iterator, Mapping
from typing import Any

import numpy as np
from numpy.typing import NDArray


def batches(
    inputs: Mapping[str, NDArray[Any]], least: int, most: int
) -> Iterator[tuple[dict[str, NDArray[Any]], int]]:
    """Yield batches, and how many of each one's first rows were asked.

    Args:
        inputs: By name, `[N, ...]` each.
        least: Examples that the engine takes at once; where there are fewer, they are repeated.
        most: Likewise.
    """
    count = len(next(iter(inputs.values())))
    for start in range(0, count, most):
        rows = np.arange(start, min(start + most, count))
        asked = np.resize(rows, max(least, len(rows)))
        yield {name: array[asked] for name, array in inputs.items()}, len(rows)
