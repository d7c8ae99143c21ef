"""A causal transformer over left-padded sequences, written so that it traces and exports.

Masks are sums of floats (Core ML converts no boolean `&` and `|`), attention is two matrix
products around a softmax (the pattern that ONNX optimizers know), lengths are constants, and
nothing depends on data.
"""

import math

import torch
from torch import Tensor, nn

HIDDEN = -1e4
"""Added to a score to hide a position: far below any score, and finite in 16 bits."""

INITIAL_SCALE = 0.02
"""Standard deviation of fresh weights (Devlin et al. 2019)."""


RECENCY = (0.25, 0.05)
"""How much a fresh network lowers an item's score for every step back: first head, last head."""


class CausalAttention(nn.Module):
    """Multi-head attention (Vaswani et al. 2017, section 3.2) over a sequence of fixed length.

    Order is known by a trained bias per head and distance, added to the scores (Raffel et al.
    2020, section 2.1, without buckets). It begins as a straight line, its slope differing from
    head to head (Press et al. 2022, "ALiBi"): what lies further back counts less. On
    MovieLens-100K this was worth far more than position embeddings, each of which learns from one
    position of a window only.
    """

    distances: Tensor

    def __init__(self, *, width: int, heads: int, dropout: float, length: int) -> None:
        super().__init__()
        self.heads = heads
        self.head_width = width // heads
        self.length = length
        self.query = nn.Linear(width, width)
        self.key_value = nn.Linear(width, 2 * width)
        self.output = nn.Linear(width, width)
        self.dropout = nn.Dropout(dropout)
        steps = torch.arange(length)
        slopes = torch.logspace(math.log10(RECENCY[0]), math.log10(RECENCY[1]), heads)
        self.distance_bias = nn.Parameter(-slopes[:, None] * steps)
        # Distances to later positions do not matter: the mask hides them.
        distances = (steps[:, None] - steps[None, :]).clamp(min=0)
        self.register_buffer("distances", distances, persistent=False)

    def forward(self, x: Tensor, mask: Tensor, *, last_only: bool = False) -> Tensor:
        """Let each position, or the last alone, read the sequence.

        Args:
            x: `[B, L, W]`.
            mask: Added to the scores: `[B, 1, L, L]`, or `[B, 1, 1, L]` with `last_only`.
            last_only: Compute the answer of the last position only.

        Returns:
            `[B, L, W]`, or `[B, 1, W]` with `last_only`.
        """
        key, value = self.key_value(x).chunk(2, dim=-1)
        query = self.query(x[:, -1:] if last_only else x)
        scores = self._split(query, 1 if last_only else self.length) @ self._split(
            key, self.length
        ).transpose(-1, -2)
        bias = self.distance_bias[:, self.distances[-1:] if last_only else self.distances]
        weights = torch.softmax(scores / math.sqrt(self.head_width) + (bias + mask), dim=-1)
        read = self.dropout(weights) @ self._split(value, self.length)
        answer: Tensor = self.output(read.transpose(1, 2).flatten(2))
        return answer

    def _split(self, x: Tensor, length: int) -> Tensor:
        """`[B, length, W]` to `[B, heads, length, W / heads]`."""
        return x.reshape(-1, length, self.heads, self.head_width).transpose(1, 2)


