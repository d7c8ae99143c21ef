"""What is measured: a model, what it is asked, and what is known of the right answers."""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from functools import cache
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from benchmarks.bench.made_up import made_up_samples, what_was_made_up
from benchmarks.peers.record import RECORD, PeersRecord
from compress.errors import UserError
from compress.files import tree_bytes
from export.artifact import Artifact
from export.file_inputs import file_inputs, runtime_of
from export.formats import format_of
from export.peers.catalogue import PEERS
from export.peers.peer import native_samples
from export.record import EXPORT, find_export_folder, recorded_artifacts
from export.runner import RunnerSpec
from export.samples import Samples
from export.targets import run_obstacles, this_machine
from export.verification_set import VERIFICATION, VerificationSet

_VERIFIED_WITH = "the run's verification set"
PEERS_STAGE = "peers"


@dataclass(frozen=True, eq=False)
class Entrant:
    """One model that takes part.

    Raises:
        ValueError: The right answers are not of the same examples.
    """

    name: str
    spec: RunnerSpec
    samples: Samples
    asked_with: str
    """What the samples are, in words."""
    bytes: int
    expected: Mapping[str, NDArray[Any]] | None = None
    """The right answers to the samples by name, `[N, ...]` each; None: nothing is known."""
    cannot_run: str = ""
    """What keeps its own runtime from running it here; empty where nothing does."""

    def __post_init__(self) -> None:
        for name, answers in (self.expected or {}).items():
            if len(answers) != len(self.samples):
                raise ValueError(
                    f"{name}: {len(answers)} answers cannot be of {len(self.samples)} examples"
                )

    @property
    def is_onnx(self) -> bool:
        """Whether other runtimes of ONNX could run it too."""
        return self.spec.runtime in ("onnx", "ort")


def entrants(path: Path, inputs: Path | None = None) -> list[Entrant]:
    """Return what a path names: every file of a run or export folder, or one file.

    Args:
        path: A run, its export folder or a file; a bare name is also looked for in `runs/`.
        inputs: `.npz` of the user's inputs, one array a name, for files that come without.

    Raises:
        UserError: There is nothing to measure.
    """
    found = path if path.exists() else Path("runs") / path
    if not found.exists():
        raise UserError(f"{path} is not there. Give a run, its export folder, or a model file.")
    folder = find_export_folder(found) if found.is_dir() else None
    if folder is None:
        return [_of_file(found, inputs)]
    if inputs is not None:
        raise UserError(f"--inputs is for single files; {found} brings inputs of its own.")
    own = [_of_artifact(folder, one) for one in recorded_artifacts(folder)]
    if not own:
        raise UserError(f"{found} holds no files to measure.")
    return own


def run_folder(path: Path) -> Path | None:
    """Return the run that a path is of; None where it is a file, or a bare export folder."""
    found = path if path.exists() else Path("runs") / path
    is_run = found.is_dir() and find_export_folder(found) == found / EXPORT
    return found if is_run else None


def peer_entrants(path: Path) -> list[Entrant]:
    """Return the peers that a run has measured beside its files.

    Raises:
        UserError: It is no run, or has none.
    """
    folder = run_folder(path)
    if folder is None or not (folder / PEERS_STAGE / RECORD).is_file():
        raise UserError(
            f"{path} has measured no peers. Measure them first, with: limbeck run RECIPE --peers"
        )
    samples, expected = _verified_with(folder / EXPORT, False)
    obstacles = {one.name: one.obstacle() for one in PEERS}
    peers = folder / PEERS_STAGE
    return [
        Entrant(
            name=one.name,
            spec=RunnerSpec(one.runtime, str((peers / one.path).resolve())),
            samples=native_samples(samples, one.takes),
            asked_with=_VERIFIED_WITH,
            bytes=one.bytes,
            expected=expected,
            cannot_run=obstacles.get(one.name) or "",
        )
        for one in PeersRecord.read(peers).peers
    ]


def _of_file(path: Path, inputs: Path | None) -> Entrant:
    """A file: one of an export folder with its inputs and answers, or anybody's."""
    folder = path.absolute().parent
    if inputs is None and find_export_folder(folder) == folder:
        known = {one.path: one for one in recorded_artifacts(folder)}
        if path.name in known:
            return _of_artifact(folder, known[path.name])
    runtime = runtime_of(path)
    if inputs is not None:
        samples, asked_with = _given(inputs), inputs.name
    else:
        declared = file_inputs(path)
        samples, asked_with = made_up_samples(declared, path.name), what_was_made_up(declared)
    own_format = {"onnx": "onnx", "ort": "ort", "litert": "litert", "coreml": "coreml"}
    obstacles = run_obstacles(format_of(own_format.get(runtime, "tensorrt-rtx")), this_machine())
    return Entrant(
        name=path.name,
        spec=RunnerSpec(runtime, str(path.resolve())),
        samples=samples,
        asked_with=asked_with,
        bytes=tree_bytes(path),
        cannot_run="; ".join(obstacles),
    )


def _of_artifact(folder: Path, artifact: Artifact) -> Entrant:
    """A file that limbeck wrote: asked what it was verified with."""
    samples, expected = _verified_with(folder, artifact.takes_texts)
    known = format_of(artifact.format, artifact.target)
    return Entrant(
        name=artifact.name,
        spec=RunnerSpec(artifact.runtime, str((folder / artifact.path).resolve())),
        samples=samples,
        asked_with=_VERIFIED_WITH,
        bytes=artifact.bytes,
        expected=expected,
        cannot_run="; ".join(_obstacles(artifact, known)),
    )


def _obstacles(artifact: Artifact, known: Any) -> Iterator[str]:
    if known.is_recipe_for_device:
        yield "built on the device"
    yield from run_obstacles(known, this_machine(), artifact.target)


@cache
def _verified_with(
    folder: Path, takes_texts: bool
) -> tuple[Samples, Mapping[str, NDArray[Any]] | None]:
    found = VerificationSet.load(folder / VERIFICATION)
    samples = found.texts if takes_texts else found.samples
    if samples is None:
        raise UserError(
            f"{folder / VERIFICATION} holds no texts. Export the run again with "
            "export.text_input: true."
        )
    return samples, found.expected


def _given(file: Path) -> Samples:
    try:
        with np.load(file, allow_pickle=False) as stored:
            return Samples({name: stored[name] for name in stored.files})
    except (OSError, ValueError, EOFError) as error:
        raise UserError(
            f"{file} holds no inputs: {str(error).splitlines()[0]}. It is an .npz file with one "
            "array a name, a row an example (numpy.savez)."
        ) from error
