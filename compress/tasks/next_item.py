"""Next-item: which items are candidates at a position, and how they are left out.

An app never shows what the user has seen, so with `mask_seen` neither the teacher nor the student
spends probability on it: the softmax at a position is over the items that the window does not hold
up to and including that position.
"""

import torch
from torch import Tensor

from compress.tasks.item_codes import FIRST_ITEM, IMPOSSIBLE


def hide_seen(logits: Tensor, history: Tensor, positions: tuple[Tensor, Tensor]) -> Tensor:
    """Give the items seen up to each position the logit `IMPOSSIBLE`.

    Args:
        logits: `[N, items]`, at N positions.
        history: `[B, L]` item codes.
        positions: Row and column in `history` of each of the N positions.

    Returns:
        `[N, items]`.
    """
    rows, columns = positions
    order = torch.arange(history.shape[1], device=history.device)
    so_far = history.long()[rows] * (order <= columns[:, None])
    codes = logits.shape[1] + FIRST_ITEM
    seen = torch.zeros(len(rows), codes, dtype=torch.bool, device=logits.device)
    seen = seen.scatter_(1, so_far, True)[:, FIRST_ITEM:]
    return logits.masked_fill(seen, IMPOSSIBLE)
