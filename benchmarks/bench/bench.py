"""Measuring models one after the other, and in turn."""

from collections.abc import Callable, Sequence
from dataclasses import asdict
from pathlib import Path
from statistics import median

import numpy as np

from benchmarks.bench.data import (
    BenchComparisonData,
    BenchData,
    BenchEnvironmentData,
    BenchRowData,
    NotMeasuredData,
)
from benchmarks.bench.entrant import Entrant
from benchmarks.bench.made_up import made_up_samples
from benchmarks.bench.plan import Case, Load
from benchmarks.environment import current_environment
from benchmarks.report.shape import IntervalData
from compress.errors import UserError
from export.file_inputs import file_inputs
from export.samples import Samples

ROUNDS = 16
QUERIES_A_TURN = 64
COLD_STARTS = 3

Advance = Callable[[str, float], None]


def bench(
    models: Sequence[Entrant],
    load: Load,
    *,
    log_folder: Path,
    against: Entrant | None = None,
    cold_starts: int = COLD_STARTS,
    advance: Advance = lambda note, done: None,
) -> BenchData:
    """Measure models one after the other; what cannot be measured is listed with its reason.

    Args:
        models: What takes part.
        load: What each is put to.
        log_folder: Gets LoadGen's logs, the raw latencies and the jobs, a folder a measurement.
        against: A model that each of the others is asked in turn with.
        cold_starts: Processes started for each cold start.
        advance: Told what is being measured, and how much is done, 0...1.
    """
    cases = list(load.cases())
    steps = [(model, case) for model in models for case in cases]
    rows: list[BenchRowData] = []
    missing: list[NotMeasuredData] = []
    for done, (model, case) in enumerate(steps):
        advance(f"{model.name}: {case.slug}", done / max(1, len(steps)))
        if any((one.name, one.target) == (model.name, case.target) for one in missing):
            continue
        try:
            rows.append(_row(model, case, log_folder, cold_starts))
        except UserError as error:
            because = str(error).splitlines()[0]
            missing.append(NotMeasuredData(name=model.name, target=case.target, because=because))
    comparisons = []
    if against is not None and "cpu" in load.targets:
        left_out = {one.name for one in missing if one.target == "cpu"}
        for model in models:
            if model.name in left_out or model.spec == against.spec:
                continue
            advance(f"{model.name} and {against.name} in turn", 1.0)
            comparisons += [
                compare_in_turns(model, against, threads, log_folder) for threads in load.threads
            ]
    return BenchData(
        environment=BenchEnvironmentData.model_validate(asdict(current_environment())),
        rows=tuple(rows),
        comparisons=tuple(comparisons),
        not_measured=tuple(missing),
    )


def _row(model: Entrant, case: Case, log_folder: Path, cold_starts: int) -> BenchRowData:
    folder = log_folder / slug_of(model.name) / case.slug
    if case.target == "browser":
        from benchmarks.bench.in_browser import browser_row

        return browser_row(model, case, folder)
    if model.cannot_run:
        raise UserError(model.cannot_run)
    from benchmarks.timing.cold_start import cold_start_ms
    from benchmarks.timing.measure import measure

    timing = measure(
        model.spec,
        model.samples,
        case.scenario,
        threads=case.threads,
        log_folder=folder,
        reference=model.expected,
    )
    cold = None
    if case.scenario.name == "single-stream" and cold_starts:
        cold = median(
            cold_start_ms(
                model.spec,
                model.samples,
                threads=case.threads,
                log_folder=folder / "cold-start",
                starts=cold_starts,
            )
        )
    return BenchRowData.of(
        timing,
        name=model.name,
        runtime=model.spec.runtime,
        size=model.bytes,
        asked_with=model.asked_with,
        cold_start_ms=cold,
    )


def compare_in_turns(
    model: Entrant, against: Entrant, threads: int, log_folder: Path
) -> BenchComparisonData:
    """Ask two models in turn, A B B A, about the same examples, and hold their p90 side by side."""
    from benchmarks.timing.turns import measure_in_turns, percentile_ratio

    own, theirs = measure_in_turns(
        [model.spec, against.spec],
        [model.samples, samples_for(against, model.samples)],
        rounds=ROUNDS,
        queries=QUERIES_A_TURN,
        threads=threads,
        log_folder=log_folder / slug_of(model.name) / f"in-turn-{threads}t",
    )
    ratio = percentile_ratio(own, theirs)
    return BenchComparisonData(
        name=model.name,
        against=against.name,
        threads=threads,
        p90_ratio=IntervalData.model_validate(asdict(ratio)),
        rounds=ROUNDS,
    )


def samples_for(model: Entrant, samples: Samples) -> Samples:
    """Return another model's examples as this one takes them.

    Where it takes the same names they are the same examples, in its own types; otherwise as many of
    its own.
    """
    declared = file_inputs(Path(model.spec.path))
    if all(one.name in samples.arrays for one in declared):
        arrays = {
            one.name: samples.arrays[one.name]
            if one.dtype == "string"
            else samples.arrays[one.name].astype(one.dtype)
            for one in declared
        }
        return Samples(arrays, samples.lengths)
    if model.expected is None:
        return made_up_samples(declared, model.name, len(samples))
    return model.samples.take(np.resize(np.arange(len(model.samples)), len(samples)))


def slug_of(name: str) -> str:
    """Name a model's folder: letters, digits, `.`, `-` and `_`."""
    return "".join(one if one.isalnum() or one in "._-" else "-" for one in name)
