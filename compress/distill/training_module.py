"""What Lightning drives: one optimisation step, one validation step, one line of the curve."""

import math
import time
from dataclasses import dataclass
from typing import Any

import numpy as np
import pytorch_lightning as pl
import torch
from numpy.typing import NDArray
from torch import Tensor, nn

from compress.distill.objective import Objective
from compress.distill.training_progress import logged_name
from compress.errors import UserError
from compress.recipe import Training


class TrainingModule(pl.LightningModule):
    """A network, what is trained beside it, and the curve so far."""

    def __init__(
        self, network: nn.Module, objective: Objective, settings: Training, seed: int, steps: int
    ) -> None:
        """Take what `train` was given; `steps` is how many there are if no epoch is spared."""
        super().__init__()
        self.network = network
        self.beside = objective.modules
        self.history: list[dict[str, float]] = []
        self._given = _Given(objective, settings, seed, steps)
        self._losses: list[tuple[float, int]] = []
        self._answers: list[NDArray[Any]] = []
        self._epoch_start = 0.0

    @property
    def metrics(self) -> list[float]:
        """The validation metric of every epoch so far."""
        return [epoch[f"validation_{self._objective.metric}"] for epoch in self.history]

    @property
    def _objective(self) -> Objective:
        return self._given.objective

    def configure_optimizers(self) -> Any:
        """AdamW; the learning rate rises and falls by the step."""
        settings = self._given.settings
        optimizer = torch.optim.AdamW(
            self.parameters(), lr=settings.learning_rate, weight_decay=settings.weight_decay
        )
        schedule = torch.optim.lr_scheduler.LambdaLR(
            optimizer, lambda step: learning_rate_factor(settings, step, self._given.steps)
        )
        return {
            "optimizer": optimizer,
            "lr_scheduler": {"scheduler": schedule, "interval": "step"},
        }

    def on_train_epoch_start(self) -> None:
        """Start the clock, and let the objective unfreeze what it will."""
        self._losses.clear()
        self._epoch_start = time.monotonic()
        self._objective.epoch_begins(self.network, self.current_epoch)

    def training_step(self, batch: Any, index: int) -> Tensor:
        """Return the loss of a batch."""
        # Before every step: what Lightning draws between steps differs after a resume.
        _seed(_step_seed(self._given.seed, self.global_step), self.device)
        total, weight = self._objective.loss(self.network, batch)
        value = float(total.detach())
        if not math.isfinite(value):
            raise self._diverged(f"the loss is {value}")
        self._losses.append((value, weight))
        return total

    def on_validation_epoch_start(self) -> None:
        """Forget the answers of the epoch before."""
        self._answers.clear()

    def validation_step(self, batch: Any, index: int) -> None:
        """Keep the answers to a batch."""
        answers = self._objective.answers(self.network, batch)
        if not np.isfinite(answers).all():
            raise self._diverged("a score is not a finite number")
        self._answers.append(answers)

    def on_validation_epoch_end(self) -> None:
        """Log the metric of the whole split."""
        self.log(logged_name(self._objective.metric), self._objective.score(self._answers))

    def on_train_epoch_end(self) -> None:
        """Add a line to the curve."""
        values, weights = np.array(self._losses).T
        loss = float(np.average(values, weights=weights))
        self.log("training/loss", loss)
        metric = self._objective.metric
        self.history.append(
            {
                "epoch": self.current_epoch + 1,
                "loss": loss,
                f"validation_{metric}": float(self.trainer.callback_metrics[logged_name(metric)]),
                "seconds": round(time.monotonic() - self._epoch_start, 2),
            }
        )

    def on_save_checkpoint(self, checkpoint: dict[str, Any]) -> None:
        """Keep the curve too."""
        checkpoint["history"] = list(self.history)

    def on_load_checkpoint(self, checkpoint: dict[str, Any]) -> None:
        """Go on with the curve."""
        self.history = list(checkpoint["history"])

    def _diverged(self, what: str) -> UserError:
        return UserError(
            f"Training diverged in epoch {self.current_epoch + 1}: {what}. Lower "
            "training.learning_rate (or raise training.warmup_steps) and run again."
        )


def warmup_steps(settings: Training, steps: int) -> int:
    """How many steps the warm-up really takes: at most half of a short training."""
    return min(settings.warmup_steps, steps // 2)


def learning_rate_factor(settings: Training, step: int, steps: int) -> float:
    """What the learning rate is multiplied by at a step.

    It rises linearly over the warm-up, (step + 1) / warmup, and then stays at 1, or falls linearly
    to 0 at the end of the last epoch: (steps - step) / (steps - warmup).

    Args:
        settings: The training's section of the recipe.
        step: Counted from 0.
        steps: Of the whole training, if no epoch is spared.
    """
    warmup = max(1, warmup_steps(settings, steps))
    factor = min(1.0, (step + 1) / warmup)
    if settings.schedule == "linear" and step >= warmup:
        factor = max(0.0, (steps - step) / max(1, steps - warmup))
    return factor


@dataclass(frozen=True)
class _Given:
    """What a training works with besides the network; copies of the network share it."""

    objective: Objective
    settings: Training
    seed: int
    steps: int

    def __deepcopy__(self, memo: object) -> "_Given":
        return self


def _seed(seed: int, device: torch.device) -> None:
    """Seed what draws dropout; `torch.manual_seed` seeds all there is and takes a millisecond."""
    torch.default_generator.manual_seed(seed)
    if device.type != "cpu":
        torch.get_device_module(device).manual_seed(seed)


def _step_seed(seed: int, step: int) -> int:
    return int(np.random.SeedSequence([seed, step]).generate_state(1)[0])
