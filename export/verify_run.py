"""Repeating the checks of an export, also on a machine that has nothing but its folder."""

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import asdict, dataclass, field, replace
from importlib.util import find_spec
from pathlib import Path
from typing import Any, Literal, get_args

from numpy.typing import NDArray

from compress.errors import MissingExtraError, UserError
from export.artifact import Artifact
from export.file_inputs import RUNTIMES
from export.formats import FORMATS, Format, format_of
from export.record import (
    damage,
    export_folder,
    find_export_folder,
    recorded_artifacts,
    sidecar_damage,
)
from export.rows import ARTIFACTS
from export.runner import RunnerSpec, Runtime, open_runner
from export.sidecars import sidecar_faults
from export.targets import run_obstacles, this_machine
from export.verification import Asked, Check, Checked
from export.verification_set import VERIFICATION, VerificationSet

_BY_ANSWERS_ALONE = (
    f"checked by its answers and metadata alone: no {ARTIFACTS} beside it says what it hashes to"
)


@dataclass(frozen=True)
class Verdict:
    """What came of checking one file again."""

    path: str
    name: str
    """What its row of the report is called."""
    checked: Checked | Literal["not checked"]
    faults: tuple[str, ...]
    """Why it is refused, in words."""
    check: Check | None = None
    """The comparison with the student, where it came to one."""
    note: str = ""
    """Why it was not run, or what was not compared."""

    @property
    def passed(self) -> bool:
        """Whether it answered as the student does. One that could not be asked did not."""
        return not self.faults and self.checked in {"run", "evaluated"}

    @property
    def refused(self) -> bool:
        """Whether something is wrong with it."""
        return bool(self.faults)

    def to_json(self) -> dict[str, Any]:
        """Plain data for machines."""
        return {**asdict(self), "passed": self.passed, "refused": self.refused}


def verify(path: Path, against: Path | None = None) -> list[Verdict]:
    """Check a run, an export folder or one file again.

    Args:
        path: Which; a bare name is also looked for in `runs/`.
        against: The verification set; None: the one beside the files.

    Raises:
        UserError: There is nothing to check, or nothing to check it with.
    """
    found = path if path.exists() else Path("runs") / path
    if not found.exists():
        raise UserError(
            f"{path} is not there. Give the folder of a run, its export folder, or one of the "
            "files in it."
        )
    if find_export_folder(found) is None:
        if found.is_dir() and found.suffix not in RUNTIMES and not any(found.glob("*.onnx")):
            raise UserError(
                f"{path} holds no {ARTIFACTS}. Give the folder of a finished run, its export "
                "folder, or one of its files."
            )
        return [verify_file(found, against)]
    return verify_run(found, against)


def verify_run(run_folder: Path, against: Path | None = None) -> list[Verdict]:
    """Check every file of a run again.

    Args:
        run_folder: The run, its export folder, or a copy of that.
        against: The verification set; None: the folder's own.

    Returns:
        One verdict a file, in the order of `artifacts.json`.

    Raises:
        UserError: There is no export, or no verification set.
    """
    folder = export_folder(run_folder)
    recorded = recorded_artifacts(folder)
    bench = _Bench(folder, VerificationSet.load(against or folder / VERIFICATION), recorded)
    return [bench.verdict(one) for one in recorded]


def verify_file(path: Path, against: Path | None = None) -> Verdict:
    """Check one file again.

    Its hash and its metadata are held against `artifacts.json`, if that lies beside it; a file that
    takes texts against its twin that does not, if that is recorded there.

    Args:
        path: The file, or the folder that it is.
        against: The verification set; None: the one beside it.

    Raises:
        UserError: It is not there, it is of no known format or scheme, or there is nothing to
            check it with.
    """
    if not path.exists():
        raise UserError(f"{path} is not there.")
    folder = path.absolute().parent
    if against is None and not (folder / VERIFICATION).is_file():
        raise UserError(
            f"{folder / VERIFICATION} is not there, and {path.name} cannot be checked without it. "
            "Give the one of its run with --against FILE; it lies in the run's export folder."
        )
    verification = VerificationSet.load(against or folder / VERIFICATION)
    recorded = recorded_artifacts(folder) if (folder / ARTIFACTS).is_file() else []
    bench = _Bench(folder, verification, recorded)
    known = {one.path: one for one in recorded}
    if path.name in known:
        return bench.verdict(known[path.name])
    verdict = replace(bench, is_whole=False).verdict(_stranger(path))
    return replace(verdict, note=verdict.note or _BY_ANSWERS_ALONE)


