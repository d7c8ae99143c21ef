"""The student: a small causal transformer with an item table of its own."""

import torch
from torch import Tensor, nn
from torch.nn import functional

from compress.networks.causal_transformer import CausalTransformer
from compress.networks.item_embedding import (
    HIDDEN_ITEMS,
    hide_items,
    initial_table,
    with_special_rows,
)


class TransformerStudent(nn.Module):
    """A causal transformer whose item table both embeds the history and scores the catalogue.

    Kang and McAuley 2018 ("SASRec"), with a bias per item.
    """

    def __init__(
        self,
        *,
        width: int,
        layers: int,
        heads: int,
        dropout: float,
        items: int,
        history_length: int,
    ) -> None:
        """Build the network.

        Args:
            width: W, the width of an item's vector; divisible by `heads`.
            layers: Transformer layers, at least 1.
            heads: Attention heads.
            dropout: On embeddings, attention weights, and inside the layers.
            items: Size of the catalogue.
            history_length: L, the length of every history.
        """
        super().__init__()
        self.items = items
        self.history_length = history_length
        self.hidden_items = HIDDEN_ITEMS
        self.table = initial_table(items, width)
        self.unknown = nn.Parameter(torch.zeros(width))
        self.bias = nn.Parameter(torch.zeros(items))
        self.transformer = CausalTransformer(
            width=width,
            layers=layers,
            heads=heads,
            dropout=dropout,
            history_length=history_length,
        )

    def states(self, history: Tensor) -> Tensor:
        """Return `[B, L, W]`: the state at each position, which predicts the item after it."""
        history = hide_items(history, self.hidden_items) if self.training else history
        states: Tensor = self.transformer(self._embed(history), history)
        return states

    def last_state(self, history: Tensor) -> Tensor:
        """Return `[B, W]`: the state at the last position."""
        return self.transformer.last(self._embed(history), history)

    def head(self) -> tuple[Tensor, Tensor]:
        """Return the scoring table `[items, W]` and the bias of each item `[items]`."""
        return self.table, self.bias

    def _embed(self, history: Tensor) -> Tensor:
        return functional.embedding(history, with_special_rows(self.unknown, self.table))
