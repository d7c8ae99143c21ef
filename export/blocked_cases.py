"""Histories to which a student would answer with blocked items, if it were let.

A file whose block was lost gives itself away only where the model wants a blocked item. So files
are verified on such histories too, besides those that every export is verified on.
"""

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from export.blocked_items import BlockedItems
from export.source import DeploySource

MOST_CASES = 64
_ROWS_AT_ONCE = 64


@dataclass(frozen=True, eq=False)
class BlockedCases:
    """What to verify on besides, and how much of the block that shows."""

    histories: NDArray[np.int32]
    """`[n, L]`, at most `MOST_CASES`."""
    wanted: int
    """Blocked items that the student returns for some history, these or the others, if let."""
    blocked: int
    """Blocked items in all."""

    @property
    def sentence(self) -> str:
        """What a person is told."""
        items = "1 item is" if self.blocked == 1 else f"{self.blocked:,} items are"
        return (
            f"{items} blocked; without that {self.wanted:,} of them would be among the answers "
            "that files are verified on"
        )


def blocked_cases(
    free: DeploySource, blocked: BlockedItems, histories: NDArray[np.int32]
) -> BlockedCases:
    """Find, for each blocked item, a history for which the student ranks it highest.

    Args:
        free: The student with nothing blocked; looked for among its calibration histories.
        blocked: What is to be blocked, at least one item.
        histories: `[N, L]` that files are verified on anyway.
    """
    candidates = free.calibration.arrays["history"]
    found = _returned(free, blocked, candidates)
    by_item = np.lexsort((found.row, found.place, found.item))
    _, first = np.unique(found.item[by_item], return_index=True)
    chosen, shown = np.unique(found.row[by_item[first]], return_counts=True)
    if len(chosen) > MOST_CASES:  # those that are the best for most items are kept
        chosen = np.sort(chosen[np.argsort(-shown, kind="stable")[:MOST_CASES]])
    wanted = np.union1d(
        found.item[np.isin(found.row, chosen)], _returned(free, blocked, histories).item
    )
    return BlockedCases(candidates[chosen], len(wanted), len(blocked))


@dataclass(frozen=True, eq=False)
class _Returned:
    """Blocked items among answers, `[n]` each."""

    row: NDArray[np.int64]
    place: NDArray[np.int64]
    item: NDArray[np.int32]


def _returned(free: DeploySource, blocked: BlockedItems, histories: NDArray[np.int32]) -> _Returned:
    import torch

    with torch.inference_mode():
        item_ids = np.concatenate(
            [
                free.module(torch.from_numpy(histories[start : start + _ROWS_AT_ONCE]))[0].numpy()
                for start in range(0, len(histories), _ROWS_AT_ONCE)
            ]
        )
    row, place = np.nonzero(np.isin(item_ids, blocked.array))
    return _Returned(row, place, item_ids[row, place])
