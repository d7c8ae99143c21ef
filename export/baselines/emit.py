"""Describing a baseline so that a fresh process can call it like any file."""

import json
import os
from collections.abc import Sequence
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
    blocked: tuple[int, ...] = ()
    """Codes of items that are never returned."""


def emit_baseline(
    path: Path,
    kind: BaselineKind,
    fitted: Path,
    *,
    top_k: int,
    mask_seen: bool,
    blocked: Sequence[int] = (),
) -> None:
    """Write the description.

    Args:
        path: The JSON file to write.
        kind: Which baseline.
        fitted: What the baseline's `save` wrote.
        top_k: How many items are returned.
        mask_seen: Whether items of the history are left out.
        blocked: Codes of items that are never returned.
    """
    file = Path(os.path.relpath(fitted, path.parent)).as_posix()
    model = asdict(BaselineModel(kind, file, top_k, mask_seen, tuple(blocked)))
    if not blocked:
        del model["blocked"]  # the description is then as it was before items could be blocked
    write_atomically(path, json.dumps(model))
