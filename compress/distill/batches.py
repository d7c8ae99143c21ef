"""Training windows as batches, in a fresh order every epoch."""

import math
from collections.abc import Iterator, Sequence
from typing import Any

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor
from torch.utils.data import DataLoader, Dataset, Sampler

from compress.data.dataset import Windows


def window_batches(windows: Windows, batch_size: int, seed: int) -> DataLoader[Any]:
    """Return the batches of every epoch.

    Args:
        windows: The training windows.
        batch_size: Windows in a batch.
        seed: The order of an epoch is drawn from it and the epoch's number.

    Returns:
        Of `(inputs [B, L], targets [B, L], rows [N])`: item codes, and the soft-label row of each
        of the N positions that has a target, row by row.
    """
    order = _EpochOrder(len(windows), batch_size, seed)
    return DataLoader(
        _WindowBatches(windows), batch_size=None, sampler=order, collate_fn=_as_tensors
    )


class _WindowBatches(Dataset[tuple[NDArray[np.int32], NDArray[np.int32], NDArray[np.int64]]]):
    """Whole batches by the numbers of their windows."""

    def __init__(self, windows: Windows) -> None:
        self._windows = windows

    def __len__(self) -> int:
        return len(self._windows)

    def __getitem__(self, chosen: Any) -> Any:
        inputs, targets = self._windows.batch(chosen)
        first = self._windows.offsets[chosen]
        lengths = self._windows.offsets[chosen + 1] - first
        starts = np.cumsum(lengths) - lengths
        rows = np.arange(lengths.sum()) + np.repeat(first - starts, lengths)
        return inputs, targets, rows


class _EpochOrder(Sampler[NDArray[np.int64]]):
    """A fresh order of the windows for every epoch, drawn from (seed, epoch)."""

    def __init__(self, windows: int, batch_size: int, seed: int) -> None:
        self._windows, self._batch_size, self._seed = windows, batch_size, seed
        self._epoch = 0

    def set_epoch(self, epoch: int) -> None:
        """Called by Lightning before every epoch."""
        self._epoch = epoch

    def __len__(self) -> int:
        return math.ceil(self._windows / self._batch_size)

    def __iter__(self) -> Iterator[NDArray[np.int64]]:
        order = np.random.default_rng([self._seed, self._epoch]).permutation(self._windows)
        for start in range(0, self._windows, self._batch_size):
            yield order[start : start + self._batch_size]


def _as_tensors(arrays: Sequence[NDArray[Any]]) -> tuple[Tensor, ...]:
    return tuple(torch.from_numpy(array) for array in arrays)
