"""Training a next-item network with Lightning: early stopping, best checkpoint, exact resume.

Everything random is drawn from the seed and the number of the epoch or step, and the state is kept
after every epoch, so that a killed training that is taken up again ends with the same weights as
one that was never killed.
"""

import json
import logging
import shutil
import time
import warnings
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from functools import partial
from pathlib import Path
from typing import Any

import numpy as np
import pytorch_lightning as pl
import torch
from pytorch_lightning.callbacks import EarlyStopping, ModelCheckpoint, WeightAveraging
from torch import Tensor, nn
from torch.utils.data import DataLoader

from compress.data.dataset import Windows
from compress.distill.batches import window_batches
from compress.distill.checkpoints import AtomicCheckpointIO, load_checkpoint
from compress.distill.losses import LabelLoss, Loss
from compress.distill.soft_labels import SoftLabels
from compress.distill.training_loggers import training_loggers
from compress.distill.training_progress import METRIC, TrainingProgress
from compress.distill.validation import ValidationSet
from compress.errors import UserError
from compress.files import write_atomically
from compress.networks.sequence_model import SequenceModel, catalogue_logits
from compress.progress import Progress
from compress.recipe import Logging, Training
from compress.tasks.item_codes import FIRST_ITEM
from compress.tasks.next_item import hide_seen

LAST = "last"
BEST = "best"
HISTORY = "curve.json"


@dataclass(frozen=True)
class WeightedLoss:
    """One term of the sum that is minimised."""

    weight: float
    loss: Loss


def train(
    network: nn.Module,
    *,
    windows: Windows,
    validation: ValidationSet,
    losses: Sequence[WeightedLoss],
    soft_labels: SoftLabels | None,
    settings: Training,
    mask_seen: bool,
    logs: Logging,
    seed: int,
    folder: Path,
    log_folder: Path,
    progress: Progress,
    title: str,
) -> list[dict[str, float]]:
    """Train `network` in place and leave it with its best weights, in inference mode.

    Args:
        network: A fresh `SequenceModel`.
        windows: What it learns from.
        validation: What decides when to stop and which epoch was the best.
        losses: The weighted sum to minimise.
        soft_labels: The teacher's answers at every position of the windows, if a loss needs them.
        settings: Epochs, learning rate and the like.
        mask_seen: Leave the items that a position has seen out of its softmax.
        logs: Where curves go besides the result.
        seed: Of the order of the windows and of dropout.
        folder: For checkpoints; a killed training goes on from what is in it. They stay until
            `discard_checkpoints`, so that a kill before the result is saved loses nothing.
        log_folder: For TensorBoard and Weights & Biases.
        progress: Told about every few steps.
        title: Names the training in messages and logs.

    Returns:
        One entry an epoch: `epoch`, `loss`, `validation_ndcg@10`, `seconds`.
    """
    material = _Material(losses, soft_labels, validation, settings, mask_seen, seed)
    module = _SequenceTraining(network, material)
    checkpoints = folder / "checkpoints"
    every_epoch = partial(
        ModelCheckpoint,
        dirpath=checkpoints,
        save_on_train_epoch_end=True,
        enable_version_counter=False,
    )
    keep_best = every_epoch(filename=BEST, monitor=METRIC, mode="max")
    keep_last = every_epoch(filename=LAST)  # `save_last` would leave out worse epochs
    stop = EarlyStopping(
        METRIC, mode="max", patience=settings.patience, check_on_train_epoch_end=True
    )
    report = TrainingProgress(progress, title, settings.epochs)
    with _quiet_lightning(), training_loggers(logs, log_folder, title) as loggers:
        trainer = pl.Trainer(
            default_root_dir=folder,
            accelerator="auto",
            devices=1,
            max_epochs=settings.epochs,
            gradient_clip_val=settings.gradient_clip,
            callbacks=[*_averaging(settings), keep_best, keep_last, stop, report],
            plugins=[AtomicCheckpointIO()],
            logger=loggers,
            enable_progress_bar=False,
            enable_model_summary=False,
            num_sanity_val_steps=0,
            log_every_n_steps=10,
            use_distributed_sampler=False,
        )
        last = load_checkpoint(checkpoints / f"{LAST}.ckpt")
        if last is not None and load_checkpoint(checkpoints / f"{BEST}.ckpt") is None:
            last = None  # the kill was in the middle of discarding them
        if last is not None:
            module.history = last["history"]
        if not _has_ended(module.history, settings):
            try:
                trainer.fit(
                    module,
                    train_dataloaders=window_batches(windows, settings.batch_size, seed),
                    val_dataloaders=DataLoader(validation, batch_size=None, shuffle=False),
                    ckpt_path=None if last is None else checkpoints / f"{LAST}.ckpt",
                    weights_only=True,
                )
            except SystemExit as error:  # what Lightning makes of Ctrl-C
                raise KeyboardInterrupt from error
    best = load_checkpoint(checkpoints / f"{BEST}.ckpt")
    if best is None:
        raise RuntimeError(f"Lightning kept no best checkpoint in {checkpoints}")
    module.load_state_dict(best["state_dict"])
    write_atomically(folder / HISTORY, json.dumps(module.history, indent=1))
    network.to("cpu").eval()
    return module.history


def discard_checkpoints(folder: Path) -> None:
    """Remove what a training in `folder` kept for a resume, once its result is saved."""
    shutil.rmtree(folder / "checkpoints", ignore_errors=True)


def _has_ended(history: Sequence[dict[str, float]], settings: Training) -> bool:
    """Whether a training with this history is over, which a checkpoint alone does not say."""
    values = [epoch["validation_ndcg@10"] for epoch in history]
    if not values:
        return False
    since_best = len(values) - 1 - values.index(max(values))
    return len(values) >= settings.epochs or since_best >= settings.patience


