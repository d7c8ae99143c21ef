"""Training a network with Lightning: early stopping, best checkpoint, exact resume.

What is learnt is an `Objective`. Everything random is drawn from the seed and the number of the
epoch or step, and the state is kept after every epoch, so that a killed training that is taken up
again ends with the same weights as one that was never killed.
"""

import json
import logging
import shutil
import warnings
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from functools import partial
from pathlib import Path

import pytorch_lightning as pl
from pytorch_lightning.callbacks import EarlyStopping, ModelCheckpoint, WeightAveraging
from torch import Tensor, nn

from compress.distill.checkpoints import BEST, LAST, AtomicCheckpointIO, load_checkpoint
from compress.distill.objective import Objective
from compress.distill.precision import choose_precision
from compress.distill.training_loggers import training_loggers
from compress.distill.training_module import TrainingModule, warmup_steps
from compress.distill.training_progress import TrainingProgress, logged_name
from compress.files import write_atomically
from compress.progress import Progress
from compress.recipe import Logging, Training

HISTORY = "curve.json"


def train(
    network: nn.Module,
    *,
    objective: Objective,
    settings: Training,
    logs: Logging,
    seed: int,
    folder: Path,
    log_folder: Path,
    progress: Progress,
    title: str,
) -> list[dict[str, float]]:
    """Train `network` in place and leave it with its best weights, in inference mode.

    Args:
        network: A fresh network, of the kind that the objective knows.
        objective: What it learns from, and what decides which epoch was the best; a fresh one.
        settings: Epochs, learning rate and the like.
        logs: Where curves go besides the result.
        seed: Of the order of the batches and of dropout.
        folder: For checkpoints; a killed training goes on from what is in it. They stay until
            `discard_checkpoints`, so that a kill before the result is saved loses nothing.
        log_folder: For TensorBoard and Weights & Biases.
        progress: Told about every few steps.
        title: Names the training in messages and logs.

    Returns:
        One entry an epoch: `epoch`, `loss`, `validation_{metric}`, `seconds`.

    Raises:
        UserError: Training diverged, or the precision is not for this machine.
    """
    precision = choose_precision(settings.precision)
    if settings.precision == "auto":
        progress.say(f"{title}: training in {precision.name}, as {precision.reason}")
    batches = objective.batches(settings.batch_size, seed)
    steps = len(batches) * settings.epochs
    if (warmup := warmup_steps(settings, steps)) < settings.warmup_steps:
        progress.say(
            f"{title}: the training has {steps} steps at most, so its warm-up takes {warmup} of "
            f"them, not {settings.warmup_steps} (training.warmup_steps)."
        )
    module = TrainingModule(network, objective, settings, seed, steps)
    metric = logged_name(objective.metric)
    checkpoints = folder / "checkpoints"
    every_epoch = partial(
        ModelCheckpoint,
        dirpath=checkpoints,
        save_on_train_epoch_end=True,
        enable_version_counter=False,
    )
    keep_best = every_epoch(filename=BEST, monitor=metric, mode="max")
    keep_last = every_epoch(filename=LAST)  # `save_last` would leave out worse epochs
    stop = EarlyStopping(
        metric, mode="max", patience=settings.patience, check_on_train_epoch_end=True
    )
    report = TrainingProgress(progress, title, settings.epochs, objective.metric)
    with _quiet_lightning(), training_loggers(logs, log_folder, title) as loggers:
        trainer = pl.Trainer(
            default_root_dir=folder,
            accelerator="auto",
            devices=1,
            precision=precision.plugin,
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
        if not _has_ended(module.metrics, settings):
            try:
                trainer.fit(
                    module,
                    train_dataloaders=batches,
                    val_dataloaders=objective.validation_batches(),
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
    module.to("cpu").eval()
    return module.history


def discard_checkpoints(folder: Path) -> None:
    """Remove what a training in `folder` kept for a resume, once its result is saved."""
    shutil.rmtree(folder / "checkpoints", ignore_errors=True)


def _has_ended(values: Sequence[float], settings: Training) -> bool:
    """Whether a training with these validation metrics is over: a checkpoint does not say so."""
    if not values:
        return False
    since_best = len(values) - 1 - values.index(max(values))
    return len(values) >= settings.epochs or since_best >= settings.patience


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