@dataclass(frozen=True)
class _Bench:
    """A folder of files, and what they are checked with."""

    folder: Path
    verification: VerificationSet
    recorded: Sequence[Artifact] = ()
    """Of `artifacts.json`."""
    is_whole: bool = True
    """Whether it is an export folder, in which nothing may be missing."""
    answers: dict[tuple[str, str, str], dict[str, NDArray[Any]]] = field(default_factory=dict)
    """Of files that take pieces, by format, scheme and target: their twins that take texts must
    answer alike."""

    def verdict(self, artifact: Artifact) -> Verdict:
        path = self.folder / artifact.path
        faults = list(damage(self.folder, artifact))
        if faults:  # what was not verified is not loaded
            return _unasked(artifact, "", faults)
        faults = list(sidecar_damage(self.folder, artifact))
        if unknown := self._unknown(artifact):
            return _unasked(artifact, unknown, faults)
        known = format_of(artifact.format, artifact.target)
        if known.is_recipe_for_device:
            return self._graph_in(path, artifact, known, faults)
        obstacles = "; ".join(run_obstacles(known, this_machine(), artifact.target))
        if artifact.runtime == "tensorrt" and obstacles:
            return self._parsed_engine(path, artifact, obstacles, faults)
        if any(find_spec(one) is None for one in known.run_needs):
            return _unasked(artifact, obstacles, faults)
        if artifact.takes_texts and self.verification.texts is None:
            return _unasked(artifact, "the verification set holds no texts", faults)
        return self._asked(path, artifact, faults)

    def _unknown(self, artifact: Artifact) -> str:
        """What this limbeck does not know, as of a later one; empty where it knows all."""
        if artifact.runtime not in get_args(Runtime):
            return f"this limbeck knows no runtime {artifact.runtime}"
        try:
            format_of(artifact.format)
            self.verification.tolerance(artifact.scheme)
        except KeyError:
            return f"this limbeck knows no format {artifact.format}"
        except UserError as error:
            return str(error)
        return ""

    def _asked(self, path: Path, artifact: Artifact, faults: list[str]) -> Verdict:
        """Load the file, hold its metadata against what is recorded, and its answers likewise."""
        try:
            metadata, asked = self._ask(artifact.runtime, path, artifact.takes_texts)
        except MissingExtraError as error:
            return _unasked(artifact, str(error), faults)
        except Exception as error:  # a broken file may fail in any way that its runtime has
            faults.append(f"it cannot be run: {_first_line(error)}")
            return _unasked(artifact, "", faults)
        faults += self._metadata_faults(metadata, artifact)
        twin, note = None, ""
        if not artifact.takes_texts:
            self.answers[_kind(artifact)] = asked.answers
        elif (twin := self._twin_answers(artifact)) is None:
            note = (
                "its answers were not compared with those of the same model without tokenizer, "
                "which could not be asked here"
            )
        check = self.verification.compare(asked, artifact.scheme, twin)
        faults += check.faults
        return Verdict(artifact.path, artifact.name, check.checked, tuple(faults), check, note)

    def _twin_answers(self, artifact: Artifact) -> Mapping[str, NDArray[Any]] | None:
        """Return what the same model without tokenizer answers, if it can be asked."""
        kind = _kind(artifact)
        if kind not in self.answers:
            twins = (one for one in self.recorded if not one.takes_texts and _kind(one) == kind)
            for twin in twins:
                self.verdict(twin)
        return self.answers.get(kind)

    def _ask(
        self, runtime: Runtime, path: Path, takes_texts: bool = False
    ) -> tuple[Mapping[str, str], Asked]:
        with open_runner(RunnerSpec(runtime, str(path))) as runner:
            asked = self.verification.ask(runner, takes_texts=takes_texts)
            return dict(getattr(runner, "metadata", {})), asked

    def _metadata_faults(self, metadata: Mapping[str, str], artifact: Artifact) -> Iterator[str]:
        """Where a file says other things of itself than is known of it."""
        recorded, shared = artifact.signature, self.verification.belongs_to
        for name, value in {**shared, **recorded}.items():
            source = ARTIFACTS if name in recorded else VERIFICATION
            if name in shared and shared[name] != value:
                yield f"{VERIFICATION} is of another export: {name} is {shared[name]} there"
            if metadata.get(name) != value:
                found = metadata.get(name, "nothing")
                yield f"its metadata says {found} of {name}, and {source} says {value}"
        yield from sidecar_faults(self.folder, metadata, all_are_there=self.is_whole)

    def _graph_in(
        self, path: Path, artifact: Artifact, known: Format, faults: list[str]
    ) -> Verdict:
        """Ask the graph that a device builds its file from."""
        graphs = sorted(path.glob("*.onnx")) if path.is_dir() else []
        if len(graphs) != 1:
            faults.append(f"it holds {len(graphs)} ONNX files to build from, not one")
            return _unasked(artifact, "", faults)
        found = self._asked(graphs[0], replace(artifact, runtime="onnx"), faults)
        if found.check is None:
            return found
        return replace(found, checked="parsed", note=known.instead)

    def _parsed_engine(
        self, path: Path, artifact: Artifact, note: str, faults: list[str]
    ) -> Verdict:
        """Look at an engine that cannot be run here."""
        from export.parsed_engine import described_metadata, engine_faults

        try:
            faults += engine_faults(path, artifact)
        except UserError as error:
            return _unasked(artifact, f"{note}; {error}", faults)
        if metadata := described_metadata(path):
            faults += self._metadata_faults(metadata, artifact)
        return Verdict(artifact.path, artifact.name, "parsed", tuple(faults), note=note)


