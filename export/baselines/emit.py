"""Describing a baseline so that a fresh process can call it like any file."""

import json
import os
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Literal

from compress.files import write_atomically

BaselineKind = Literal["popularity", "co-occurrence"]


@dataclass(frozen=True)
class BaselineModel:
    """What `BaselineRunner` needs to know."""

    kind: BaselineKind
    file: str
    """The fitted baseline, relative to the JSON file."""
    top_k: int
    mask_seen: bool


def emit_baseline(
    path: Path, kind: BaselineKind, fitted: Path, *, top_k: int, mask_seen: bool
) -> None:
    """Write the description.

    Args:
        path: The JSON file to write.
        kind: Which baseline.
        fitted: What the baseline's `save` wrote.
        top_k: How many items are returned.
        mask_seen: Whether items of the history are left out.
    """
    file = Path(os.path.relpath(fitted, path.parent)).as_posix()
    write_atomically(path, json.dumps(asdict(BaselineModel(kind, file, top_k, mask_seen))))
