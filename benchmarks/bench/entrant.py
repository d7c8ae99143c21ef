"""What is measured: a model, what it is asked, and what is known of the right answers."""

import zipfile
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from functools import cache
from pathlib import Path
from typing import Any, get_args

import numpy as np
from numpy.typing import NDArray

from benchmarks.bench.made_up import made_up_samples, what_was_made_up
from compress.errors import UserError
from compress.files import tree_bytes, tree_sha256
from compress.recipe import content_hash
from export.artifact import Artifact
from export.file_inputs import RUNTIMES, file_inputs, parts_of, runtime_of
from export.formats import format_of
from export.record import damage, find_export_folder, recorded_artifacts, sidecar_damage
from export.rows import ARTIFACTS
from export.runner import RunnerSpec, Runtime
from export.samples import Samples
from export.targets import run_obstacles, this_machine
from export.verification_set import VERIFICATION, VerificationSet

VERIFIED_WITH = "the run's verification set"


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
    sha256: str
    """Of everything that answers."""
    run: str = ""
    """The run or folder that it comes from: tells models of the same name apart."""
    verified_in: str = ""
    """The export folder that the samples are of; empty where they are not a run's."""
    expected: Mapping[str, NDArray[Any]] | None = None
    """The student's answers to the samples by name, `[N, ...]` each; None: nothing is known."""
    verification: VerificationSet | None = None
    """What a file of a run was verified with, and is again before it is timed."""
    scheme: str = ""
    """Of such a file: decides what it may differ by."""
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
        return self.spec.runtime in ("onnx", "ort", "onnx-peer")


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
        if found.is_dir() and found.suffix not in RUNTIMES:
            raise UserError(
                f"{path} is no run and no export folder: it holds no {ARTIFACTS}. Give one of "
                "these, or a model file."
            )
        return [_of_file(found, inputs)]
    if inputs is not None:
        raise UserError(f"--inputs is for single files; {found} brings inputs of its own.")
    own = [_of_artifact(folder, one) for one in recorded_artifacts(folder)]
    if not own:
        raise UserError(f"{found} holds no files to measure.")
    return own


def verified_with(
    folder: Path, takes_texts: bool
) -> tuple[Samples, Mapping[str, NDArray[Any]], VerificationSet]:
    """Return what a run's files were verified with: examples, the student's answers, the set.

    Args:
        folder: An export folder.
        takes_texts: Whether the file cuts texts itself.

    Raises:
        UserError: It is not there, or holds no texts.
    """
    found = _verification(folder)
    samples = found.texts if takes_texts else found.samples
    if samples is None:
        raise UserError(
            f"{folder / VERIFICATION} holds no texts. Export the run again with "
            "export.text_input: true."
        )
    return samples, found.expected, found


@cache
def _verification(folder: Path) -> VerificationSet:
    return VerificationSet.load(folder / VERIFICATION)


def _of_file(path: Path, inputs: Path | None) -> Entrant:
    """A file: one of an export folder with its inputs and answers, or anybody's."""
    folder = path.absolute().parent
    if inputs is None and find_export_folder(folder) == folder:
        known = {one.path: one for one in recorded_artifacts(folder)}
        if path.name in known:
            return _of_artifact(folder, known[path.name])
    runtime, parts = runtime_of(path), parts_of(path)
    if inputs is not None:
        samples, asked_with = _given(inputs), inputs.name
    else:
        declared = file_inputs(path)
        samples, asked_with = made_up_samples(declared, path.name), what_was_made_up(declared)
    return Entrant(
        name=path.name,
        spec=RunnerSpec(runtime, str(path.resolve())),
        samples=samples,
        asked_with=asked_with,
        bytes=sum(map(tree_bytes, parts)),
        sha256=tree_sha256(path) if len(parts) == 1 else content_hash([*map(tree_sha256, parts)]),
        run=folder.name,
        cannot_run="; ".join(run_obstacles(format_of(_format_name(path)), this_machine())),
    )


def _format_name(path: Path) -> str:
    """Name the format of anybody's file; of an engine the library that its description names."""
    runtime = runtime_of(path)
    if runtime != "tensorrt":
        return str(runtime)
    from export.tensorrt.description import read_description

    try:
        return str(read_description(path).format)
    except (ValueError, OSError):
        return "tensorrt"


def _of_artifact(folder: Path, artifact: Artifact) -> Entrant:
    """A file that limbeck wrote: asked what it was verified with."""
    samples, expected, verification = verified_with(folder, artifact.takes_texts)
    known = format_of(artifact.format, artifact.target)
    return Entrant(
        name=artifact.name,
        spec=RunnerSpec(artifact.runtime, str((folder / artifact.path).resolve())),
        samples=samples,
        asked_with=VERIFIED_WITH,
        bytes=artifact.bytes,
        sha256=artifact.sha256,
        run=folder.absolute().parent.name,
        verified_in=str(folder.resolve()),
        expected=expected,
        verification=verification,
        scheme=artifact.scheme,
        cannot_run="; ".join(_obstacles(artifact, known)) or _wrong(folder, artifact),
    )


def _wrong(folder: Path, artifact: Artifact) -> str:
    """Say why a file must not be loaded; empty where nothing is wrong with it."""
    if artifact.runtime not in get_args(Runtime):
        return f"limbeck knows no runtime {artifact.runtime}"
    return "; ".join([*damage(folder, artifact), *sidecar_damage(folder, artifact)])


def _obstacles(artifact: Artifact, known: Any) -> Iterator[str]:
    if known.is_recipe_for_device:
        yield "built on the device"
    yield from run_obstacles(known, this_machine(), artifact.target)


def _given(file: Path) -> Samples:
    reason = "it holds no examples"
    if not file.is_file():
        raise UserError(f"--inputs {file} is not there, or is no file.")
    try:
        stored = np.load(file, allow_pickle=False)
        if isinstance(stored, np.lib.npyio.NpzFile):
            with stored:
                samples = Samples({name: stored[name] for name in stored.files})
            if len(samples):
                return samples
        else:
            reason = "it is one array without a name"
    except zipfile.BadZipFile as error:
        reason = str(error)
    except (OSError, ValueError, EOFError, KeyError):  # NumPy would advise to trust the file.
        reason = "NumPy cannot read arrays of numbers or texts from it"
    raise UserError(
        f"{file} holds no inputs: {reason}. It is an .npz file with one array a name, a row an "
        "example (numpy.savez)."
    )


def slug_of(name: str) -> str:
    """Name a model's folder: letters, digits, `.`, `-` and `_`."""
    return "".join(one if one.isalnum() or one in "._-" else "-" for one in name)
