"""Describing a trained text model so that a fresh process can call it like any file.

Nothing is copied: the JSON file points at the folder of the trained network.
"""

import json
import os
from collections.abc import Sequence
from dataclasses import asdict, dataclass
from pathlib import Path

from compress.files import write_atomically


@dataclass(frozen=True)
class PyTorchTextModel:
    """What `PyTorchTextRunner` needs to know."""

    folder: str
    """What `compress.saved_text_model.save_text_model` wrote, relative to the JSON file."""
    gains: tuple[float, ...] | None
    """What each class is worth: adds `score` to the probabilities."""


def emit_pytorch_text(path: Path, folder: Path, gains: Sequence[float] | None = None) -> None:
    """Write the description.

    Args:
        path: The JSON file to write.
        folder: What `compress.saved_text_model.save_text_model` wrote.
        gains: Of each grade, for pairs; None: no `score` beside the probabilities.
    """
    relative = Path(os.path.relpath(folder, path.parent)).as_posix()
    model = PyTorchTextModel(relative, None if gains is None else tuple(gains))
    write_atomically(path, json.dumps(asdict(model), indent=1))


def read_pytorch_text(path: Path) -> tuple[Path, tuple[float, ...] | None]:
    """Return the model's folder and its gains.

    Raises:
        OSError: The file cannot be read.
        ValueError: It is no description.
        TypeError: Likewise.
    """
    about = PyTorchTextModel(**json.loads(path.read_text(encoding="utf-8")))
    gains = None if about.gains is None else tuple(float(gain) for gain in about.gains)
    return path.parent / about.folder, gains
