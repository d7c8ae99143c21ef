"""What runs on the device for next-item: history in, best items out, in one graph."""

from collections.abc import Sequence
from typing import Protocol

import torch
from torch import Tensor, nn

from compress.networks.sequence_model import SequenceModel
from compress.tasks.item_codes import FIRST_ITEM, IMPOSSIBLE
from compress.teachers.ensemble import Ensemble


class Scorer(Protocol):
    """Scores by item code."""

    def __call__(self, history: Tensor) -> Tensor:
        """Histories `[B, L]` to scores `[B, items + 2]`, by item code.

        They are `IMPOSSIBLE` for the codes 0 and 1 and for blocked items.
        """
        ...


class StudentScorer(nn.Module):
    """A student's scores, from an untied copy of its item table.

    A table that both embeds and scores stays unquantized, or is dequantized at every call; two
    copies are quantized each in its own way, and together are smaller than one in fp32.

    Blocked items have a column of zeros and the bias `IMPOSSIBLE`, as padding and unknown have:
    numbers that are in the graph anyway, so that blocking costs neither an operator nor time.
    No scheme quantizes the bias.
    """

    table: Tensor
    bias: Tensor

    def __init__(self, network: SequenceModel, blocked: Sequence[int] = ()) -> None:
        """Take the scores of a student.

        Args:
            network: The student.
            blocked: Codes of items that are never recommended.
        """
        super().__init__()
        self.network = network
        self.blocked = tuple(blocked)
        table, bias = network.head()
        nothing = table.new_zeros(FIRST_ITEM, table.shape[1])
        self.register_buffer("table", torch.cat([nothing, table.detach()]).T.contiguous())
        self.register_buffer(
            "bias", torch.cat([bias.new_full((FIRST_ITEM,), IMPOSSIBLE), bias.detach()])
        )
        self.table[:, list(self.blocked)] = 0.0
        self.bias[list(self.blocked)] = IMPOSSIBLE

    def forward(self, history: Tensor) -> Tensor:
        """See `Scorer`."""
        scores: Tensor = self.network.last_state(history) @ self.table + self.bias
        return scores


class EnsembleScorer(nn.Module):
    """A teacher's scores: the log of its members' mean probabilities."""

    def __init__(self, ensemble: Ensemble, blocked: Sequence[int] = ()) -> None:
        """Take the scores of a teacher.

        Args:
            ensemble: The teacher.
            blocked: Codes of items that are never recommended.
        """
        super().__init__()
        self.ensemble = ensemble
        self.blocked = tuple(blocked)
        ensemble.cache_item_tables()

    def forward(self, history: Tensor) -> Tensor:
        """See `Scorer`."""
        scores = self.ensemble.log_probabilities(history)
        scores = torch.cat(
            [scores.new_full((scores.shape[0], FIRST_ITEM), IMPOSSIBLE), scores], dim=1
        )
        scores[:, list(self.blocked)] = IMPOSSIBLE
        return scores


class NextItemDeploy(nn.Module):
    """`history` int32 `[B, L]` to `item_ids` int32 `[B, K]` and `scores` float32 `[B, K]`.

    Items of the history are never returned when `mask_seen`: their scores are overwritten before
    the top-K. Blocked items never are: their scorer gives them `IMPOSSIBLE`. Where fewer than K
    items are left, `item_ids` is 0 and the score `IMPOSSIBLE`.
    """

    def __init__(self, scorer: nn.Module, *, items: int, top_k: int, mask_seen: bool) -> None:
        super().__init__()
        self.scorer = scorer
        self.top_k = min(top_k, items)
        self.mask_seen = mask_seen

    def forward(self, history: Tensor) -> tuple[Tensor, Tensor]:
        """Return the best items and their scores, best first."""
        codes = history.to(torch.int64)
        scores = self.scorer(codes)
        if self.mask_seen:
            hidden = torch.full_like(codes, IMPOSSIBLE, dtype=scores.dtype)
            scores = scores.scatter(1, codes, hidden)
        best = torch.topk(scores, self.top_k, dim=1)
        allowed = (best.values > IMPOSSIBLE / 2).to(torch.int32)
        return best.indices.to(torch.int32) * allowed, best.values
