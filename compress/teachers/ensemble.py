"""Several networks as one teacher: the mean of their probabilities."""

import math
from collections.abc import Sequence

import torch
from torch import Tensor, nn

from compress.networks.sequence_model import SequenceModel, catalogue_logits
from compress.teachers.text_sequence import TextSequenceTeacher


class Ensemble(nn.Module):
    """The mean of the members' probabilities (Hinton et al. 2015, section 1), as logarithms."""

    def __init__(self, members: Sequence[SequenceModel]) -> None:
        """Take the members, at least one, all of one catalogue and history length.

        Args:
            members: Networks; each also an `nn.Module`.
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

    def log_probabilities(self, history: Tensor) -> Tensor:
        """Return `[B, items]`: what comes after each history `[B, L]`."""
        return self._mean(
            [catalogue_logits(member, member.last_state(history)) for member in self._models()]
        )

    def position_log_probabilities(
        self, history: Tensor, positions: tuple[Tensor, Tensor] | None = None
    ) -> Tensor:
        """Return what comes after each position of each history.

        Args:
            history: `[B, L]` item codes.
            positions: Row and column of the N wanted positions, as `torch.where` or `nonzero`
                gives them; None: all of them.

        Returns:
            `[N, items]`, or `[B, L, items]` without `positions`.
        """
        logits = []
        for member in self._models():
            states = member.states(history)
            logits.append(
                catalogue_logits(member, states if positions is None else states[positions])
            )
        return self._mean(logits)

    def cache_item_tables(self) -> None:
        """Switch to inference and compute each text teacher's item table once."""
        self.eval()
        for member in self.members:
            if isinstance(member, TextSequenceTeacher):
                member.cache_item_table()

    def _models(self) -> list[SequenceModel]:
        return list(self.members)  # type: ignore[arg-type]  # checked in __init__

    def _mean(self, logits: list[Tensor]) -> Tensor:
        if len(logits) == 1:
            return torch.log_softmax(logits[0], dim=-1)
        logs = torch.stack([torch.log_softmax(each, dim=-1) for each in logits])
        return torch.logsumexp(logs, dim=0) - math.log(len(logits))
