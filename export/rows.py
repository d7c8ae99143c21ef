"""What the export stage leaves for the stages that measure: rows, files, and inputs to ask with."""

import json
from collections.abc import Iterable, Sequence
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import get_args

from compress.errors import UserError
from compress.files import file_sha256, write_atomically
from compress.recipe import content_hash
from export.artifact import Artifact, NotWritten
from export.runner import Runtime

ARTIFACTS = "artifacts.json"
NOT_WRITTEN = "not-written.json"
ROWS = "rows.json"
SAMPLES = "samples"
"""Folder of the samples: what the test split's examples look like to a model."""


@dataclass(frozen=True)
class RowFiles:
    """Where a row of the report is run from; paths within the stage.

    Raises:
        UserError: The runtime is none that a file may name.
    """

    name: str
    role: str
    runtime: Runtime
    path: str
    bytes: int
    inputs: str
    """File in `samples/` that holds what this row is asked with: the test split's examples, in
    their order."""
    sha256: str
    """Of the weights and of the description together: what makes the row what it is."""
    unmasked_path: str | None = None
    """Next-item: the same model with seen items allowed."""

    def __post_init__(self) -> None:
        if self.runtime not in get_args(Runtime):
            raise UserError(
                f"{ROWS} is damaged, or of another version of limbeck: this one knows no runtime "
                f"{self.runtime}, which {self.name} has. Export the run again."
            )


def row_sha256(descriptions: Iterable[Path], models: Iterable[Path]) -> str:
    """Hash a row's descriptions and the files that they point at."""
    return content_hash([file_sha256(one) for one in (*descriptions, *models)])


def write_rows(folder: Path, rows: Sequence[RowFiles]) -> None:
    """Write down which models the files are compared with."""
    write_atomically(folder / ROWS, json.dumps([asdict(row) for row in rows], indent=1))


def read_rows(folder: Path) -> list[RowFiles]:
    """Baselines, teacher and students of a finished export stage."""
    return [RowFiles(**entry) for entry in json.loads((folder / ROWS).read_text(encoding="utf-8"))]


def write_artifacts(
    folder: Path, artifacts: Sequence[Artifact], not_written: Sequence[NotWritten]
) -> None:
    """Write down the files and what is known of them, and which ones there are not."""
    entries = [artifact.to_json() for artifact in artifacts]
    write_atomically(folder / ARTIFACTS, json.dumps(entries, indent=1))
    missing = [asdict(one) for one in not_written]
    write_atomically(folder / NOT_WRITTEN, json.dumps(missing, indent=1))


def read_artifacts(folder: Path) -> list[Artifact]:
    """The artifacts of a finished export stage."""
    return [
        Artifact.from_json(entry)
        for entry in json.loads((folder / ARTIFACTS).read_text(encoding="utf-8"))
    ]


def read_not_written(folder: Path) -> list[NotWritten]:
    """The files that a finished export stage could not write."""
    return [
        NotWritten(**entry)
        for entry in json.loads((folder / NOT_WRITTEN).read_text(encoding="utf-8"))
    ]
