"""What `limbeck bench` does: find the models, measure them, keep what was found."""

import tempfile
from collections import Counter
from collections.abc import Sequence
from dataclasses import replace
from pathlib import Path

from benchmarks.bench.bench import bench
from benchmarks.bench.data import BenchData
from benchmarks.bench.entrant import Entrant, entrants, peer_entrants, run_folder
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
    against: Path | None,
    inputs: Path | None,
    peers: bool,
    out: Path | None,
    display: Display,
) -> tuple[BenchData, Path]:
    """Measure everything that is named.

    Args:
        paths: Runs, export folders and files.
        load: What each model is put to.
        against: A file that the others are asked in turn with.
        inputs: What to ask files that come without inputs.
        peers: Whether the runs' peers take part.
        out: For logs and `bench.json`; None: `bench` in the run, or a new temporary folder where
            other things than one run are named.
        display: Shows what is being measured.

    Returns:
        What was found, and the folder that it is kept in.

    Raises:
        UserError: There is nothing to measure, or a path cannot be used.
    """
    models = [one for path in paths for one in entrants(path, inputs)]
    if peers:
        models += [one for path in paths for one in peer_entrants(path)]
    other = None if against is None else _only(against, inputs)
    folder = out or _own_folder(paths)
    try:
        folder.mkdir(parents=True, exist_ok=True)
    except OSError as error:
        said = error.strerror
        raise UserError(f"{folder} cannot be made: {said}. Name another: --out.") from error
    progress = Progress(display)
    display.stage_started("bench", f"{len(models)} models, logs in {folder}", False)
    found = bench(
        _told_apart(models), load, log_folder=folder, against=other, advance=progress.advance
    )
    write_atomically(folder / RESULT, found.to_json())
    return found, folder


def _own_folder(paths: Sequence[Path]) -> Path:
    if len(paths) == 1 and (found := run_folder(paths[0])) is not None:
        return found / FOLDER
    return Path(tempfile.mkdtemp(prefix="limbeck-bench-"))


def _only(path: Path, inputs: Path | None) -> Entrant:
    """The one model that a path names."""
    found = entrants(path, inputs)
    if len(found) != 1:
        raise UserError(f"--against {path}: it names {len(found)} files; give one of them.")
    return found[0]


def _told_apart(models: Sequence[Entrant]) -> list[Entrant]:
    """Give models of the same name the folder that they come from."""
    times = Counter(one.name for one in models)
    return [
        one
        if times[one.name] == 1
        else replace(one, name=f"{one.name} ({Path(one.spec.path).parent.parent.name})")
        for one in models
    ]
