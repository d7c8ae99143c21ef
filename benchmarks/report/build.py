"""Puts the measurements of a run together into the report."""

from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass
from typing import Any

from benchmarks.bench.data import BenchData
from benchmarks.browser.data import BrowserData
from benchmarks.environment import Environment
from benchmarks.groups.data import GroupsData
from benchmarks.measurement import Fidelity, PeerComparison, Role, Row
from benchmarks.peers.record import PeerNotMeasured, PeerRoute
from benchmarks.report.budget import best_artifact, budget_data
from benchmarks.report.data import SCHEMA, ReportData
from benchmarks.report.task_view import FidelityMeasure, task_view
from benchmarks.report.wording import times_less
from benchmarks.robustness.data import RobustnessData
from benchmarks.roofline.data import RooflineData
from benchmarks.timing.timing import Timing
from compress.metrics import (
    ClassFigures,
    Interval,
    Statistic,
    metric_name,
    paired_difference,
    ratio_interval,
)
from compress.recipe import AnyRecipe, NextItemRecipe
from export.artifact import NotWritten


@dataclass(frozen=True)
class Measured:
    """A row and what is needed to compare it with others case by case."""

    row: Row
    statistics: Mapping[str, Statistic] | None
    """`Evaluation.statistics()`: every metric, over the same units in every row; None for a file
    whose quality was not measured."""


@dataclass(frozen=True)
class ReportInputs:
    """Everything that a report is made of."""

    recipe: AnyRecipe
    quick: bool
    protocol: Sequence[str]
    counts: Mapping[str, int]
    measured: Sequence[Measured]
    curves: Mapping[str, Sequence[Mapping[str, float]]]
    """Name of a training: one entry an epoch with `epoch`, `loss`, `seconds` and the task's metric,
    such as `validation_ndcg@10`."""
    environment: Environment
    timings_s: Mapping[str, float]
    warnings: Sequence[str] = ()
    """What the data set's own checks found, one sentence each."""
    peer_comparisons: Sequence[PeerComparison] = ()
    peer_routes: Sequence[PeerRoute] = ()
    peers_not_measured: Sequence[PeerNotMeasured] = ()
    not_written: Sequence[NotWritten] = ()
    """Files that the recipe asks for and that could not be written."""
    groups: GroupsData | None = None
    """Next-item: quality by group, exposure of items."""
    scenarios: BenchData | None = None
    """The files beyond single-stream."""
    browser: BrowserData | None = None
    roofline: RooflineData | None = None
    robustness: RobustnessData | None = None


def build_report(inputs: ReportInputs) -> ReportData:
    """Compare the rows with each other and return the report.

    Raises:
        ValueError: A role is missing or taken twice, a row lacks the task's metric, or the
            comparison with a peer names a row that is not there.
    """
    view = task_view(inputs.recipe.task.kind)
    teacher = _only(inputs.measured, "teacher")
    student = _only(inputs.measured, "student")
    alone = _only(inputs.measured, "student_without_teacher")
    resamples, seed = inputs.recipe.benchmark.bootstrap, inputs.recipe.seed

    def of_metric(interval: Interval) -> dict[str, Any]:
        return {"metric": view.metric, **asdict(interval)}

    def kept(measured: Measured) -> dict[str, Any] | None:
        if measured.row.role in {"baseline", "teacher"} or measured.statistics is None:
            return None
        of_teacher = _statistic(teacher, view.metric)
        if not of_teacher.value:
            return None  # A teacher that finds nothing leaves no ratio.
        own = _statistic(measured, view.metric)
        return of_metric(ratio_interval(own, of_teacher, resamples, seed))

    def row(measured: Measured) -> dict[str, Any]:
        return _row(measured.row, kept(measured), view.fidelity_measure)

    def rows(role: Role) -> list[dict[str, Any]]:
        return [row(measured) for measured in _all(inputs.measured, role)]

    gain = paired_difference(
        _statistic(student, view.metric), _statistic(alone, view.metric), resamples, seed
    )
    artifacts, peers, teacher_row = rows("artifact"), rows("peer"), row(teacher)
    recipe, groups = inputs.recipe, inputs.groups
    protect = recipe.protect if isinstance(recipe, NextItemRecipe) else ()
    budget = budget_data(recipe.budget, artifacts, protect, groups)
    best = best_artifact(artifacts, budget["fits"])
    return ReportData.model_validate(
        {
            "schema": SCHEMA,
            "task": inputs.recipe.task.kind,
            "metric": view.metric,
            "headline": _headline(best, teacher_row, artifacts, budget["fits"]),
            "recipe": inputs.recipe.model_dump(mode="json"),
            "recipe_hash": inputs.recipe.hash,
            "quick": inputs.quick,
            "protocol": tuple(inputs.protocol),
            "warnings": tuple(inputs.warnings),
            "counts": dict(inputs.counts),
            "baselines": rows("baseline"),
            "teacher": teacher_row,
            "student": row(student),
            "student_without_teacher": row(alone),
            "distillation_gain": of_metric(gain),
            "artifacts": artifacts,
            "not_written": [asdict(one) for one in inputs.not_written],
            "peers": peers,
            "peer_comparisons": _peer_comparisons(inputs.peer_comparisons, artifacts, peers),
            "peer_routes": [asdict(one) for one in inputs.peer_routes],
            "peers_not_measured": [asdict(one) for one in inputs.peers_not_measured],
            "best": None if best is None else best["path"],
            "budget": budget,
            "groups": groups,
            "scenarios": inputs.scenarios,
            "browser": inputs.browser,
            "roofline": inputs.roofline,
            "robustness": inputs.robustness,
            "curves": [
                {"name": name, "epochs": [_epoch(epoch, view.metric) for epoch in epochs]}
                for name, epochs in inputs.curves.items()
            ],
            "environment": asdict(inputs.environment),
            "timings_s": dict(inputs.timings_s),
        }
    )


