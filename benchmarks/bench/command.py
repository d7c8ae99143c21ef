"""What `limbeck bench` does: find the models, measure them, keep what was found."""

import tempfile
from collections import Counter
from collections.abc import Iterator, Sequence
from dataclasses import replace
from datetime import UTC, datetime
from pathlib import Path

from pydantic import ValidationError

from benchmarks.bench.bench import Bench
from benchmarks.bench.data import BenchData
from benchmarks.bench.entrant import Entrant, entrants
from benchmarks.bench.merging import merged
from benchmarks.bench.peers import peer_entrants, run_folder
from benchmarks.bench.plan import Load
from compress.errors import UserError
from compress.files import write_atomically
from compress.progress import Display, Progress

RESULT = "bench.json"
FOLDER = "bench"
"""Of a run, for what is measured of it later."""


def run_bench(
    paths: Sequence[Path],
    load: Load,
    *,
    against: str | None,
    inputs: Path | None,
    peers: bool,
    out: Path | None,
    display: Display,
    files: Sequence[str] = (),
    command: str = "",
) -> tuple[BenchData, Path]:
    """Measure everything that is named.

    What was found is kept after each measurement, so that an interrupted session leaves what it
    had. What the folder holds of other measurements on this machine stays.

    Args:
        paths: Runs, export folders and files.
        load: What each model is put to.
        against: What the others are asked in turn with: the name of one of them, or a file.
        inputs: What to ask files that come without inputs.
        peers: Whether the runs' peers take part.
        out: For logs and `bench.json`; None: `bench` in the run, or a new temporary folder where
            other things than one run are named.
        display: Shows what is being measured.
        files: Names of those to measure, of all that the paths hold; none: all.
        command: What was typed, for the record.

    Returns:
        What was found, and the folder that it is kept in.

    Raises:
        UserError: There is nothing to measure, or a path cannot be used.
    """
    if against is not None and "cpu" not in load.targets:
        raise UserError("--against compares in processes of their own: add --target cpu.")
    if not any(True for _ in load.cases()):
        raise UserError("A browser is asked in single-stream alone: add --scenario single-stream.")
    models = [one for path in paths for one in entrants(path, inputs)]
    if peers:
        models += [one for path in paths for one in peer_entrants(path)]
    models = list(told_apart(models))
    other = None if against is None else _opponent(against, models, inputs)
    if files:
        models = _named(models, files)
    if other is not None and all(one.spec == other.spec for one in models):
        raise UserError(
            f"--against {against}: it is the only one that is measured. Name another, or a copy."
        )
    folder = out or _own_folder(paths)
    try:
        folder.mkdir(parents=True, exist_ok=True)
    except OSError as error:
        said = error.strerror
        raise UserError(f"{folder} cannot be made: {said}. Name another: --out.") from error
    before = _before(folder / RESULT)
    taking_part = models if other is None else [*models, other]
    current = {one.name: one.sha256 for one in taking_part}

    began = datetime.now(UTC).strftime("%Y-%m-%d %H:%M UTC")
    typed = (f"{command}  # {began}",) if command else ()

    def keep(found: BenchData) -> None:
        write_atomically(folder / RESULT, merged(before, noted(found), current).to_json())

    def noted(found: BenchData) -> BenchData:
        return found.model_copy(update={"commands": typed})

    display.stage_started("bench", f"{len(models)} models, logs in {folder}", False)
    session = Bench(load, folder, keep=keep)
    found = noted(session.measure(models, other, Progress(display).advance))
    keep(found)
    return found, folder


def told_apart(models: Sequence[Entrant]) -> Iterator[Entrant]:
    """Yield models with names of their own: with their run's, then with a number."""
    times = Counter(one.name for one in models)
    named = [
        replace(one, name=f"{one.name} ({one.run})") if times[one.name] > 1 else one
        for one in models
    ]
    again, seen = Counter(one.name for one in named), Counter[str]()
    for one in named:
        seen[one.name] += 1
        yield one if again[one.name] == 1 else replace(one, name=f"{one.name} {seen[one.name]}")


def _named(models: Sequence[Entrant], names: Sequence[str]) -> list[Entrant]:
    """Return the models of these names."""
    known = [one.name for one in models]
    for name in names:
        if name not in known:
            raise UserError(f"--file {name}: it is one of {', '.join(known)}.")
    return [one for one in models if one.name in names]


def _before(file: Path) -> BenchData | None:
    try:
        return BenchData.model_validate_json(file.read_text(encoding="utf-8"))
    except (OSError, ValidationError):
        return None


def _own_folder(paths: Sequence[Path]) -> Path:
    if len(paths) == 1 and (found := run_folder(paths[0])) is not None:
        return found / FOLDER
    return Path(tempfile.mkdtemp(prefix="limbeck-bench-"))


def _opponent(named: str, models: Sequence[Entrant], inputs: Path | None) -> Entrant:
    """Return the one model of a name, or that a path names."""
    path = Path(named)
    if not path.exists() and not (Path("runs") / path).exists():
        for one in models:
            if one.name == named:
                return one
        known = ", ".join(one.name for one in models)
        raise UserError(
            f"--against {named}: there is no such file, and it is none of {known}. (With --peers a "
            "run's peers are among them.)"
        )
    found = entrants(path, inputs)
    if len(found) != 1:
        raise UserError(f"--against {path}: it names {len(found)} files; give one of them.")
    (other,) = found
    is_another = any(one.name == other.name and one.spec != other.spec for one in models)
    return replace(other, name=f"{other.name} (--against)") if is_another else other
