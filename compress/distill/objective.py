"""What a training is for: its batches, its loss, and what decides which epoch was the best."""

from collections.abc import Sequence
from typing import Any, Protocol

from numpy.typing import NDArray
from torch import Tensor, nn
from torch.utils.data import DataLoader


class Objective(Protocol):
    """All that differs between the tasks; `compress.distill.training.train` does the rest."""

    metric: str
    """Of the validation split, larger is better; names it in curves: `validation_{metric}`."""
    modules: nn.ModuleDict
    """Trained beside the network and left behind, such as projections; may be empty."""

    def batches(self, batch_size: int, seed: int) -> DataLoader[Any]:
        """Return the batches of every epoch, in an order drawn from the seed and the epoch.

        Their number must be the same in every epoch.
        """
        ...

    def loss(self, network: nn.Module, batch: Any) -> tuple[Tensor, int]:
        """Return the scalar to minimise, and what it counts in the mean of the epoch."""
        ...

    def validation_batches(self) -> DataLoader[Any]:
        """Return the batches of the validation split, in the same order every time."""
        ...

    def answers(self, network: nn.Module, batch: Any) -> NDArray[Any]:
        """Return what `score` needs of a validation batch; not finite where training diverged."""
        ...

    def score(self, answers: Sequence[NDArray[Any]]) -> float:
        """Return the metric of the whole split from the answers to its batches, in their order."""
        ...

    def epoch_begins(self, network: nn.Module, epoch: int) -> None:
        """Prepare for an epoch, counted from 0; after a resume its state must be the same."""
        ...