def _all(measured: Sequence[Measured], role: Role) -> list[Measured]:
    return [one for one in measured if one.row.role == role]


def _only(measured: Sequence[Measured], role: Role) -> Measured:
    found = _all(measured, role)
    if len(found) != 1:
        raise ValueError(f"a report has one {role}, got {len(found)}")
    return found[0]


def _statistic(measured: Measured, metric: str) -> Statistic:
    if measured.statistics is None:
        raise ValueError(f"{measured.row.name} was not evaluated")
    if metric not in measured.statistics:
        raise ValueError(f"{measured.row.name} has no {metric}: {sorted(measured.statistics)}")
    return measured.statistics[metric]


def _row(row: Row, kept: dict[str, Any] | None, measure: FidelityMeasure) -> dict[str, Any]:
    """Return what every row has, whatever it is; null where nothing was measured."""
    latency, quality = row.latency, row.quality
    fidelity = row.fidelity or Fidelity(None, None)
    found = {
        "name": row.name,
        "role": row.role,
        "bytes": row.bytes,
        "load_ms": latency and latency.load_ms,
        "peak_rss_mb": latency and latency.peak_rss_mb,
        "rss_before_load_mb": latency and latency.rss_before_load_mb,
        "latency": latency and _latency(latency),
        "cold_start_ms": row.cold_start_ms,
        "p90_ratio_to_teacher": row.p90_ratio_to_teacher and asdict(row.p90_ratio_to_teacher),
        "quality": quality and _as_dicts(quality.metrics),
        "quality_unmasked": quality and quality.unmasked and _as_dicts(quality.unmasked),
        "coverage": quality and quality.coverage,
        "short_lists": quality and quality.short_lists,
        "classes": quality and quality.classes and _as_dicts(quality.classes),
        "fidelity": {"measure": measure, **asdict(fidelity)},
        "kept_quality": kept,
    }
    return found | (asdict(row.file) if row.file is not None else {})


def _latency(latency: Timing) -> dict[str, Any]:
    percentiles = {"p50": 50.0, "p90": 90.0, "p95": 95.0}
    return {
        "scenario": latency.scenario,
        "threads": latency.threads,
        "pinned_to": latency.pinned_to,
        "queries": latency.queries,
        "examples": latency.examples,
        "throughput": latency.throughput,
        "p50_ms": latency.p50_ms,
        "p90_ms": latency.p90_ms,
        "p95_ms": latency.p95_ms,
        "p99_ms": latency.p99_ms,
        "p99_9_ms": latency.p99_9_ms,
        "unsupported": [name for name, at in percentiles.items() if not latency.supports(at)],
        "harness_us": latency.overhead_us,
        "noise_drift": latency.noise.drift,
        "quiet": latency.noise.is_quiet,
        **asdict(latency.conduct),
        "valid": latency.valid,
        "broken": [asdict(one) for one in latency.broken],
    }


def _as_dicts(values: Mapping[str, Interval] | Mapping[str, ClassFigures]) -> dict[str, Any]:
    return {name: asdict(value) for name, value in values.items()}


def _epoch(epoch: Mapping[str, float], metric: str) -> dict[str, float]:
    return {
        "epoch": epoch["epoch"],
        "loss": epoch["loss"],
        "validation": epoch[f"validation_{metric}"],
        "seconds": epoch["seconds"],
    }


def _peer_comparisons(
    comparisons: Sequence[PeerComparison],
    artifacts: Sequence[dict[str, Any]],
    peers: Sequence[dict[str, Any]],
) -> list[dict[str, Any]]:
    ours = {row["name"] for row in artifacts}
    theirs = {row["name"] for row in peers} | {"student"}
    for one in comparisons:
        for name, rows in ((one.ours, ours), (one.peer, theirs)):
            if name not in rows:
                raise ValueError(f"the comparison with a peer names {name}, which is no row")
    return [asdict(one) for one in comparisons]


def _headline(
    best: dict[str, Any] | None,
    teacher: dict[str, Any],
    artifacts: Sequence[dict[str, Any]],
    fits: Sequence[str],
) -> str:
    """Return the run in one sentence."""
    if best is None:
        return _without_best(artifacts)
    size = times_less(best["bytes"] / teacher["bytes"])
    in_turn = best["p90_ratio_to_teacher"]
    of_two_sessions = best["latency"]["p90_ms"] / teacher["latency"]["p90_ms"]
    p90 = times_less(of_two_sessions if in_turn is None else in_turn["value"])
    cost = f"at {size} of its size and {p90} of its p90 latency"
    kept = best["kept_quality"]
    end = "." if best["path"] in fits else ", but it breaks the budget."
    if kept is None:
        return f"{best['name']} replaces the teacher {cost}{end}"
    return (
        f"{best['name']} keeps {kept['value']:.1%} [{kept['low'] * 100:.1f}, "
        f"{kept['high'] * 100:.1f}] of the teacher’s {metric_name(kept['metric'])} {cost}{end}"
    )


def _without_best(artifacts: Sequence[dict[str, Any]]) -> str:
    """Say why there is no file to speak of."""
    if not artifacts:
        return "No file could be written: see what stood in the way of each one."
    if any(one["usable"] for one in artifacts):
        return "The files that agree with the student could not be timed on this machine."
    if any(one["refused_because"] is None for one in artifacts):
        return "No file could be run on this machine: see how each one was checked instead."
    return "No artifact is usable: see why each one was refused."
