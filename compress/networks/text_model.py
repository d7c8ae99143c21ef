"""What every network that reads text can do, teacher or student."""

from dataclasses import dataclass
from typing import Protocol

from torch import Tensor


@dataclass(frozen=True)
class TextAnswer:
    """A network's answer to a batch of texts.

    Attributes:
        logits: `[B, outputs]`; for scores `[B, 1]`, the score itself.
        hidden_states: `[B, L, W]` each: the embeddings' output first, then every layer's. Empty
            unless features were asked for, and for networks without layers.
        attentions: Probabilities `[B, H, L, L]` of every layer; empty likewise.
    """

    logits: Tensor
    hidden_states: tuple[Tensor, ...] = ()
    attentions: tuple[Tensor, ...] = ()


class TextModel(Protocol):
    """A network that reads pieces of text and answers with logits; an `nn.Module`.

    Inputs are int64 `[B, L]`, padded on the right: piece ids, 1 for a piece and 0 for padding, and
    0 for the first text and 1 for the second. What is padded makes no difference to an answer.
    """

    outputs: int
    """Width of the logits: classes or grades, or 1 for a score."""

    def forward(
        self,
        input_ids: Tensor,
        attention_mask: Tensor,
        token_type_ids: Tensor,
        *,
        features: bool = False,
    ) -> TextAnswer:
        """Answer a batch; `features` adds hidden states and attentions."""
        ...
