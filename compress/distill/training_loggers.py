"""Training curves for TensorBoard and Weights & Biases."""

from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from pytorch_lightning.loggers import Logger, TensorBoardLogger

from compress.errors import MissingExtraError, UserError
from compress.recipe import Logging


@contextmanager
def training_loggers(logs: Logging, folder: Path, title: str) -> Iterator[list[Logger]]:
    """Open the loggers that the recipe asks for, and close them when the training is over.

    Args:
        logs: The recipe's section.
        folder: Where they write; a run of Weights & Biases is one training.
        title: Names the training.

    Raises:
        MissingExtraError: Weights & Biases is asked for and not installed.
        UserError: Weights & Biases refuses, for want of an API key say.
    """
    folder.mkdir(parents=True, exist_ok=True)
    chosen: list[Logger] = []
    if logs.tensorboard:
        chosen.append(TensorBoardLogger(folder, name="tensorboard", version=""))
    if logs.wandb is None:
        yield chosen
        return
    try:
        import wandb
    except ImportError as error:
        raise MissingExtraError(
            "logging.wandb: Weights & Biases is not installed; pip install 'limbeck[wandb]', "
            "or take logging.wandb out of the recipe."
        ) from error
    from pytorch_lightning.loggers import WandbLogger

    try:
        chosen.append(
            WandbLogger(
                name=title,
                project=logs.wandb.project,
                offline=logs.wandb.mode == "offline",
                save_dir=folder,
            )
        )
        yield chosen
    except wandb.Error as error:
        raise UserError(
            f"logging.wandb: {error} Log in with `wandb login`, set logging.wandb.mode: offline, "
            "or take logging.wandb out of the recipe."
        ) from error
    finally:
        wandb.finish()
