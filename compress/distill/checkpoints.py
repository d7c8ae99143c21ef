"""Lightning checkpoints that survive a power cut and hold nothing but data."""

from pathlib import Path
from typing import Any

import torch
from pytorch_lightning.plugins.io import TorchCheckpointIO

from compress.files import open_atomically

LAST = "last"
BEST = "best"


class AtomicCheckpointIO(TorchCheckpointIO):
    """Checkpoints that are there completely or not at all, whenever the process dies.

    The best one is for its weights alone: what a resume needs beside them is twice as large, and is
    in the last one.
    """

    def save_checkpoint(
        self, checkpoint: dict[str, Any], path: Any, storage_options: Any = None
    ) -> None:
        """Write next to the target, then rename."""
        target = Path(path)
        target.parent.mkdir(parents=True, exist_ok=True)
        if target.stem == BEST:
            checkpoint = {"state_dict": checkpoint["state_dict"]}
        with open_atomically(target) as handle:
            try:
                torch.save(checkpoint, handle)
            except RuntimeError as error:  # what PyTorch's writer makes of a full disk
                if isinstance(error.__context__, OSError):
                    raise error.__context__ from error
                raise


def load_checkpoint(path: Path) -> dict[str, Any] | None:
    """Read a checkpoint, or None where there is none that can be read; no code in it is run."""
    if not path.is_file():
        return None
    try:
        checkpoint: dict[str, Any] = torch.load(path, map_location="cpu", weights_only=True)
    except (EOFError, RuntimeError):
        return None  # cut short, by a power cut say: as good as none
    return checkpoint
