"""The validation split, ready to be ranked while a network trains."""

import math
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray
from torch.utils.data import Dataset as TorchDataset

from compress.data.dataset import Dataset
from compress.metrics import ranking_metrics
from compress.tasks.item_codes import FIRST_ITEM


@dataclass(frozen=True)
class ValidationSet(TorchDataset[Any]):
    """Histories, targets and seen items of the validation cases, in batches.

    An item of this data set is a whole batch: `(histories [B, L], case numbers [B])`.
    """

    histories: NDArray[np.int32]
    targets: NDArray[np.int32]
    seen_offsets: NDArray[np.int64]
    seen: NDArray[np.int32]
    batch_size: int = 256

    @classmethod
    def of(cls, dataset: Dataset, length: int) -> "ValidationSet":
        """Collect the validation cases of a data set; `length` is L."""
        cases = dataset.cases("validation")
        offsets, seen = dataset.seen(cases)
        return cls(dataset.histories(cases, length), cases.targets, offsets, seen)

    def __len__(self) -> int:
        return math.ceil(len(self.targets) / self.batch_size)

    def __getitem__(self, batch: int) -> tuple[NDArray[np.int32], NDArray[np.int64]]:
        if not 0 <= batch < len(self):
            raise IndexError(batch)
        cases = np.arange(
            batch * self.batch_size, min((batch + 1) * self.batch_size, len(self.targets))
        )
        return self.histories[cases], cases

    def ndcg(self, scores: NDArray[np.float32], cases: NDArray[np.int64]) -> NDArray[np.float64]:
        """NDCG@10 of each case: full ranking, complete history masked.

        Args:
            scores: `[B, items]`.
            cases: `[B]` case numbers.
        """
        ranks = full_ranks(scores, self.targets[cases], self.seen_offsets, self.seen, cases)
        return ranking_metrics(ranks, ks=(10,))["ndcg@10"]

    def mean_ndcg(self, score: Callable[[NDArray[np.int32]], NDArray[np.float32]]) -> float:
        """Mean NDCG@10 of a model over all cases.

        Args:
            score: Histories `[B, L]` to scores `[B, items]`.
        """
        batches = [self[number] for number in range(len(self))]
        return float(np.concatenate([self.ndcg(score(h), cases) for h, cases in batches]).mean())


def full_ranks(
    scores: NDArray[np.float32],
    targets: NDArray[np.int32],
    seen_offsets: NDArray[np.int64],
    seen: NDArray[np.int32],
    cases: NDArray[np.int64],
) -> NDArray[np.int64]:
    """0-based rank of each target among the items that its case has not seen.

    Equal scores rank in catalogue order. A target that was seen cannot be shown: it ranks last.

    Args:
        scores: `[B, items]`.
        targets: `[B]` item codes.
        seen_offsets: `[N + 1]`, where each case's items are in `seen`.
        seen: Item codes.
        cases: `[B]` case numbers.
    """
    rows = np.arange(len(cases))
    masked = scores.copy()
    lengths = seen_offsets[cases + 1] - seen_offsets[cases]
    starts = np.cumsum(lengths) - lengths
    flat = np.arange(lengths.sum()) + np.repeat(seen_offsets[cases] - starts, lengths)
    masked[np.repeat(rows, lengths), seen[flat] - FIRST_ITEM] = -np.inf
    own = masked[rows, targets - FIRST_ITEM]
    not_better = masked <= own[:, None]  # false for NaN, which must not rank first
    better: NDArray[np.int64] = (~not_better).sum(axis=1)
    before = np.arange(scores.shape[1])[None, :] < (targets - FIRST_ITEM)[:, None]
    ties = ((masked == own[:, None]) & before).sum(axis=1)
    ranks: NDArray[np.int64] = (better + ties).astype(np.int64)
    return ranks
