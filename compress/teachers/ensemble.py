"""Several networks as one teacher: the mean of their probabilities."""

import math
from collections.abc import Sequence

import torch
from torch import Tensor, nn

from compress.networks.sequence_model import SequenceModel, catalogue_logits
from compress.tasks.next_item import hide_seen
from compress.teachers.text_sequence import TextSequenceTeacher


class Ensemble(nn.Module):
    """The mean of the members' probabilities (Hinton et al. 2015, section 1), as logarithms.

    With `mask_seen` a member's probabilities are over the items that its history does not hold, as
    it was trained: what it would give to seen items, about which it learned nothing, takes no part
    in the weight that it has in the mean. Seen items keep their (then unbounded) number; whoever
    ranks or distils leaves them out.
    """

    def __init__(self, members: Sequence[SequenceModel], *, mask_seen: bool = False) -> None:
        """Take the members, at least one, all of one catalogue and history length.

        Args:
            members: Networks; each also an `nn.Module`.
            mask_seen: Whether the members were trained with seen items left out of the softmax.

        Raises:
            ValueError: There is no member, or they do not fit together.
            TypeError: A member is not an `nn.Module`.
        """
        super().__init__()
        if not members:
            raise ValueError("an ensemble needs at least one member")
        if len({(member.items, member.history_length) for member in members}) > 1:
            raise ValueError("the members differ in catalogue size or history length")
        modules = [member for member in members if isinstance(member, nn.Module)]
        if len(modules) != len(members):
            raise TypeError("a member is not an nn.Module")
        self.members = nn.ModuleList(modules)
        self.items = members[0].items
        self.history_length = members[0].history_length
        self.mask_seen = mask_seen

    def log_probabilities(self, history: Tensor) -> Tensor:
        """Return `[B, items]`: what comes after each history `[B, L]`."""
        rows = torch.arange(len(history), device=history.device)
        last = (rows, torch.full_like(rows, history.shape[1] - 1))
        answers = [
            self._normalised(catalogue_logits(member, member.last_state(history)), history, last)
            for member in self._models()
        ]
        return _log_of_mean(answers)

    def position_log_probabilities(
        self, history: Tensor, positions: tuple[Tensor, Tensor] | None = None
    ) -> Tensor:
        """Return what comes after each position of each history.

        Args:
            history: `[B, L]` item codes.
            positions: Row and column of the N wanted positions, as `torch.where` gives them;
                None: all of them.

        Returns:
            `[N, items]`, or `[B, L, items]` without `positions`.
        """
        if positions is None:
            every = torch.where(torch.ones_like(history, dtype=torch.bool))
            answers = self.position_log_probabilities(history, (every[0], every[1]))
            return answers.reshape(*history.shape, self.items)
        return _log_of_mean(
            [
                self._normalised(
                    catalogue_logits(member, member.states(history)[positions]), history, positions
                )
                for member in self._models()
            ]
        )

    def cache_item_tables(self) -> None:
        """Switch to inference and compute each text teacher's item table once."""
        self.eval()
        for member in self.members:
            if isinstance(member, TextSequenceTeacher):
                member.cache_item_table()

    def _models(self) -> list[SequenceModel]:
        return list(self.members)  # type: ignore[arg-type]  # checked in __init__

    def _normalised(
        self, logits: Tensor, history: Tensor, positions: tuple[Tensor, Tensor]
    ) -> Tensor:
        """`[N, items]` logits to log-probabilities over the candidates."""
        candidates = hide_seen(logits, history, positions) if self.mask_seen else logits
        return logits - torch.logsumexp(candidates, dim=-1, keepdim=True)


def _log_of_mean(logs: list[Tensor]) -> Tensor:
    if len(logs) == 1:
        return logs[0]
    return torch.logsumexp(torch.stack(logs), dim=0) - math.log(len(logs))
