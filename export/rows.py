"""What the export stage leaves for the stages that measure: rows, files, and inputs to ask with."""

import json
from collections.abc import Sequence
from dataclasses import asdict, dataclass
from pathlib import Path

from compress.files import write_atomically
from export.artifact import Artifact
from export.runner import Runtime

ARTIFACTS = "artifacts.json"
ROWS = "rows.json"
SAMPLES = "samples"
"""Folder of the samples: what the test split's examples look like to a model."""


@dataclass(frozen=True)
class RowFiles:
    """Where a row of the report is run from; paths within the stage."""

    name: str
    role: str
    runtime: Runtime
    path: str
    bytes: int
    inputs: str
    """File in `samples/` that holds what this row is asked with: the test split's examples, in
    their order."""
    unmasked_path: str | None = None
    """Next-item: the same model with seen items allowed."""


def write_rows(folder: Path, rows: Sequence[RowFiles]) -> None:
    """Write down which models the files are compared with."""
    write_atomically(folder / ROWS, json.dumps([asdict(row) for row in rows], indent=1))


def read_rows(folder: Path) -> list[RowFiles]:
    """Baselines, teacher and students of a finished export stage."""
    return [RowFiles(**entry) for entry in json.loads((folder / ROWS).read_text(encoding="utf-8"))]


def write_artifacts(folder: Path, artifacts: Sequence[Artifact]) -> None:
    """Write down the files and what is known of them."""
    entries = [artifact.to_json() for artifact in artifacts]
    write_atomically(folder / ARTIFACTS, json.dumps(entries, indent=1))


def read_artifacts(folder: Path) -> list[Artifact]:
    """The artifacts of a finished export stage."""
    return [
        Artifact.from_json(entry)
        for entry in json.loads((folder / ARTIFACTS).read_text(encoding="utf-8"))
    ]
