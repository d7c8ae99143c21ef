"""What the PyTorch student of a next-item task answers: what its files are compared with."""

from collections.abc import Callable
from typing import TYPE_CHECKING, Any

import numpy as np
from numpy.typing import NDArray

from export.ranking_verification import Reference

if TYPE_CHECKING:
    from export.deploy import NextItemDeploy

_ROWS_AT_ONCE = 16


def ask_student(module: "NextItemDeploy", histories: NDArray[np.int32]) -> Reference:
    """Ask the student in fp32, a few histories at a time.

    Of a large catalogue only what verification keeps is ever held: see `Reference.shortened`.

    Args:
        module: In inference mode.
        histories: `[N, L]`, at least one.
    """
    import torch

    parts = []
    with torch.inference_mode():
        for start in range(0, len(histories), _ROWS_AT_ONCE):
            rows = histories[start : start + _ROWS_AT_ONCE]
            given = torch.from_numpy(rows)
            item_ids, _ = module(given)
            scores = module.scorer(given.long()).numpy()
            parts.append(Reference(rows, scores, item_ids.numpy(), module.mask_seen).shortened())

    def together(what: Callable[[Reference], Any]) -> NDArray[Any]:
        return np.concatenate([what(part) for part in parts])

    best = None if parts[0].best is None else together(lambda part: part.best)
    return Reference(
        histories=histories,
        scores=together(lambda part: part.scores),
        item_ids=together(lambda part: part.item_ids),
        mask_seen=module.mask_seen,
        best=best,
        items=parts[0].items,
    )
