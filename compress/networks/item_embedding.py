"""What an item code becomes at the input of a network, and what scores it at the output."""

import torch
from torch import Tensor, nn

from compress.tasks.item_codes import UNKNOWN

INITIAL_SCALE = 0.02
HIDDEN_ITEMS = 0.1
"""Share of a history's items that are shown as unknown in training."""


def with_special_rows(unknown: Tensor, table: Tensor) -> Tensor:
    """Put the rows of the codes 0 (padding: zeros) and 1 (unknown) before a catalogue table.

    Args:
        unknown: `[W]`, the row of the unknown code.
        table: `[items, W]`, the rows of the catalogue.

    Returns:
        `[items + 2, W]`, indexed by item code.
    """
    return torch.cat([torch.zeros_like(unknown)[None], unknown[None], table])


def hide_items(history: Tensor, probability: float) -> Tensor:
    """Replace each item by the unknown code with some probability; padding stays.

    It teaches a network what the unknown code means (any item at all), which no training event
    shows, and keeps it from leaning on single items.

    Args:
        history: `[B, L]` item codes.
        probability: Share of the items that become unknown, 0 to 1.

    Returns:
        `[B, L]` item codes.
    """
    hidden = torch.rand(history.shape, device=history.device) < probability
    return torch.where(hidden, history.clamp(max=UNKNOWN), history)


def initial_table(items: int, width: int) -> nn.Parameter:
    """Return a trainable `[items, width]` table of small normal numbers."""
    return nn.Parameter(torch.randn(items, width) * INITIAL_SCALE)
