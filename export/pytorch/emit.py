"""Describing a trained model so that a fresh process can call it like any file.

Nothing is copied: the JSON file points at the folders of the trained networks.
"""

import json
import os
from collections.abc import Sequence
from dataclasses import asdict, dataclass
from pathlib import Path

from compress.files import write_atomically


@dataclass(frozen=True)
class PyTorchModel:
    """What `PyTorchRunner` needs to know."""

    members: tuple[str, ...]
    """Folders of saved networks, relative to the JSON file; several are one ensemble."""
    top_k: int
    mask_seen: bool
    is_ensemble: bool
    """Whether scores are log-probabilities of the members' mean, as the teacher's are."""
    trained_on_unseen: bool
    """Whether the members were trained with seen items left out of the softmax."""
    blocked: tuple[int, ...] = ()
    """Codes of items that are never returned."""


def emit_pytorch(
    path: Path,
    members: Sequence[Path],
    *,
    top_k: int,
    mask_seen: bool,
    is_ensemble: bool,
    trained_on_unseen: bool,
    blocked: Sequence[int] = (),
) -> None:
    """Write the description.

    Args:
        path: The JSON file to write.
        members: Folders that `compress.saved_model.save_model` wrote.
        top_k: How many items are returned.
        mask_seen: Whether items of the history are left out.
        is_ensemble: See `PyTorchModel`.
        trained_on_unseen: See `PyTorchModel`.
        blocked: Codes of items that are never returned.
    """
    folders = tuple(Path(os.path.relpath(member, path.parent)).as_posix() for member in members)
    model = asdict(
        PyTorchModel(folders, top_k, mask_seen, is_ensemble, trained_on_unseen, tuple(blocked))
    )
    if not blocked:
        del model["blocked"]  # the description is then as it was before items could be blocked
    write_atomically(path, json.dumps(model, indent=1))
