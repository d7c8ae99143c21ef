"""What runs on the device for texts: pieces in, probabilities or a score out, as one module."""

from collections.abc import Sequence
from typing import Any

import torch
from torch import Tensor, nn

from compress.recipe import Target


class TextDeploy(nn.Module):
    """`input_ids`, `attention_mask` and, for pairs, `token_type_ids`, int32 `[B, L]`, to answers.

    The answers are `probabilities` float32 `[B, C]`, then, where classes have gains, `score`
    float32 `[B]`; for a score, `score` alone.
    """

    gains: Tensor

    def __init__(self, network: Any, target: Target, gains: Sequence[float] | None = None) -> None:
        """Take over a network.

        Args:
            network: A `TextModel` in inference mode; it stays as it is.
            target: What its logits are of.
            gains: What each class is worth, `[C]`; None: no `score` beside the probabilities.
        """
        super().__init__()
        self.network = network
        self.target = target
        self.has_gains = gains is not None
        column = torch.tensor(gains or (), dtype=torch.float32)[:, None]
        self.register_buffer("gains", column, persistent=False)

    def forward(
        self, input_ids: Tensor, attention_mask: Tensor, token_type_ids: Tensor | None = None
    ) -> tuple[Tensor, ...]:
        """Answer a batch."""
        pieces, mask = input_ids.to(torch.int64), attention_mask.to(torch.int64)
        types = torch.zeros_like(pieces) if token_type_ids is None else token_type_ids.long()
        logits: Tensor = self.network(pieces, mask, types).logits
        if self.target == "score":
            return (logits.reshape(-1),)
        one = self.target == "one-of"
        probabilities = logits.softmax(dim=-1) if one else logits.sigmoid()
        if not self.has_gains:
            return (probabilities,)
        return probabilities, (probabilities @ self.gains).reshape(-1)
