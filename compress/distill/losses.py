"""What the student is trained on: L = sum of weight x loss.

Every loss is called with the student's logits `[N, items]`, the labels `[N]` (class indices) and
the teacher's `SoftTargets` for the same N positions, and returns a scalar tensor.
"""

from collections.abc import Callable
from dataclasses import dataclass
from typing import Literal

import torch
import torch.nn.functional as F
from torch import Tensor

Divergence = Literal["forward-kl", "reverse-kl", "jensen-shannon"]


@dataclass(frozen=True)
class SoftTargets:
    """The teacher's answers for N positions.

    With all classes, `logits` is `[N, items]` and the other two are None. With the top K,
    `logits` and `ids` are `[N, K]` and `log_sum_exp` `[N]` is log(sum(exp(logit / T))) over *all*
    classes at the `temperature` T it was made for; what the top K leave over is one exact bucket.
    """

    logits: Tensor
    ids: Tensor | None = None
    log_sum_exp: Tensor | None = None
    temperature: float = 1.0

    def to(self, device: torch.device) -> "SoftTargets":
        """The same targets on another device."""
        ids = None if self.ids is None else self.ids.to(device)
        tail = None if self.log_sum_exp is None else self.log_sum_exp.to(device)
        return SoftTargets(self.logits.to(device), ids, tail, self.temperature)

    def log_probabilities(self, temperature: float) -> Tensor:
        """The teacher's log-probabilities `[N, items]`, or `[N, K + 1]` with the tail last.

        Raises:
            ValueError: The top K were stored for another temperature.
        """
        if self.log_sum_exp is None:
            return F.log_softmax(self.logits / temperature, dim=-1)
        if temperature != self.temperature:
            raise ValueError(
                f"the soft labels hold the tail at temperature {self.temperature}, "
                f"not at {temperature}"
            )
        top = self.logits / temperature - self.log_sum_exp[:, None]
        return torch.cat([top, _log_of_rest(top)], dim=-1)

    def align(self, student_logits: Tensor, temperature: float) -> Tensor:
        """The student's log-probabilities over the same classes or buckets as the teacher's."""
        log_q = F.log_softmax(student_logits / temperature, dim=-1)
        if self.ids is None:
            return log_q
        top = log_q.gather(-1, self.ids)
        return torch.cat([top, _log_of_rest(top)], dim=-1)


def _log_of_rest(log_p: Tensor) -> Tensor:
    """log(1 - sum(exp(log_p))), `[N, 1]`, kept finite where nothing is left."""
    rest = 1.0 - log_p.exp().sum(dim=-1, keepdim=True)
    return rest.clamp_min(torch.finfo(log_p.dtype).eps).log()


class SoftTargetLoss:
    """T^2 x divergence between the softened teacher p and student q, mean over positions.

    forward-kl:      sum p (log p - log q)      Hinton et al. 2015, sec. 2 (up to the constant H(p))
    reverse-kl:      sum q (log q - log p)      mode-seeking
    jensen-shannon:  (KL(p, m) + KL(q, m)) / 2  with m = (p + q) / 2

    T^2 keeps the size of the gradient the same at every temperature (Hinton et al. 2015).
    """

    def __init__(self, temperature: float = 1.0, divergence: Divergence = "forward-kl") -> None:
        self.temperature = temperature
        self.divergence = divergence

    def __call__(self, logits: Tensor, labels: Tensor, soft: SoftTargets | None) -> Tensor:
        """Return the loss; see the module's docstring for the shapes.

        Raises:
            ValueError: There are no soft targets.
        """
        if soft is None:
            raise ValueError("the soft-targets loss needs a teacher's soft labels")
        log_p = soft.log_probabilities(self.temperature)
        log_q = soft.align(logits, self.temperature)
        if self.divergence == "forward-kl":
            value = _kl(log_p, log_q)
        elif self.divergence == "reverse-kl":
            value = _kl(log_q, log_p)
        else:
            log_m = torch.logaddexp(log_p, log_q) - torch.log(torch.tensor(2.0))
            value = (_kl(log_p, log_m) + _kl(log_q, log_m)) / 2
        return self.temperature**2 * value


class LabelLoss:
    """Cross-entropy with the true next item: -log q[label], mean over positions."""

    def __call__(self, logits: Tensor, labels: Tensor, soft: SoftTargets | None) -> Tensor:
        """Return the loss; the soft targets are not looked at."""
        return F.cross_entropy(logits, labels)


@dataclass(frozen=True)
class WeightedLoss:
    """One term of the sum that is minimised."""

    weight: float
    loss: Callable[..., Tensor]
    """One of the above, or of `compress.distill.feature_losses`."""


def _kl(log_p: Tensor, log_q: Tensor) -> Tensor:
    """KL(p, q) = sum p (log p - log q), mean over the rows."""
    return F.kl_div(log_q, log_p, reduction="batchmean", log_target=True)
