"""The stage that measures the latency of every row, the same for all tasks."""

import json
import shutil
from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass
from pathlib import Path
from statistics import median
from typing import TYPE_CHECKING, Any

from benchmarks.peers.record import STAGE as PEERS
from benchmarks.stages.subjects import Subject, read_json, samples_of, subjects
from benchmarks.timing.turn_count import Turns
from compress.files import file_sha256, write_atomically
from compress.recipe import Recipe, content_hash
from compress.reuse import made_before, note_made
from compress.stage import Stage, StageContext
from export.runner import RunnerSpec, runner_spec_of

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from benchmarks.timing.timing import Timing
    from compress.metrics import Interval
    from export.samples import Samples

NAME = "latency"
CONDITIONS = "conditions.json"
"""How the rows were measured."""
RATIOS = "ratios.json"
"""By the name of a row: its p90 over the teacher's, both asked in turn, with its interval."""
QUICK_QUERIES = 64
QUICK_SECONDS = 2.0
FULL_TURNS, QUICK_TURNS = Turns(), Turns(restarts=4, rounds=1)
"""Of each row in the session with the teacher."""
FULL_STARTS, QUICK_STARTS = 3, 1
"""Cold starts of a row."""
LOGS = "loadgen"
"""LoadGen's logs and the raw latencies, a folder a row."""
TURNS_LOGS = "turns"
"""The raw latencies of the rows asked in turn."""


@dataclass(frozen=True)
class RowLatency:
    """What the stage measured of one row."""

    timing: "Timing"
    """Single stream."""
    cold_start_ms: float
    """Process start to first answer, the median of the starts."""
    p90_ratio_to_teacher: "Interval | None"
    """None for the teacher itself."""


def read_row_latency(folder: Path, row: Subject) -> RowLatency:
    """Read what the finished stage measured of a row.

    Args:
        folder: Of the stage.
        row: One that can be timed.
    """
    from benchmarks.timing.timing import Timing
    from compress.metrics import Interval

    ratio = read_json(folder / RATIOS).get(row.name)
    return RowLatency(
        Timing.from_json((folder / f"{row.slug}.json").read_text(encoding="utf-8")),
        median(read_json(folder / _cold_file(row))),
        None if ratio is None else Interval(**ratio),
    )


def queries_and_seconds(recipe: Recipe, quick: bool) -> tuple[int, float]:
    """How many queries a row is asked at least, and for how long at least."""
    if quick:
        return QUICK_QUERIES, min(QUICK_SECONDS, recipe.benchmark.seconds)
    return recipe.benchmark.queries, recipe.benchmark.seconds


def turns_of(quick: bool) -> Turns:
    """How many turns a model has beside others."""
    return QUICK_TURNS if quick else FULL_TURNS


def cold_starts_of(quick: bool) -> int:
    """How often a model is started for its cold start."""
    return QUICK_STARTS if quick else FULL_STARTS


def run_conditions(run_folder: Path) -> tuple[bool, bool]:
    """Return whether a run was measured quickly, and whether peers were measured beside."""
    conditions = run_folder / NAME / CONDITIONS
    quick = bool(read_json(conditions)["quick"]) if conditions.is_file() else False
    return quick, (run_folder / PEERS).is_dir()


def answers_of(quality_folder: Path, slug: str) -> "Mapping[str, NDArray[Any]] | None":
    """Return what a row answered when its quality was measured, `[N, ...]` by name.

    The answers that are timed are held against these: the figures of quality and of latency are
    then of the same answers.

    Args:
        quality_folder: Of the finished stage.
        slug: Of the row.

    Returns:
        None where its quality was not measured.
    """
    import numpy as np

    file = quality_folder / f"{slug}.npz"
    if not file.is_file():
        return None
    with np.load(file, allow_pickle=False) as stored:
        if "top" in stored.files:
            return {"item_ids": stored["top"]}
        task = json.loads(str(stored["about"]))["task"]
        name = "score" if task.get("relevance") == "score" else "probabilities"
        return {name: stored["answers"]}


