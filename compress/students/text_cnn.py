"""A convolutional network over piece embeddings."""

from collections.abc import Sequence

import torch
from torch import Tensor, nn
from torch.nn import functional

from compress.networks.text_model import TextAnswer

EMBEDDING_STD = 0.02


class TextCnnStudent(nn.Module):
    """Filters of several sizes slide over the pieces; each one's largest answer is kept.

    Kim 2014 ("Convolutional Neural Networks for Sentence Classification"), with an embedding of
    the text's number added, so that the second text of a pair is told from the first.
    """

    def __init__(
        self,
        *,
        width: int,
        filters: int,
        kernels: Sequence[int],
        dropout: float,
        pieces: int,
        outputs: int,
        max_length: int,
        padding_id: int,
    ) -> None:
        """Build the network with random weights.

        Args:
            width: Of a piece's embedding.
            filters: Filters of each kernel size.
            kernels: Pieces that a filter sees.
            dropout: On embeddings, and on what the filters found.
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
        self.kernels = tuple(kernels)
        self.words = nn.Embedding(pieces, width, padding_idx=padding_id)
        self.segments = nn.Embedding(2, width)
        self.convolutions = nn.ModuleList(nn.Conv1d(width, filters, size) for size in kernels)
        self.dropout = nn.Dropout(dropout)
        self.output = nn.Linear(filters * len(kernels), outputs)
        for table in (self.words, self.segments):
            nn.init.normal_(table.weight, std=EMBEDDING_STD)
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
        kept = attention_mask.unsqueeze(1).to(self.words.weight.dtype)
        embedded = self.dropout(self.words(input_ids) + self.segments(token_type_ids))
        channels = embedded.transpose(1, 2) * kept
        found = []
        for size, convolution in zip(self.kernels, self.convolutions, strict=True):
            # Zeros behind the text, so that one shorter than the filter is seen too; where a
            # filter begins on padding it does not count, so padding changes no answer.
            answers = functional.relu(convolution(functional.pad(channels, (0, size - 1))))
            found.append((answers * kept).amax(dim=2))
        return TextAnswer(self.output(self.dropout(torch.cat(found, dim=1))))

    def word_embeddings(self) -> nn.Embedding:
        """Return the word table, `[pieces, width]`."""
        return self.words
