"""Puts the measurements of a run together into the report."""

from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from benchmarks.environment import Environment
from benchmarks.latency import Latency
from benchmarks.measurement import Fidelity, Role, Row
from benchmarks.report_data import SCHEMA, ReportData
from compress.metrics import Interval, paired_difference, ratio_interval
from compress.recipe import Budget, Recipe

METRIC = "ndcg@10"
"""What teachers, students and artifacts are compared by."""
NAMES = {"ndcg": "NDCG", "mrr": "MRR", "hit": "Hit", "recall": "Recall"}


@dataclass(frozen=True)
class Measured:
    """A row and what is needed to compare it with others case by case."""

    row: Row
    values: Mapping[str, NDArray[np.float64]] | None
    """`Evaluation.values()`: masked metrics, `[N]` each; None for a file that could not run."""


@dataclass(frozen=True)
class ReportInputs:
    """Everything that a report is made of."""

    recipe: Recipe
    quick: bool
    protocol: Sequence[str]
    counts: Mapping[str, int]
    measured: Sequence[Measured]
    curves: Mapping[str, Sequence[Mapping[str, float]]]
    """Name of a training: one entry an epoch with `epoch`, `loss`, `validation_ndcg@10` and
    `seconds`."""
    environment: Environment
    timings_s: Mapping[str, float]


def build_report(inputs: ReportInputs) -> ReportData:
    """Compare the rows with each other and return the report.

    Raises:
        ValueError: A role is missing or taken twice.
    """
    teacher = _only(inputs.measured, "teacher")
    student = _only(inputs.measured, "student")
    alone = _only(inputs.measured, "student_without_teacher")
    resamples, seed = inputs.recipe.benchmark.bootstrap, inputs.recipe.seed

    def kept(measured: Measured) -> dict[str, Any] | None:
        if measured.row.role in {"baseline", "teacher"}:
            return None
        return _of_metric(_kept_quality(measured, teacher, resamples, seed))

    gain = paired_difference(_values(student), _values(alone), resamples, seed)
    artifacts = [
        _artifact(measured.row, kept(measured)) for measured in _all(inputs.measured, "artifact")
    ]
    budget = _budget(inputs.recipe.budget, artifacts)
    best = _best(artifacts, budget["fits"])
    teacher_row = _row(teacher.row, None)
    return ReportData.model_validate(
        {
            "schema": SCHEMA,
            "headline": _headline(best, teacher_row, keeps_budget=budget["met"]),
            "recipe": inputs.recipe.model_dump(mode="json"),
            "recipe_hash": inputs.recipe.hash,
            "quick": inputs.quick,
            "protocol": tuple(inputs.protocol),
            "counts": dict(inputs.counts),
            "baselines": [_row(one.row, None) for one in _all(inputs.measured, "baseline")],
            "teacher": teacher_row,
            "student": _row(student.row, kept(student)),
            "student_without_teacher": _row(alone.row, kept(alone)),
            "distillation_gain": _of_metric(gain),
            "artifacts": artifacts,
            "best": None if best is None else best["path"],
            "budget": budget,
            "curves": [
                {"name": name, "epochs": [dict(epoch) for epoch in epochs]}
                for name, epochs in inputs.curves.items()
            ],
            "environment": asdict(inputs.environment),
            "timings_s": dict(inputs.timings_s),
        }
    )


def metric_name(metric: str) -> str:
    """Return a metric's key as the field writes it: `ndcg@10` is NDCG@10."""
    name, _, cutoff = metric.partition("@")
    return f"{NAMES.get(name, name)}@{cutoff}"


def times_less(ratio: float) -> str:
    """Say how small something is beside the teacher's: 0.016 is `1/63`, 0.3 `1/3.3`, 1.2 `1.2x`."""
    if ratio >= 0.95:
        return f"{ratio:.1f}×"
    return f"1/{1 / ratio:.0f}" if ratio < 0.1 else f"1/{1 / ratio:.1f}"


def _all(measured: Sequence[Measured], role: Role) -> list[Measured]:
    return [one for one in measured if one.row.role == role]


def _only(measured: Sequence[Measured], role: Role) -> Measured:
    found = _all(measured, role)
    if len(found) != 1:
        raise ValueError(f"a report has one {role}, got {len(found)}")
    return found[0]


def _values(measured: Measured) -> NDArray[np.float64]:
    if measured.values is None:
        raise ValueError(f"{measured.row.name} was not evaluated")
    return measured.values[METRIC]


def _kept_quality(
    measured: Measured, teacher: Measured, resamples: int, seed: int
) -> Interval | None:
    """Return the share of the teacher's metric that is left; None where there is no ratio."""
    if measured.values is None or not _values(teacher).any():
        return None
    return ratio_interval(_values(measured), _values(teacher), resamples, seed)


