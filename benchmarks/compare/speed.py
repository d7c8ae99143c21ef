"""The files of several runs asked in turn: which is faster, and by how much."""

from collections.abc import Sequence
from pathlib import Path
from tempfile import TemporaryDirectory

import numpy as np

from benchmarks.compare.runs import ComparedRun
from benchmarks.stages.subjects import Subject, subjects
from benchmarks.timing.turn_count import Turns
from benchmarks.timing.turns import measure_in_turns, percentile_ratio
from compress.errors import UserError
from compress.metrics import Interval
from export.record import damage, sidecar_damage
from export.rows import ARTIFACTS, SAMPLES
from export.runner import RunnerSpec
from export.samples import Samples

TURNS = Turns()
QUERIES_A_ROUND = 128


def p90_ratios(
    base: ComparedRun, others: Sequence[ComparedRun], file: str | None, threads: int
) -> list[Interval]:
    """Ask the files of all runs in turn, each in a fresh process, batch 1.

    Each is asked with the test split of its own run as its model takes it; of runs over the same
    test cases these are the same examples.

    Args:
        base: What the others are held against.
        others: M runs.
        file: Name of the row; None for the file that each run would ship.
        threads: Threads that the runtimes may use.

    Returns:
        M ratios of the 90th percentiles, other / base, with their 95% intervals over the restarts.

    Raises:
        UserError: A file or its samples are not there, or are not what was measured, or cannot be
            run on this machine.
    """
    specs, samples = [], []
    for run in (base, *others):
        row, folder = _subject(run, run.artifact(file).path)
        specs.append(RunnerSpec(row.runtime, str((folder / row.path).resolve())))
        samples.append(_samples(run, folder / SAMPLES / row.inputs))
    fewest = min(map(len, samples))
    with TemporaryDirectory(prefix="limbeck-compare-") as logs:
        found = measure_in_turns(
            specs,
            [_evenly(one, fewest) for one in samples],
            turns=TURNS,
            queries=QUERIES_A_ROUND,
            threads=threads,
            log_folder=Path(logs),
        )
    return [percentile_ratio(own, found[0]) for own in found[1:]]


def _subject(run: ComparedRun, path: str) -> tuple[Subject, Path]:
    """Return what is to be run of a run, and its export folder."""
    folder = None if run.folder is None else run.folder / "export"
    if folder is None or not (folder / ARTIFACTS).is_file():
        raise UserError(
            f"--latency: {run.name} is a report without the run's export folder, so there is no "
            "file to ask. Give the run's folder, or leave --latency out."
        )
    for row in subjects(folder):
        if row.artifact is None or f"export/{row.path}" != path:
            continue
        if not row.can_be_timed:
            raise UserError(
                f"--latency: {row.name} of {run.name} does not run on this machine. Choose a file "
                "that does with --file, or leave --latency out."
            )
        if faults := [*damage(folder, row.artifact), *sidecar_damage(folder, row.artifact)]:
            raise UserError(
                f"--latency: {row.name} of {run.name} is not the file whose quality was measured: "
                f"{'; '.join(faults)}. Run the recipe again."
            )
        return row, folder
    raise UserError(
        f"--latency: the report of {run.name} names {path}, its export folder does not. Run the "
        "recipe again."
    )


def _samples(run: ComparedRun, path: Path) -> Samples:
    try:
        return Samples.load(path)
    except (OSError, ValueError, KeyError) as error:
        raise UserError(
            f"--latency: what {run.name} is asked with cannot be read: {path} ({error}). Copy the "
            "whole run, or leave --latency out."
        ) from error


def _evenly(samples: Samples, count: int) -> Samples:
    """Return that many of the examples, taken evenly."""
    if len(samples) == count:
        return samples
    return samples.take(np.linspace(0, len(samples) - 1, count).astype(np.int64))