def _kind(artifact: Artifact) -> tuple[str, str, str]:
    return artifact.format, artifact.scheme, artifact.target


def _unasked(artifact: Artifact, note: str, faults: list[str]) -> Verdict:
    return Verdict(artifact.path, artifact.name, "not checked", tuple(faults), note=note)


def _stranger(path: Path) -> Artifact:
    """Tell from a file's name what it is."""
    runtime = RUNTIMES.get(path.suffix)
    if runtime is None:
        ends = ", ".join(RUNTIMES)
        raise UserError(f"{path} is of no format that can be checked; their names end in {ends}.")
    known, scheme, target = _named(path, runtime)
    return Artifact(
        name=f"{known.name} {scheme}",
        path=path.name,
        inputs="",
        format=known.name,
        scheme=scheme,
        target=target,
        runtime=runtime,
        bytes=0,
        sha256="",
        check=Check.failed("not verified yet"),
        signature={},
        takes_texts=".text." in path.name,
    )


def _named(path: Path, runtime: Runtime) -> tuple[Format, str, str]:
    """Return format, scheme and target: an engine's from its description, others' from the name."""
    if runtime == "tensorrt":
        from export.tensorrt.description import read_description

        try:
            said = read_description(path)
        except (OSError, ValueError) as error:
            raise UserError(f"{path} cannot be checked: {_first_line(error)}") from error
        return format_of(said.format, said.target), said.scheme, said.target
    known = next(one for one in FORMATS if one.runtime == runtime)
    scheme = next((part for part in path.name.split(".") if part in known.schemes), None)
    if scheme is None:
        raise UserError(
            f"{path}: which scheme it has decides what it may differ by, and neither {ARTIFACTS} "
            f"beside it nor its name says. Name it like student.SCHEME{path.suffix}; "
            f"{known.name} has {', '.join(known.schemes)}."
        )
    return known, scheme, known.target


def _first_line(error: Exception) -> str:
    text = str(error).strip()
    return text.splitlines()[0] if text else type(error).__name__
