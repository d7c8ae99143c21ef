"""Describing a baseline for texts so that a fresh process can call it like any file."""

import json
import os
from collections.abc import Sequence
from dataclasses import asdict, dataclass
from pathlib import Path

from compress.files import write_atomically


@dataclass(frozen=True)
class TextBaselineModel:
    """What `TextBaselineRunner` needs to know."""

    file: str
    """The fitted baseline, relative to the JSON file."""
    is_score: bool
    """Whether its answer is a score and no probabilities."""
    gains: tuple[float, ...] | None
    """What each class is worth: adds `score` to the probabilities."""


def emit_text_baseline(
    path: Path, fitted: Path, *, is_score: bool, gains: Sequence[float] | None = None
) -> None:
    """Write the description.

    Args:
        path: The JSON file to write.
        fitted: What the baseline's `save` wrote.
        is_score: See `TextBaselineModel`.
        gains: Of each grade, for pairs; None: no `score` beside the probabilities.
    """
    file = Path(os.path.relpath(fitted, path.parent)).as_posix()
    model = TextBaselineModel(file, is_score, None if gains is None else tuple(gains))
    write_atomically(path, json.dumps(asdict(model)))
