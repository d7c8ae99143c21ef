"""A next-item teacher's answers by row of its soft labels: a row is a position of a window."""

from collections.abc import Callable

import numpy as np
import torch
from torch import Tensor

from compress.data.dataset import Windows

LogProbabilities = Callable[[Tensor, tuple[Tensor, Tensor]], Tensor]
"""Histories `[B, L]` and the rows and columns of N positions in them, to logits `[N, items]`."""


class PositionAnswers:
    """Answers for runs of rows, asked for window by window."""

    def __init__(
        self, windows: Windows, log_probabilities: LogProbabilities, batch_size: int = 64
    ) -> None:
        """Take the teacher and what it reads.

        Args:
            windows: The training windows.
            log_probabilities: The teacher.
            batch_size: Windows that it answers at once.
        """
        self._windows = windows
        self._log_probabilities = log_probabilities
        self._batch_size = batch_size

    def __call__(self, start: int, stop: int) -> Tensor:
        """Return the logits `[stop - start, items]` of the rows from `start` on."""
        low = self._window_of(start)
        high = int(np.searchsorted(self._windows.offsets, stop, side="left"))
        inputs, targets = self._windows.batch(np.arange(low, high))
        wanted = torch.where(torch.from_numpy(targets) != 0)
        logits = self._log_probabilities(torch.from_numpy(inputs), (wanted[0], wanted[1]))
        first = int(self._windows.offsets[low])
        return logits[start - first : stop - first]

    def batch_end(self, start: int) -> int:
        """Return the row after the last one that is best asked for together with `start`."""
        after = min(self._window_of(start) + self._batch_size, len(self._windows))
        return int(self._windows.offsets[after])

    def _window_of(self, row: int) -> int:
        return int(np.searchsorted(self._windows.offsets, row, side="right")) - 1
