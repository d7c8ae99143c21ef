"""Lightning checkpoints that survive a power cut and hold nothing but data."""

from io import BytesIO
from pathlib import Path
from typing import Any

import torch
from pytorch_lightning.plugins.io import TorchCheckpointIO


class AtomicCheckpointIO(TorchCheckpointIO):
    """Checkpoints that are there completely or not at all, whenever the process dies."""

    def save_checkpoint(
        self, checkpoint: dict[str, Any], path: Any, storage_options: Any = None
    ) -> None:
        """Write next to the target, then rename."""
        target = Path(path)
        target.parent.mkdir(parents=True, exist_ok=True)
        temporary = target.with_name(f".{target.name}.tmp")
        buffer = BytesIO()  # a full disk is then an OSError, not a message of PyTorch's writer
        torch.save(checkpoint, buffer)
        temporary.write_bytes(buffer.getbuffer())
        temporary.replace(target)


def load_checkpoint(path: Path) -> dict[str, Any] | None:
    """Read a checkpoint, or None where there is none; no code in it is run."""
    if not path.is_file():
        return None
    checkpoint: dict[str, Any] = torch.load(path, map_location="cpu", weights_only=True)
    return checkpoint
