"""The mean of a text's embeddings through a feed-forward network."""

from collections.abc import Sequence

import torch
from torch import Tensor, nn
from torch.nn import functional

from compress.networks.text_model import TextAnswer

EMBEDDING_STD = 0.02


class MeanPooledStudent(nn.Module):
    """A deep averaging network (Iyyer et al. 2015): it knows words, not their order.

    What a word says in the second text of a pair is scaled by a vector of its own, so that it is
    told from the same word in the first.
    """

    def __init__(
        self,
        *,
        width: int,
        hidden: Sequence[int],
        residual: bool,
        dropout: float,
        pieces: int,
        outputs: int,
        max_length: int,
        padding_id: int,
    ) -> None:
        """Build the network with random weights.

        Args:
            width: Of a piece's embedding.
            hidden: Width of each hidden layer; none: a linear model.
            residual: Add a hidden layer's input to its output, where the widths are equal.
            dropout: On the mean, and on every hidden layer's output.
            pieces: Size of the vocabulary.
            outputs: Classes, or 1 for a score.
            max_length: L, the longest text in pieces; longer ones are answered all the same.
            padding_id: Id of the piece that fills up a batch.
        """
        super().__init__()
        self.pieces = pieces
        self.outputs = outputs
        self.max_length = max_length
        self.padding_id = padding_id
        self.residual = residual
        self.words = nn.Embedding(pieces, width, padding_idx=padding_id)
        self.segments = nn.Embedding(2, width)
        widths = (width, *hidden)
        self.hidden = nn.ModuleList(
            nn.Linear(before, after) for before, after in zip(widths, widths[1:], strict=False)
        )
        self.norm = nn.LayerNorm(width)
        self.dropout = nn.Dropout(dropout)
        self.output = nn.Linear(widths[-1], outputs)
        nn.init.normal_(self.words.weight, std=EMBEDDING_STD)
        nn.init.ones_(self.segments.weight)
        with torch.no_grad():
            self.words.weight[padding_id].zero_()

    def forward(
        self,
        input_ids: Tensor,
        attention_mask: Tensor,
        token_type_ids: Tensor,
        *,
        features: bool = False,
    ) -> TextAnswer:
        """Answer a batch of int64 `[B, L]`; there are no features to add."""
        kept = attention_mask.unsqueeze(2).to(self.words.weight.dtype)
        embedded = self.words(input_ids) * self.segments(token_type_ids) * kept
        mean = embedded.sum(dim=1) / kept.sum(dim=1).clamp(min=1)
        state = self.dropout(self.norm(mean))
        for layer in self.hidden:
            after = self.dropout(functional.relu(layer(state)))
            adds = self.residual and after.shape[-1] == state.shape[-1]
            state = state + after if adds else after
        return TextAnswer(self.output(state))

    def word_embeddings(self) -> nn.Embedding:
        """Return the word table, `[pieces, width]`."""
        return self.words