def _of_metric(interval: Interval | None) -> dict[str, Any] | None:
    return None if interval is None else {"metric": METRIC, **asdict(interval)}


def _row(row: Row, kept: dict[str, Any] | None) -> dict[str, Any]:
    """Return what every row has, whatever it is; null where nothing was measured."""
    latency, quality = row.latency, row.quality
    fidelity = row.fidelity or Fidelity(None, None)
    return {
        "name": row.name,
        "role": row.role,
        "bytes": row.bytes,
        "load_ms": latency and latency.load_ms,
        "peak_rss_mb": latency and latency.peak_rss_mb,
        "rss_before_load_mb": latency and latency.rss_before_load_mb,
        "latency": latency and _latency(latency),
        "quality": quality and _intervals(quality.masked),
        "quality_unmasked": quality and quality.unmasked and _intervals(quality.unmasked),
        "coverage": quality and dict(quality.coverage),
        "short_lists": None if quality is None else quality.short_lists,
        "fidelity": {
            "teacher_overlap@10": fidelity.teacher_overlap,
            "student_overlap@10": fidelity.student_overlap,
            "max_abs_difference": fidelity.max_abs_difference,
        },
        "kept_quality": kept,
    }


def _artifact(row: Row, kept: dict[str, Any] | None) -> dict[str, Any]:
    if row.file is None:
        raise ValueError(f"{row.name} is no artifact: it names no file")
    return _row(row, kept) | asdict(row.file)


def _latency(latency: Latency) -> dict[str, Any]:
    percentiles = {"p50": 50.0, "p90": 90.0, "p95": 95.0}
    return {
        "scenario": latency.scenario,
        "threads": latency.threads,
        "queries": latency.queries,
        "p50_ms": latency.p50_ms,
        "p90_ms": latency.p90_ms,
        "p95_ms": latency.p95_ms,
        "p99_ms": latency.p99_ms,
        "p99_9_ms": latency.p99_9_ms,
        "unsupported": [name for name, at in percentiles.items() if not latency.supports(at)],
        "harness_us": latency.overhead_us,
        "valid": latency.valid,
    }


def _intervals(metrics: Mapping[str, Interval]) -> dict[str, Any]:
    return {name: asdict(interval) for name, interval in metrics.items()}


def _budget(budget: Budget, artifacts: Sequence[dict[str, Any]]) -> dict[str, Any]:
    """Hold every limit that the recipe sets against every artifact."""
    limits = budget.model_dump(exclude_none=True)
    verdicts = []
    for artifact in artifacts:
        for limit, allowed in limits.items():
            reached = _reached(limit, artifact)
            met = reached is not None and (
                reached >= allowed if limit == "kept_quality" else reached <= allowed
            )
            verdicts.append(
                {
                    "limit": limit,
                    "path": artifact["path"],
                    "allowed": allowed,
                    "reached": reached,
                    "met": met,
                }
            )
    broken = {verdict["path"] for verdict in verdicts if not verdict["met"]}
    fits = [one["path"] for one in artifacts if one["usable"] and one["path"] not in broken]
    return {"limits": limits, "verdicts": verdicts, "fits": fits, "met": bool(fits)}


def _reached(limit: str, artifact: dict[str, Any]) -> float | None:
    if limit == "megabytes":
        return float(artifact["bytes"]) / 1e6
    if limit == "milliseconds":
        return artifact["latency"] and float(artifact["latency"]["p90_ms"])
    return artifact["kept_quality"] and float(artifact["kept_quality"]["value"])


def _best(artifacts: Sequence[dict[str, Any]], fits: Sequence[str]) -> dict[str, Any] | None:
    """Return the smallest file that keeps the budget, else the smallest usable one, if any."""
    usable = [artifact for artifact in artifacts if artifact["usable"]]
    fitting = [artifact for artifact in usable if artifact["path"] in fits]
    return min(fitting or usable, key=lambda artifact: int(artifact["bytes"]), default=None)


def _headline(best: dict[str, Any] | None, teacher: dict[str, Any], *, keeps_budget: bool) -> str:
    """Return the run in one sentence."""
    if best is None:
        return "No artifact is usable: see why each one was refused."
    size = times_less(best["bytes"] / teacher["bytes"])
    p90 = times_less(best["latency"]["p90_ms"] / teacher["latency"]["p90_ms"])
    cost = f"at {size} of its size and {p90} of its p90 latency"
    kept = best["kept_quality"]
    end = "." if keeps_budget else ", but it breaks the budget."
    if kept is None:
        return f"{best['name']} replaces the teacher {cost}{end}"
    return (
        f"{best['name']} keeps {kept['value']:.1%} [{kept['low'] * 100:.1f}, "
        f"{kept['high'] * 100:.1f}] of the teacher’s {metric_name(METRIC)} {cost}{end}"
    )
