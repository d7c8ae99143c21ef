"""The teacher: a causal transformer over items, an item being its id plus its text."""

from typing import Self

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


class TextSequenceTeacher(nn.Module):
    """A causal transformer whose item vectors are trained ids plus projected, frozen texts.

    The same table embeds the history and scores the catalogue. For inference the table can be
    computed once: `cache_item_table`.
    """

    text_embeddings: Tensor | None
    folded_weights = ("text_embeddings", "projection.")
    """Weights that `cache_item_table` makes part of the item table."""

    def __init__(
        self,
        *,
        width: int,
        layers: int,
        heads: int,
        dropout: float,
        text_dropout: float,
        items: int,
        history_length: int,
        text_embeddings: Tensor | None,
    ) -> None:
        """Build the network.

        Args:
            width: W, the width of an item's vector; divisible by `heads`.
            layers: Transformer layers, at least 1.
            heads: Attention heads.
            dropout: On embeddings, attention weights, and inside the layers.
            text_dropout: On the text embeddings before the projection.
            items: Size of the catalogue.
            history_length: L, the length of every history.
            text_embeddings: `[items, D]` from an encoder, in code order; None: ids only. They are
                kept in the state dict, so that a saved teacher is complete.
        """
        super().__init__()
        self.items = items
        self.history_length = history_length
        self.hidden_items = HIDDEN_ITEMS
        self.table = initial_table(items, width)
        self.unknown = nn.Parameter(torch.zeros(width))
        self.bias = nn.Parameter(torch.zeros(items))
        self.projection: nn.Linear | None = None
        if text_embeddings is None:
            self.register_buffer("text_embeddings", None)
        else:
            if text_embeddings.shape[0] != items:
                raise ValueError(f"{text_embeddings.shape[0]} text embeddings for {items} items")
            texts = standardised(text_embeddings)
            self.register_buffer("text_embeddings", texts)
            self.projection = nn.Linear(texts.shape[1], width, bias=False)
            nn.init.normal_(self.projection.weight, std=0.02 / texts.shape[1] ** 0.5)
        self.text_dropout = nn.Dropout(text_dropout)
        self.transformer = CausalTransformer(
            width=width,
            layers=layers,
            heads=heads,
            dropout=dropout,
            history_length=history_length,
        )
        self._cached_table: Tensor | None = None

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
        return self._coded_table()[2:], self.bias

    def item_table(self) -> Tensor:
        """Compute the vector of every item, `[items, W]`: its id's row plus its projected text."""
        if self.projection is None or self.text_embeddings is None:
            return self.table
        texts: Tensor = self.projection(self.text_dropout(self.text_embeddings))
        return self.table + texts

    def cache_item_table(self) -> None:
        """Compute the item table once and use it until `train()` is called: for inference."""
        self.eval()
        with torch.no_grad():
            self._cached_table = with_special_rows(self.unknown, self.item_table())

    def train(self, mode: bool = True) -> Self:
        """Switch between training and inference; training forgets the cached item table."""
        if mode:
            self._cached_table = None
        return super().train(mode)

    def _coded_table(self) -> Tensor:
        """`[items + 2, W]`, indexed by item code."""
        if self._cached_table is not None:
            return self._cached_table
        return with_special_rows(self.unknown, self.item_table())

    def _embed(self, history: Tensor) -> Tensor:
        return functional.embedding(history, self._coded_table())


def standardised(embeddings: Tensor) -> Tensor:
    """Remove what all texts share and give the rest unit variance.

    Sentence encoders put all texts of one kind into a narrow cone: without this their common
    part drowns what tells two items apart.

    Args:
        embeddings: `[items, D]`.

    Returns:
        `[items, D]`; the mean of each column is 0, the mean square of all numbers 1.
    """
    centred = embeddings - embeddings.mean(dim=0)
    return centred / centred.square().mean().sqrt().clamp(min=1e-12)