@dataclass(frozen=True)
class _Material:
    """What a training works with besides the network; copies of the network share it."""

    losses: Sequence[WeightedLoss]
    soft_labels: SoftLabels | None
    validation: ValidationSet
    settings: Training
    mask_seen: bool
    seed: int

    def __deepcopy__(self, memo: object) -> "_Material":
        return self


class _SequenceTraining(pl.LightningModule):
    """What Lightning drives: one optimisation step, one validation step."""

    network: SequenceModel

    def __init__(self, network: nn.Module, material: _Material) -> None:
        super().__init__()
        self.network = network  # type: ignore[assignment]  # an nn.Module that is a SequenceModel
        self.history: list[dict[str, float]] = []
        self._material = material
        self._losses: list[tuple[float, int]] = []
        self._epoch_start = 0.0

    def configure_optimizers(self) -> Any:
        settings = self._material.settings
        optimizer = torch.optim.AdamW(
            self.parameters(), lr=settings.learning_rate, weight_decay=settings.weight_decay
        )
        warmup = max(1, settings.warmup_steps)
        schedule = torch.optim.lr_scheduler.LambdaLR(
            optimizer, lambda step: min(1.0, (step + 1) / warmup)
        )
        return {
            "optimizer": optimizer,
            "lr_scheduler": {"scheduler": schedule, "interval": "step"},
        }

    def on_train_epoch_start(self) -> None:
        self._losses.clear()
        self._epoch_start = time.monotonic()

    def training_step(self, batch: tuple[Tensor, Tensor, Tensor], index: int) -> Tensor:
        inputs, targets, rows = batch
        # Before every step: what Lightning draws between steps differs after a resume.
        torch.manual_seed(_step_seed(self._material.seed, self.global_step))
        wanted = torch.where(targets != 0)
        material = self._material
        logits = catalogue_logits(self.network, self.network.states(inputs)[wanted])
        labels = targets[wanted].long() - FIRST_ITEM
        label_logits = logits
        if material.mask_seen:
            own = logits.gather(1, labels[:, None])
            logits = hide_seen(logits, inputs, (wanted[0], wanted[1]))
            label_logits = logits.scatter(1, labels[:, None], own)  # a repeat stays possible
        soft = None
        if material.soft_labels is not None:
            soft = material.soft_labels.read(rows.cpu().numpy()).to(logits.device)
        terms = [
            term.weight
            * term.loss(label_logits if isinstance(term.loss, LabelLoss) else logits, labels, soft)
            for term in material.losses
        ]
        total = torch.stack(terms).sum()
        if not torch.isfinite(total):
            raise self._diverged(f"the loss is {float(total.detach())}")
        self._losses.append((float(total.detach()), len(labels)))
        return total

    def validation_step(self, batch: tuple[Tensor, Tensor], index: int) -> None:
        histories, cases = batch
        logits = catalogue_logits(self.network, self.network.last_state(histories))
        if not torch.isfinite(logits).all():
            raise self._diverged("a score is not a finite number")
        values = self._material.validation.ndcg(logits.cpu().numpy(), cases.cpu().numpy())
        self.log(METRIC, float(values.mean()), on_epoch=True, batch_size=len(values))

    def _diverged(self, what: str) -> UserError:
        return UserError(
            f"Training diverged in epoch {self.current_epoch + 1}: {what}. Lower "
            "training.learning_rate (or raise training.warmup_steps) and run again."
        )

    def on_train_epoch_end(self) -> None:
        values, positions = np.array(self._losses).T
        loss = float(np.average(values, weights=positions))
        self.log("training/loss", loss)
        self.history.append(
            {
                "epoch": self.current_epoch + 1,
                "loss": loss,
                "validation_ndcg@10": float(self.trainer.callback_metrics[METRIC]),
                "seconds": round(time.monotonic() - self._epoch_start, 2),
            }
        )

    def on_save_checkpoint(self, checkpoint: dict[str, Any]) -> None:
        checkpoint["history"] = list(self.history)

    def on_load_checkpoint(self, checkpoint: dict[str, Any]) -> None:
        self.history = list(checkpoint["history"])


def _step_seed(seed: int, step: int) -> int:
    return int(np.random.SeedSequence([seed, step]).generate_state(1)[0])


def _averaging(settings: Training) -> list[pl.Callback]:
    """Validate, keep and return the exponential moving average of the weights, if asked to."""
    if settings.weight_averaging is None:
        return []
    average = partial(_moving_average, settings.weight_averaging)
    # Buffers are constants; averaged, the integer ones would drift by rounding.
    return [WeightAveraging(use_buffers=False, avg_fn=average)]


def _moving_average(decay: float, average: Tensor, current: Tensor, steps: Tensor | int) -> Tensor:
    """Exponential moving average whose decay starts low, so that it forgets the fresh weights."""
    own = min(decay, (1 + int(steps)) / (10 + int(steps)))
    return own * average + (1 - own) * current


@contextmanager
def _quiet_lightning() -> Iterator[None]:
    """Keep Lightning's advice for programmers off the terminal."""
    names = ("pytorch_lightning", "lightning.pytorch", "pytorch_lightning.utilities.rank_zero")
    levels = {name: logging.getLogger(name).level for name in names}
    for name in names:
        logging.getLogger(name).setLevel(logging.ERROR)
    with warnings.catch_warnings():
        warnings.filterwarnings("ignore", module=r"pytorch_lightning.*")
        warnings.filterwarnings("ignore", category=FutureWarning)
        try:
            yield
        finally:
            for name, level in levels.items():
                logging.getLogger(name).setLevel(level)
