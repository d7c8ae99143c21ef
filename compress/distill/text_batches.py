"""Texts as batches of similar length, in a fresh order every epoch."""

import math
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor
from torch.utils.data import DataLoader, Dataset, Sampler

from compress.data.pieces import Pieces
from compress.distill.losses import SoftTargets
from compress.distill.soft_labels import SoftLabels

_BATCHES_SORTED_TOGETHER = 50
"""Enough that little is padded, and few enough that a batch is a fresh one every epoch."""


@dataclass(frozen=True)
class TextBatch:
    """B texts, and what is known of them.

    Attributes:
        input_ids: int64 `[B, L]`.
        attention_mask: int64 `[B, L]`.
        token_type_ids: int64 `[B, L]`.
        targets: Of the *labelled* texts alone, in their order; see `compress.distill.text_losses`.
        labelled: Numbers of the texts that have a label, int64, ascending.
        soft: The teacher's answers to all B texts, if there are any.
    """

    input_ids: Tensor
    attention_mask: Tensor
    token_type_ids: Tensor
    targets: Tensor
    labelled: Tensor
    soft: SoftTargets | None = None

    def __len__(self) -> int:
        return len(self.input_ids)

    def to(self, device: torch.device) -> "TextBatch":
        """Return the same batch on another device."""
        return TextBatch(
            self.input_ids.to(device),
            self.attention_mask.to(device),
            self.token_type_ids.to(device),
            self.targets.to(device),
            self.labelled.to(device),
            None if self.soft is None else self.soft.to(device),
        )


def training_batches(
    pieces: Pieces,
    *,
    rows: int,
    targets: NDArray[Any],
    soft_labels: SoftLabels | None,
    batch_size: int,
    seed: int,
) -> DataLoader[Any]:
    """Return the `TextBatch`es of every epoch.

    Args:
        pieces: The texts; labelled ones come first.
        rows: How many of them to use, from the first on.
        targets: Of the labelled texts.
        soft_labels: Of all texts, if there are any.
        batch_size: Texts in a batch.
        seed: The order of an epoch is drawn from it and the epoch's number.
    """
    order = _LengthOrder(pieces.lengths[:rows], batch_size, seed)
    texts = _Texts(pieces, targets, soft_labels)
    return DataLoader(texts, batch_size=None, sampler=order, collate_fn=_as_it_is)


def batches_by_length(pieces: Pieces, batch_size: int) -> list[NDArray[np.int64]]:
    """Return the rows of batches that hold every text once, short ones first."""
    order = np.argsort(pieces.lengths, kind="stable")
    return [order[start : start + batch_size] for start in range(0, len(order), batch_size)]


def text_batches(pieces: Pieces, rows: list[NDArray[np.int64]]) -> DataLoader[Any]:
    """Return a `TextBatch` without targets for each of some lists of rows, in their order."""
    texts = _Texts(pieces, np.zeros(0), None)
    return DataLoader(texts, batch_size=None, sampler=rows, collate_fn=_as_it_is)


class _Texts(Dataset[TextBatch]):
    """Whole batches by the rows of their texts."""

    def __init__(
        self, pieces: Pieces, targets: NDArray[Any], soft_labels: SoftLabels | None
    ) -> None:
        self._pieces, self._targets, self._soft_labels = pieces, targets, soft_labels

    def __len__(self) -> int:
        return len(self._pieces)

    def __getitem__(self, rows: Any) -> TextBatch:
        batch = self._pieces.batch(rows)
        labelled = np.flatnonzero(rows < len(self._targets))
        return TextBatch(
            torch.from_numpy(batch.input_ids),
            torch.from_numpy(batch.attention_mask),
            torch.from_numpy(batch.token_type_ids),
            torch.from_numpy(self._targets[rows[labelled]]),
            torch.from_numpy(labelled),
            None if self._soft_labels is None else self._soft_labels.read(rows),
        )


class _LengthOrder(Sampler[NDArray[np.int64]]):
    """Batches of similar length in a random order, both drawn from (seed, epoch).

    The texts are shuffled, sorted by length within runs of some batches, cut into batches, and the
    batches shuffled.
    """

    def __init__(self, lengths: NDArray[np.int64], batch_size: int, seed: int) -> None:
        self._lengths, self._batch_size, self._seed = lengths, batch_size, seed
        self._epoch = 0

    def set_epoch(self, epoch: int) -> None:
        """Called by Lightning before every epoch."""
        self._epoch = epoch

    def __len__(self) -> int:
        return math.ceil(len(self._lengths) / self._batch_size)

    def __iter__(self) -> Iterator[NDArray[np.int64]]:
        generator = np.random.default_rng([self._seed, self._epoch])
        order = generator.permutation(len(self._lengths))
        run = self._batch_size * _BATCHES_SORTED_TOGETHER
        for start in range(0, len(order), run):
            some = order[start : start + run]
            order[start : start + run] = some[np.argsort(self._lengths[some], kind="stable")]
        for number in generator.permutation(len(self)):
            yield order[number * self._batch_size : (number + 1) * self._batch_size]


def _as_it_is(batch: Any) -> Any:
    return batch
