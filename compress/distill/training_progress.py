"""What is told of a training while it runs: epoch, loss, validation metric, time left."""

import time
from typing import Any

import pytorch_lightning as pl

from compress.metrics import metric_name
from compress.progress import Progress

REPORT_EVERY_S = 0.5


class TrainingProgress(pl.Callback):
    """Tells a `Progress` of every few steps."""

    def __init__(self, progress: Progress, title: str, epochs: int, metric: str) -> None:
        self._progress, self._title, self._epochs = progress, title, epochs
        self._metric = metric
        self._told = 0.0
        self._start: tuple[float, int] | None = None

    def on_train_batch_end(
        self, trainer: pl.Trainer, module: pl.LightningModule, outputs: Any, batch: Any, index: int
    ) -> None:
        """Tell, unless something was told a moment ago."""
        now = time.monotonic()
        if self._start is None:
            self._start = (now, trainer.current_epoch)
        if now - self._told < REPORT_EVERY_S:
            return
        self._told = now
        batches = max(1, int(trainer.num_training_batches))
        done = trainer.current_epoch + (index + 1) / batches
        since, first = self._start
        left = ""
        if done - first > 0.3:
            pace = (now - since) / (done - first)
            left = f", at most {_duration(pace * (self._epochs - done))} left"
        figures = {"loss": float(outputs["loss"])}
        logged = trainer.callback_metrics.get(logged_name(self._metric))
        if logged is not None:
            figures[f"validation {metric_name(self._metric)}"] = float(logged)
        self._progress.advance(
            f"{self._title}: epoch {trainer.current_epoch + 1}/{self._epochs}{left}",
            done / self._epochs,
            **figures,
        )


def logged_name(metric: str) -> str:
    """Name of the validation metric in logs and for Lightning's callbacks."""
    return f"validation/{metric}"


def _duration(seconds: float) -> str:
    return f"{seconds:.0f} s" if seconds < 100 else f"{seconds / 60:.0f} min"