def latency_stage(quick: bool) -> Stage[Recipe]:
    """The stage that measures latency: as the recipe says, or quickly."""

    def work(context: StageContext[Recipe]) -> None:
        from benchmarks.environment import current_environment

        queries, seconds = queries_and_seconds(context.recipe, quick)
        export_folder = context.inputs["export"]
        rows = [row for row in subjects(export_folder) if row.can_be_timed]
        samples = samples_of(rows, export_folder)
        environment = asdict(current_environment())
        conditions = (queries, seconds, context.recipe.benchmark.threads, quick, environment)
        for order, row in enumerate(rows):
            context.progress.advance(
                f"{row.name}: at least {queries:,} queries and {seconds:g} s",
                order / (len(rows) + 1),
            )
            _measure_row(context, row, samples[row.inputs], quick, conditions)
        context.progress.advance("all rows in turn", len(rows) / (len(rows) + 1))
        _measure_ratios(context, rows, samples, quick, conditions)
        write_atomically(
            context.folder / CONDITIONS,
            json.dumps(
                {
                    "quick": quick,
                    "queries": queries,
                    "seconds": seconds,
                    "environment": environment,
                },
                indent=1,
            ),
        )

    return Stage(
        name=NAME,
        title="Measure the latency of every row" + (" (quick)" if quick else ""),
        needs=("export", "quality"),
        version=6,
        settings=lambda recipe: [
            *queries_and_seconds(recipe, quick),
            recipe.benchmark.threads,
            asdict(turns_of(quick)),
        ],
        work=work,
    )


def _measure_row(
    context: StageContext[Recipe],
    row: Subject,
    samples: "Samples",
    quick: bool,
    conditions: Sequence[object],
) -> None:
    """Ask one row alone: single stream, and from a cold start."""
    from benchmarks.timing.cold_start import cold_start_ms
    from benchmarks.timing.measure import measure
    from benchmarks.timing.scenario import Scenario

    answered = context.inputs["quality"] / f"{row.slug}.npz"
    right = file_sha256(answered) if answered.is_file() else None
    key = content_hash([row.sha256, samples.sha256(), right, *conditions])
    if made_before(context, row.slug, key) is not None:
        return
    spec = _spec(context, row)
    threads = context.recipe.benchmark.threads
    logs = context.folder / LOGS / row.slug
    shutil.rmtree(logs, ignore_errors=True)
    timing = measure(
        spec,
        samples,
        Scenario("single-stream", *queries_and_seconds(context.recipe, quick)),
        threads=threads,
        log_folder=logs,
        reference=answers_of(context.inputs["quality"], row.slug),
    )
    starts = cold_start_ms(
        spec,
        samples,
        threads=threads,
        log_folder=logs / "cold-start",
        starts=cold_starts_of(quick),
    )
    write_atomically(context.folder / f"{row.slug}.json", timing.to_json())
    write_atomically(context.folder / _cold_file(row), json.dumps(starts))
    made = (f"{row.slug}.json", _cold_file(row), f"{LOGS}/{row.slug}")
    note_made(context, row.slug, key, made, row.name)


def _measure_ratios(
    context: StageContext[Recipe],
    rows: Sequence[Subject],
    samples: "Mapping[str, Samples]",
    quick: bool,
    conditions: Sequence[object],
) -> None:
    """Ask all rows in turn, and hold each against the teacher."""
    from benchmarks.timing.turns import measure_in_short_turns, percentile_ratio

    asked = [(row.name, row.sha256, samples[row.inputs].sha256()) for row in rows]
    key = content_hash([asked, asdict(turns_of(quick)), *conditions])
    if made_before(context, "ratios", key) is not None:
        return
    logs = context.folder / TURNS_LOGS
    shutil.rmtree(logs, ignore_errors=True)
    taken = measure_in_short_turns(
        [_spec(context, row) for row in rows],
        [samples[row.inputs] for row in rows],
        turns=turns_of(quick),
        threads=context.recipe.benchmark.threads,
        log_folder=logs,
    )
    (teacher,) = (own for row, own in zip(rows, taken, strict=True) if row.role == "teacher")
    ratios = {
        row.name: asdict(percentile_ratio(own, teacher))
        for row, own in zip(rows, taken, strict=True)
        if row.role != "teacher"
    }
    write_atomically(context.folder / RATIOS, json.dumps(ratios, indent=1))
    note_made(context, "ratios", key, (RATIOS, TURNS_LOGS), "ratios")


def _spec(context: StageContext[Recipe], row: Subject) -> RunnerSpec:
    return runner_spec_of(row.runtime, (context.inputs["export"] / row.path).resolve())


def _cold_file(row: Subject) -> str:
    return f"{row.slug}.cold-start.json"
