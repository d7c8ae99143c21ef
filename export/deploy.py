"""What runs on the device for next-item: history in, best items out, in one graph."""

from typing import Protocol

import torch
from torch import Tensor, nn

from compress.networks.sequence_model import SequenceModel
from compress.tasks.item_codes import FIRST_ITEM, IMPOSSIBLE
from compress.teachers.ensemble import Ensemble


class Scorer(Protocol):
    """Scores by item code."""

    def __call__(self, history: Tensor) -> Tensor:
        """Histories `[B, L]` to scores `[B, items + 2]`, `IMPOSSIBLE` for the codes 0 and 1."""
        ...


class StudentScorer(nn.Module):
    """A student's scores, from an untied copy of its item table.

    A table that both embeds and scores stays unquantized, or is dequantized at every call; two
    copies are quantized each in its own way, and together are smaller than one in fp32.
    """

    table: Tensor
    bias: Tensor

    def __init__(self, network: SequenceModel) -> None:
        super().__init__()
        self.network = network
        table, bias = network.head()
        nothing = table.new_zeros(FIRST_ITEM, table.shape[1])
        self.register_buffer("table", torch.cat([nothing, table.detach()]).T.contiguous())
        self.register_buffer(
            "bias", torch.cat([bias.new_full((FIRST_ITEM,), IMPOSSIBLE), bias.detach()])
        )

    def forward(self, history: Tensor) -> Tensor:
        """See `Scorer`."""
        scores: Tensor = self.network.last_state(history) @ self.table + self.bias
        return scores


class EnsembleScorer(nn.Module):
    """A teacher's scores: the log of its members' mean probabilities."""

    def __init__(self, ensemble: Ensemble) -> None:
        super().__init__()
        self.ensemble = ensemble
        ensemble.cache_item_tables()

    def forward(self, history: Tensor) -> Tensor:
        """See `Scorer`."""
        scores = self.ensemble.log_probabilities(history)
        return torch.cat(
            [scores.new_full((scores.shape[0], FIRST_ITEM), IMPOSSIBLE), scores], dim=1
        )


class NextItemDeploy(nn.Module):
    """`history` int32 `[B, L]` to `item_ids` int32 `[B, K]` and `scores` float32 `[B, K]`.

    Items of the history are never returned when `mask_seen`: their scores are overwritten before
    the top-K. Where fewer than K items are left, `item_ids` is 0 and the score `IMPOSSIBLE`.
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
