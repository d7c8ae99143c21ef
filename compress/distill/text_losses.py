"""The losses of text tasks, by what an example's target is.

- `one-of`: int64 `[N]`, a class; the model answers a softmax over C logits.
- `any-of`: float32 `[N, C]`, 1 for the classes that an example has; a sigmoid for each logit.
- `score`: float32 `[N]`; the only logit is the answer.
"""

from collections.abc import Sequence

import torch
import torch.nn.functional as F
from torch import Tensor

from compress.distill.losses import LabelLoss, SoftTargetLoss, SoftTargets, WeightedLoss
from compress.errors import UserError
from compress.recipe import Target


class TextLosses:
    """The weighted sum of label and soft-target losses for one kind of target."""

    def __init__(
        self,
        target: Target,
        losses: Sequence[WeightedLoss],
        class_weights: Tensor | None = None,
    ) -> None:
        """Take the terms.

        Args:
            target: What an example's target is.
            losses: `LabelLoss` and `SoftTargetLoss`, weighted.
            class_weights: `[C]`, of the label loss; None: all are 1.

        Raises:
            UserError: A softened loss is asked for where answers are no probabilities.
            ValueError: Class weights for scores, which have no classes.
        """
        if target == "score":
            if class_weights is not None:
                raise ValueError("scores have no classes to weigh")
            _check_plain([term.loss for term in losses])
        self._target = target
        self._losses = tuple(losses)
        self._class_weights = class_weights

    def __call__(
        self, logits: Tensor, targets: Tensor, labelled: Tensor, soft: SoftTargets | None
    ) -> Tensor:
        """Return the scalar sum.

        Args:
            logits: `[B, outputs]`.
            targets: Of the labelled examples, in their order.
            labelled: Numbers of the examples that have a label.
            soft: The teacher's answers to all B.
        """
        total = logits.new_zeros(())
        for term in self._losses:
            if isinstance(term.loss, LabelLoss):
                value = self._label_loss(logits[labelled], targets)
            elif isinstance(term.loss, SoftTargetLoss):
                value = soft_target_loss(self._target, term.loss, logits, soft)
            else:
                raise TypeError(f"{type(term.loss).__name__} is no loss of labels or soft labels")
            total = total + term.weight * value
        return total

    def _label_loss(self, logits: Tensor, targets: Tensor) -> Tensor:
        if len(targets) == 0:
            return logits.sum()  # 0, and still a part of the graph
        weights = self._class_weights
        if weights is not None and weights.device != logits.device:
            weights = self._class_weights = weights.to(logits.device)
        return label_loss(self._target, logits, targets, weights)


def label_loss(
    target: Target, logits: Tensor, targets: Tensor, class_weights: Tensor | None = None
) -> Tensor:
    """Return the loss against the true answers, mean over N examples.

    one-of: -w[y] log q[y], the sum divided by the sum of w[y]
    any-of: mean over classes of -w[c] (y[c] log q[c] + (1 - y[c]) log(1 - q[c])), q a sigmoid
    score:  (z - y)^2

    Args:
        target: What a target is.
        logits: `[N, outputs]`.
        targets: See the module's docstring.
        class_weights: w, `[C]`; None: all are 1.
    """
    if target == "one-of":
        return F.cross_entropy(logits, targets, weight=class_weights)
    if target == "any-of":
        return F.binary_cross_entropy_with_logits(logits, targets, weight=class_weights)
    return F.mse_loss(logits[:, 0], targets)


def soft_target_loss(
    target: Target, loss: SoftTargetLoss, logits: Tensor, soft: SoftTargets | None
) -> Tensor:
    """Return the loss against the teacher's answers, mean over N examples.

    one-of: what `SoftTargetLoss` says, over the classes
    any-of: the same over (has the class, has it not), mean over classes: T^2 x the divergence
            between the Bernoulli distributions sigmoid(z / T)
    score:  (z_student - z_teacher)^2

    Args:
        target: What a target is.
        loss: Temperature and divergence.
        logits: `[N, outputs]`, the student's.
        soft: The teacher's.

    Raises:
        ValueError: There are no soft targets, or only the top K where every class is asked for.
    """
    if target == "one-of" or soft is None:
        return loss(logits, logits, soft)
    if soft.ids is not None:
        raise ValueError(f"the top K soft labels do not serve targets of kind {target}")
    if target == "any-of":
        pairs = SoftTargets(_has_or_has_not(soft.logits))
        return loss(_has_or_has_not(logits), logits, pairs)
    return F.mse_loss(logits[:, 0], soft.logits[:, 0])


def _has_or_has_not(logits: Tensor) -> Tensor:
    """`[N, C]` to `[N x C, 2]`: softmax((z, 0) / T) is (sigmoid(z / T), 1 - sigmoid(z / T))."""
    return torch.stack([logits, torch.zeros_like(logits)], dim=-1).flatten(0, 1)


def _check_plain(losses: Sequence[object]) -> None:
    for loss in losses:
        if isinstance(loss, SoftTargetLoss) and (loss.temperature, loss.divergence) != (
            1.0,
            "forward-kl",
        ):
            raise UserError(
                "distillation.losses: temperature and divergence are of probabilities, and "
                "task.relevance: score has none (the loss is the squared difference); leave "
                "them out of soft-targets"
            )
