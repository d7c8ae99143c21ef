"""Lightning checkpoints that survive a power cut and hold nothing but data."""

from io import BytesIO
from pathlib import Path
from typing import Any

import torch
from pytorch_lightning.plugins.io import TorchCheckpointIO

from compress.files import write_bytes_atomically


class AtomicCheckpointIO(TorchCheckpointIO):
    """Checkpoints that are there completely or not at all, whenever the process dies."""

    def save_checkpoint(
        self, checkpoint: dict[str, Any], path: Any, storage_options: Any = None
    ) -> None:
        """Write next to the target, then rename."""
        target = Path(path)
        target.parent.mkdir(parents=True, exist_ok=True)
        buffer = BytesIO()  # a full disk is then an OSError, not a message of PyTorch's writer
        torch.save(checkpoint, buffer)
        write_bytes_atomically(target, buffer.getbuffer())


def load_checkpoint(path: Path) -> dict[str, Any] | None:
    """Read a checkpoint, or None where there is none that can be read; no code in it is run."""
    if not path.is_file():
        return None
    try:
        checkpoint: dict[str, Any] = torch.load(path, map_location="cpu", weights_only=True)
    except (EOFError, RuntimeError):
        return None  # cut short, by a power cut say: as good as none
    return checkpoint
