"""Training for text tasks: labels, a teacher's soft labels, and its features."""

from collections.abc import Callable, Sequence
from typing import Any

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor, nn
from torch.utils.data import DataLoader

from compress.data.pieces import Pieces
from compress.distill.feature_losses import FEATURE_LOSSES, FeatureLosses
from compress.distill.losses import SoftTargetLoss, WeightedLoss
from compress.distill.soft_labels import SoftLabels
from compress.distill.text_batches import (
    TextBatch,
    batches_by_length,
    text_batches,
    training_batches,
)
from compress.distill.text_losses import TextLosses
from compress.recipe import Target
from compress.teachers.hugging_face import freeze, unfreeze_next

_VALIDATION_BATCH = 64


class TextObjective:
    """Weighted losses on every text; a metric of the validation split decides.

    The network that is trained is a `TextModel`. An objective serves one training.
    """

    def __init__(
        self,
        *,
        metric: str,
        target: Target,
        pieces: Pieces,
        rows: int,
        targets: NDArray[Any],
        losses: Sequence[WeightedLoss],
        validation: Pieces,
        score: Callable[[NDArray[np.float32]], float],
        soft_labels: SoftLabels | None = None,
        class_weights: NDArray[np.float32] | None = None,
        teacher: nn.Module | None = None,
        teacher_ids: NDArray[Any] | None = None,
        frozen_embeddings: bool = False,
        frozen_layers: int = 0,
        unfreeze_every: int | None = None,
    ) -> None:
        """Take what is learnt from.

        Args:
            metric: Name of what `score` returns, such as `macro_f1`.
            target: What an example's target is.
            pieces: The training texts: labelled ones first, then those of which only the teacher
                says something (unlabelled texts, masked copies).
            rows: How many of them to learn from, from the first on.
            targets: Of the labelled texts; see `compress.distill.text_losses`.
            losses: The weighted sum to minimise.
            validation: The texts of the validation split.
            score: Logits `[N, outputs]` of all validation texts in their order to the metric,
                larger being better.
            soft_labels: The teacher's answer to every row of `pieces`, if a loss needs them.
            class_weights: `[C]`, of the label loss; None: all are 1.
            teacher: A `TextModel`, asked at every step, if a loss compares features.
            teacher_ids: `[pieces of the student]`, the teacher's id of each of them; None: theirs
                are the same.
            frozen_embeddings: Do not train the embeddings (of a `HuggingFaceModel`).
            frozen_layers: Do not train so many of the lowest layers (of a `HuggingFaceModel`).
            unfreeze_every: Epochs after which the highest frozen part is trained too, one more
                each time; None: frozen to the end.

        Raises:
            UserError: See `TextLosses`.
            ValueError: The numbers of rows disagree, or soft labels or the teacher are missing.
        """
        features = [term for term in losses if isinstance(term.loss, FEATURE_LOSSES)]
        answers = [term for term in losses if not isinstance(term.loss, FEATURE_LOSSES)]
        asks_soft_labels = any(isinstance(term.loss, SoftTargetLoss) for term in answers)
        _check_rows(len(pieces), rows, len(targets), soft_labels, asks_soft_labels)
        if features and teacher is None:
            raise ValueError("losses of features need the teacher")
        weights = None if class_weights is None else torch.from_numpy(class_weights)
        self.metric = metric
        self._losses = TextLosses(target, answers, weights)
        self._features = None
        if features and teacher is not None:
            self._features = FeatureLosses(features, teacher, teacher_ids)
        self.modules = nn.ModuleDict() if self._features is None else self._features.modules
        self._pieces, self._rows, self._targets = pieces, rows, targets
        self._soft_labels = soft_labels if asks_soft_labels else None
        self._validation, self._score = validation, score
        self._validation_rows = batches_by_length(validation, _VALIDATION_BATCH)
        self._frozen = (frozen_embeddings, frozen_layers)
        self._unfreeze_every = unfreeze_every

    def batches(self, batch_size: int, seed: int) -> DataLoader[Any]:
        """Return texts of similar length together, in a fresh order every epoch."""
        return training_batches(
            self._pieces,
            rows=self._rows,
            targets=self._targets,
            soft_labels=self._soft_labels,
            batch_size=batch_size,
            seed=seed,
        )

    def loss(self, network: nn.Module, batch: TextBatch) -> tuple[Tensor, int]:
        """Return the loss of a batch, and its number of texts."""
        inputs = (batch.input_ids, batch.attention_mask, batch.token_type_ids)
        answer = network(*inputs, features=self._features is not None)
        total = self._losses(answer.logits.float(), batch.targets, batch.labelled, batch.soft)
        if self._features is not None:
            total = total + self._features(answer, *inputs)
        return total, len(batch)

    def validation_batches(self) -> DataLoader[Any]:
        """Return the validation texts, short ones first."""
        return text_batches(self._validation, self._validation_rows)

    def answers(self, network: nn.Module, batch: TextBatch) -> NDArray[np.float32]:
        """Return the logits `[B, outputs]`."""
        answer = network(batch.input_ids, batch.attention_mask, batch.token_type_ids)
        logits: NDArray[np.float32] = answer.logits.float().cpu().numpy()
        return logits

    def score(self, answers: Sequence[NDArray[np.float32]]) -> float:
        """Put the logits into the order of the texts and return the metric."""
        logits = np.concatenate(answers)
        in_order = np.empty_like(logits)
        in_order[np.concatenate(self._validation_rows)] = logits
        return self._score(in_order)

    def epoch_begins(self, network: Any, epoch: int) -> None:
        """Freeze what is frozen in this epoch, and nothing else."""
        if self._frozen == (False, 0):
            return
        freeze(network, *self._frozen)
        if self._unfreeze_every is not None:
            for _ in range(epoch // self._unfreeze_every):
                unfreeze_next(network)


def _check_rows(
    pieces: int, rows: int, targets: int, soft_labels: SoftLabels | None, asks: bool
) -> None:
    if asks and soft_labels is None:
        raise ValueError("the soft-targets loss needs a teacher's soft labels")
    if soft_labels is not None and len(soft_labels) != pieces:
        raise ValueError(f"{pieces} texts, but {len(soft_labels)} rows of soft labels")
    if not 0 < targets <= pieces or not 0 < rows <= pieces:
        raise ValueError(f"{targets} targets and {rows} rows to learn from, of {pieces} texts")
    if rows > targets and not asks:
        raise ValueError(f"{rows - targets} texts have no label, and no loss reads soft labels")
