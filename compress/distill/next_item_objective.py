"""Training for next-item: the item after every position of a window."""

from collections.abc import Sequence
from typing import Any

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor, nn
from torch.utils.data import DataLoader

from compress.data.dataset import Windows
from compress.distill.batches import window_batches
from compress.distill.losses import LabelLoss, WeightedLoss
from compress.distill.soft_labels import SoftLabels
from compress.distill.validation import ValidationSet
from compress.networks.sequence_model import catalogue_logits
from compress.tasks.item_codes import FIRST_ITEM
from compress.tasks.next_item import hide_seen


class NextItemObjective:
    """Weighted losses at every position; NDCG@10 of the last item decides.

    The network that is trained is a `SequenceModel`.
    """

    metric = "ndcg@10"

    def __init__(
        self,
        windows: Windows,
        validation: ValidationSet,
        losses: Sequence[WeightedLoss],
        soft_labels: SoftLabels | None = None,
        *,
        mask_seen: bool,
    ) -> None:
        """Take what is learnt from.

        Args:
            windows: The training windows.
            validation: What decides when to stop and which epoch was the best.
            losses: The weighted sum to minimise.
            soft_labels: The teacher's answers at every position of the windows, if a loss needs
                them.
            mask_seen: Leave the items that a position has seen out of its softmax.
        """
        self.modules = nn.ModuleDict()
        self._windows, self._validation = windows, validation
        self._losses, self._soft_labels = losses, soft_labels
        self._mask_seen = mask_seen

    def batches(self, batch_size: int, seed: int) -> DataLoader[Any]:
        """Return the windows in a fresh order every epoch."""
        return window_batches(self._windows, batch_size, seed)

    def loss(self, network: Any, batch: tuple[Tensor, Tensor, Tensor]) -> tuple[Tensor, int]:
        """Return the loss of a batch of windows, and its number of positions."""
        inputs, targets, rows = batch
        wanted = torch.where(targets != 0)
        logits = catalogue_logits(network, network.states(inputs)[wanted])
        labels = targets[wanted].long() - FIRST_ITEM
        label_logits = logits
        if self._mask_seen:
            own = logits.gather(1, labels[:, None])
            logits = hide_seen(logits, inputs, (wanted[0], wanted[1]))
            label_logits = logits.scatter(1, labels[:, None], own)  # a repeat stays possible
        soft = None
        if self._soft_labels is not None:
            soft = self._soft_labels.read(rows.cpu().numpy()).to(logits.device)
        terms = [
            term.weight
            * term.loss(label_logits if isinstance(term.loss, LabelLoss) else logits, labels, soft)
            for term in self._losses
        ]
        return torch.stack(terms).sum(), len(labels)

    def validation_batches(self) -> DataLoader[Any]:
        """Return the validation cases in their order."""
        return DataLoader(self._validation, batch_size=None, shuffle=False)

    def answers(self, network: Any, batch: tuple[Tensor, Tensor]) -> NDArray[np.float64]:
        """Return the NDCG@10 of each case; NaN if a score is not a finite number."""
        histories, cases = batch
        logits = catalogue_logits(network, network.last_state(histories)).float()
        if not torch.isfinite(logits).all():
            return np.full(len(cases), np.nan)
        return self._validation.ndcg(logits.cpu().numpy(), cases.cpu().numpy())

    def score(self, answers: Sequence[NDArray[np.float64]]) -> float:
        """Return the mean over all cases, summed in float32, batch by batch."""
        total, cases = np.float32(0), 0
        for one in answers:
            total += np.float32(one.mean()) * np.float32(len(one))
            cases += len(one)
        return float(total / np.float32(cases))

    def epoch_begins(self, network: nn.Module, epoch: int) -> None:
        """Nothing changes from epoch to epoch."""