class Layer(nn.Module):
    """Attention and a feed-forward network, each normalised before and added after.

    Pre-norm (Xiong et al. 2020): trains without a delicate warm-up.
    """

    def __init__(self, *, width: int, heads: int, dropout: float, length: int, layers: int) -> None:
        """Build one of `layers` layers.

        Args:
            width: W.
            heads: Attention heads; they divide the width.
            dropout: On attention weights, inside the feed-forward network, and on both results.
            length: L.
            layers: How many layers add to the same sum: fresh ones add little each, so that the
                sum keeps its size (Radford et al. 2019, section 2.3).
        """
        super().__init__()
        self.attention_norm = nn.LayerNorm(width)
        self.attention = CausalAttention(width=width, heads=heads, dropout=dropout, length=length)
        self.feed_forward_norm = nn.LayerNorm(width)
        self.widen = nn.Linear(width, 4 * width)
        self.activation = nn.GELU()
        self.inner_dropout = nn.Dropout(dropout)
        self.narrow = nn.Linear(4 * width, width)
        self.dropout = nn.Dropout(dropout)
        self.apply(_initialise)
        for linear in (self.attention.output, self.narrow):
            nn.init.normal_(linear.weight, std=INITIAL_SCALE / math.sqrt(2 * layers))

    def forward(self, x: Tensor, mask: Tensor, *, last_only: bool = False) -> Tensor:
        """Return the next layer's input, `[B, L, W]`, or of the last position alone, `[B, 1, W]`.

        Args:
            x: `[B, L, W]`.
            mask: `[B, 1, L, L]`, or `[B, 1, 1, L]` with `last_only`.
            last_only: Compute queries and feed-forward for the last position only.
        """
        read = self.attention(self.attention_norm(x), mask, last_only=last_only)
        x = (x[:, -1:] if last_only else x) + self.dropout(read)
        wide = self.activation(self.widen(self.feed_forward_norm(x)))
        result: Tensor = x + self.dropout(self.narrow(self.inner_dropout(wide)))
        return result


class CausalTransformer(nn.Module):
    """Layers and a final norm; embedding and scoring are the caller's.

    Only distances matter, not positions: the same recent items mean the same wherever they stand.
    A position sees itself and the items before it, never padding; a padded position sees only
    itself, so that an empty history has finite numbers.
    """

    future: Tensor
    others: Tensor

    def __init__(
        self, *, width: int, layers: int, heads: int, dropout: float, history_length: int
    ) -> None:
        """Build the network with fresh weights.

        Args:
            width: W; divisible by `heads`.
            layers: At least 1.
            heads: Attention heads.
            dropout: On the input and inside the layers.
            history_length: L, the length of every sequence.

        Raises:
            ValueError: The heads do not divide the width, or there is no layer.
        """
        super().__init__()
        if width % heads:
            raise ValueError(f"width: {width} is not divisible by heads: {heads}")
        if layers < 1:
            raise ValueError(f"layers: {layers} is below 1")
        self.dropout = nn.Dropout(dropout)
        stack = [
            Layer(width=width, heads=heads, dropout=dropout, length=history_length, layers=layers)
            for _ in range(layers)
        ]
        self.earlier = nn.ModuleList(stack[:-1])
        self.final = stack[-1]
        self.norm = nn.LayerNorm(width)
        ones = torch.ones(history_length, history_length)
        self.register_buffer("future", ones.triu(1) * HIDDEN, persistent=False)
        self.register_buffer("others", ones - torch.eye(history_length), persistent=False)

    def forward(self, embedded: Tensor, history: Tensor) -> Tensor:
        """Return the normalised state of every position.

        Args:
            embedded: `[B, L, W]`.
            history: `[B, L]` item codes; 0 is padding.

        Returns:
            `[B, L, W]`.
        """
        mask = self._mask(history)
        x: Tensor = self.dropout(embedded)
        for layer in (*self.earlier, self.final):
            x = layer(x, mask)
        states: Tensor = self.norm(x)
        return states

    def last(self, embedded: Tensor, history: Tensor) -> Tensor:
        """Return the state of the last position, `[B, W]`: `forward(...)[:, -1]`, for less work."""
        x: Tensor = self.dropout(embedded)
        if len(self.earlier):  # a single layer reads one row of the mask: no more is shipped
            mask = self._mask(history)
            for layer in self.earlier:
                x = layer(x, mask)
        last_row = self._mask(history, last_only=True)
        state: Tensor = self.norm(self.final(x, last_row, last_only=True)[:, 0])
        return state

    def _mask(self, history: Tensor, *, last_only: bool = False) -> Tensor:
        """Return `[B, 1, L, L]`, or `[B, 1, 1, L]`: hides the future and padding elsewhere."""
        padding = (history == 0).to(torch.float32) * HIDDEN
        future, others = (one[-1:] if last_only else one for one in (self.future, self.others))
        return future + padding[:, None, None, :] * others


def _initialise(module: nn.Module) -> None:
    if isinstance(module, nn.Linear):
        nn.init.normal_(module.weight, std=INITIAL_SCALE)
        nn.init.zeros_(module.bias)
