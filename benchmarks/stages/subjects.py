"""The rows of a report before they are measured: what to run and what to ask it with."""

import json
from collections.abc import Iterable
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any, get_args

from benchmarks.measurement import CheckFigures, EmittedFile, Role
from compress.errors import UserError
from export.artifact import Artifact
from export.rows import SAMPLES, read_artifacts, read_rows
from export.runner import Runtime
from export.samples import Samples


@dataclass(frozen=True)
class Subject:
    """One row to be: what to run, and the artifact that it is, if it is one."""

    name: str
    role: Role
    runtime: Runtime
    path: str
    bytes: int
    inputs: str
    """File in the export stage's `samples/` that the row is asked with."""
    sha256: str = ""
    """Of everything that answers: a row of the same hash need not be measured again."""
    unmasked_path: str | None = None
    artifact: Artifact | None = None

    def __post_init__(self) -> None:
        if self.runtime not in get_args(Runtime):
            raise UserError(f"{self.name}: limbeck knows no runtime {self.runtime}.")

    @property
    def can_answer(self) -> bool:
        """Whether there is anything to measure: a file that could not be asked has no figures."""
        return self.artifact is None or self.artifact.check.agreement is not None

    @property
    def can_be_timed(self) -> bool:
        """Whether its own runtime answers here; a reference evaluator's time is nobody's."""
        return self.artifact is None or self.artifact.was_run

    @property
    def slug(self) -> str:
        """Names the row's files."""
        return self.name.replace(" ", "-")


def subjects(export_folder: Path) -> list[Subject]:
    """Every row of the report, in its order: baselines, teacher, students, files."""
    found = [Subject(**asdict(row)) for row in read_rows(export_folder)]
    for artifact in read_artifacts(export_folder):
        found.append(
            Subject(
                name=artifact.name,
                role="artifact",
                runtime=artifact.runtime,
                path=artifact.path,
                bytes=artifact.bytes,
                inputs=artifact.inputs,
                sha256=artifact.sha256,
                unmasked_path=artifact.unmasked_path,
                artifact=artifact,
            )
        )
    return found


def samples_of(rows: Iterable[Subject], export_folder: Path) -> dict[str, Samples]:
    """What the rows are asked with, by the name of the file; each read and held once."""
    return {
        name: Samples.load(export_folder / SAMPLES / name)
        for name in dict.fromkeys(row.inputs for row in rows)
    }


def emitted_file(artifact: Artifact) -> EmittedFile:
    """What the report says of a file beside its figures."""
    check = artifact.check
    return EmittedFile(
        path=f"export/{artifact.path}",
        format=artifact.format,
        scheme=artifact.scheme,
        target=artifact.target,
        sha256=artifact.sha256,
        usable=artifact.usable,
        check=CheckFigures(
            cases=check.cases,
            agreement=check.agreement,
            max_abs_difference=check.max_abs_difference,
            max_regret=check.max_regret,
            seconds_per_example=check.seconds_per_example,
        ),
        checked=check.checked,
        checked_with=check.checked_with or None,
        refused_because=artifact.refused_because,
        details=dict(artifact.details),
        sidecars=tuple(f"export/{one}" for one in artifact.sidecars),
    )


def read_json(path: Path) -> Any:
    """Return what a stage wrote as JSON."""
    return json.loads(path.read_text(encoding="utf-8"))
