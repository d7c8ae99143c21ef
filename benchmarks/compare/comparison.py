"""Holds runs against a base: every change with its interval, and what fails."""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass

from benchmarks.compare.cases import have_same_cases
from benchmarks.compare.change import paired_change, published_change, unpaired_change
from benchmarks.compare.data import (
    SCHEMA,
    ChangeData,
    CompareData,
    ComparisonData,
    Method,
    ModelData,
    SpeedData,
)
from benchmarks.compare.notes import notes_of_files, notes_of_runs, refusals
from benchmarks.compare.runs import ComparedRun, require_comparable
from benchmarks.compare.verdicts import (
    quality_fails,
    quality_verdict,
    speed_fails,
    speed_verdict,
)
from benchmarks.report.data import ArtifactData, RowData
from benchmarks.report.shape import interval_data
from benchmarks.report.wording import share, with_minus
from compress.errors import UserError
from compress.metrics import Interval, metric_name

MAX_SLOWDOWN = 0.1
"""What is allowed where latency is asked for and nothing else is said."""


@dataclass(frozen=True)
class Limits:
    """What a run may lose.

    Raises:
        UserError: A limit is negative, or a drop of everything is allowed.
    """

    max_drop: float = 0.01
    """Of the base's metric: 0.01 is 1% of it."""
    max_slowdown: float | None = None
    """Of the base's p90; None: latency is not asked for."""
    strict: bool = False
    """Whether it has to be shown that no more than that is lost."""

    def __post_init__(self) -> None:
        if not 0.0 <= self.max_drop < 1.0:
            raise UserError(
                f"--max-drop {self.max_drop:g}: write a share from 0 to below 1, such as 0.01 for "
                "1% of the base's metric."
            )
        if self.max_slowdown is not None and not 0.0 <= self.max_slowdown < float("inf"):
            raise UserError(
                f"--max-slowdown {self.max_slowdown:g}: write a share from 0, such as 0.1 for 10%."
            )


def compare_runs(
    base: ComparedRun, others: Sequence[ComparedRun], limits: Limits, file: str | None = None
) -> CompareData:
    """Compare runs with a base.

    Args:
        base: What the others are held against.
        others: At least one run of the same task.
        limits: What they may lose; a largest slowdown has the files asked in turn, now.
        file: Name of the row to compare; None for the file that each run would ship.

    Raises:
        UserError: There is nothing to compare with, or the runs have no common measure.
    """
    if not others:
        raise UserError("Name at least two runs: limbeck compare BASE OTHER…")
    for other in others:
        require_comparable(base, other)
    speeds: list[SpeedData | None] = [None] * len(others)
    if limits.max_slowdown is not None:
        speeds = [*_speeds(base, others, limits.max_slowdown, file)]
    comparisons = tuple(
        _comparison(base, other, limits, file, speed)
        for other, speed in zip(others, speeds, strict=True)
    )
    return CompareData(
        schema_=SCHEMA,
        task=base.report.task,
        metric=base.report.metric,
        base=base.name,
        max_drop=limits.max_drop,
        max_slowdown=limits.max_slowdown,
        strict=limits.strict,
        comparisons=comparisons,
        passed=not any(one.failures for one in comparisons),
    )


def _comparison(
    base: ComparedRun,
    other: ComparedRun,
    limits: Limits,
    file: str | None,
    speed: SpeedData | None,
) -> ComparisonData:
    same_cases = have_same_cases(base, other)
    shipped = _change(base, base.artifact(file), other, other.artifact(file), same_cases)
    if shipped.relative is None:
        raise UserError(
            f"{base.name}: {shipped.base.name} has {metric_name(base.report.metric)} "
            f"{shipped.base.quality.value:.4f}, of which no relative change can be told. Compare "
            "with another run or, with --file, another file."
        )
    change = Interval(**shipped.relative.model_dump())
    return ComparisonData(
        run=other.name,
        verdict=quality_verdict(change, limits.max_drop),
        file=shipped,
        teacher=_change(base, base.report.teacher, other, other.report.teacher, same_cases),
        student=_change(base, base.report.student, other, other.report.student, same_cases),
        same_cases=same_cases,
        speed=speed,
        notes=(
            *notes_of_files(base, base.artifact(file), other, other.artifact(file)),
            *notes_of_runs(base, other, same_cases, shipped, speed is not None),
        ),
        failures=(
            *refusals(other, other.artifact(file)),
            *_failures(shipped, change, speed, limits, base.report.metric),
        ),
    )


def _change(
    base: ComparedRun,
    base_row: RowData | ArtifactData,
    other: ComparedRun,
    other_row: RowData | ArtifactData,
    same_cases: bool | None,
) -> ChangeData:
    of_base, of_other = _model(base, base_row), _model(other, other_row)
    relative, method = _relative(base, base_row, other, other_row, same_cases)
    return ChangeData(
        base=of_base,
        other=of_other,
        relative=None if relative is None else interval_data(relative),
        method=method,
        size_ratio=of_other.bytes / of_base.bytes,
    )


def _relative(
    base: ComparedRun,
    base_row: RowData | ArtifactData,
    other: ComparedRun,
    other_row: RowData | ArtifactData,
    same_cases: bool | None,
) -> tuple[Interval | None, Method]:
    of_base, of_other = base.statistic(base_row), other.statistic(other_row)
    resamples = int(base.report.recipe["benchmark"]["bootstrap"])
    seed = int(base.report.recipe["seed"])
    method: Method = "published intervals"
    try:
        if of_base is None or of_other is None:
            ours = _model(base, base_row).quality, _model(other, other_row).quality
            published, others = (Interval(**one.model_dump()) for one in ours)
            return published_change(others, published), method
        if same_cases and of_base.units == of_other.units:
            method = "paired"
            return paired_change(of_other, of_base, resamples, seed), method
        method = "unpaired"
        return unpaired_change(of_other, of_base, resamples, seed), method
    except ValueError:
        return None, method


def _model(run: ComparedRun, row: RowData | ArtifactData) -> ModelData:
    if row.quality is None:
        raise ValueError(f"{row.name} of {run.name} was not measured")
    return ModelData(
        run=run.name,
        name=row.name,
        bytes=row.bytes,
        quality=row.quality[run.report.metric],
        p90_ms=None if row.latency is None else row.latency.p90_ms,
    )


def _speeds(
    base: ComparedRun, others: Sequence[ComparedRun], max_slowdown: float, file: str | None
) -> Iterator[SpeedData]:
    from benchmarks.compare.speed import QUERIES_A_ROUND, TURNS, p90_ratios

    threads = int(base.report.recipe["benchmark"]["threads"])
    for ratio in p90_ratios(base, others, file, threads):
        yield SpeedData(
            p90_ratio=interval_data(ratio),
            rounds=TURNS.total,
            restarts=TURNS.restarts,
            queries=QUERIES_A_ROUND,
            threads=threads,
            verdict=speed_verdict(ratio, max_slowdown),
        )


def _failures(
    file: ChangeData, change: Interval, speed: SpeedData | None, limits: Limits, metric: str
) -> Iterator[str]:
    of_run = f"{file.other.run}: {file.other.name}"
    if quality_fails(change, limits.max_drop, limits.strict):
        drop = f"{signed_share(change.value)} [{signed_share(change.low)}, " + (
            f"{signed_share(change.high)}]"
        )
        what = f"{of_run} changes {metric_name(metric)} by {drop}; "
        if quality_verdict(change, limits.max_drop) == "worse":
            yield f"{what}{share(limits.max_drop)} is the largest drop allowed."
        else:
            yield f"{what}a drop of more than {share(limits.max_drop)} is not excluded (strict)."
    if speed is None or limits.max_slowdown is None:
        return
    ratio = Interval(**speed.p90_ratio.model_dump())
    if speed_fails(ratio, limits.max_slowdown, limits.strict):
        what = f"{of_run} takes {ratio.value:.3f} [{ratio.low:.3f}, {ratio.high:.3f}] times the p90"
        if speed.verdict == "slower":
            yield f"{what}; {1 + limits.max_slowdown:g} is the most allowed."
        else:
            yield f"{what}; more than {1 + limits.max_slowdown:g} is not excluded (strict)."


def signed_share(value: float) -> str:
    """Return a relative change in percent with its sign: +1.2%, −0.3%; 0.0% for none."""
    shown = f"{value:+.1%}"
    return "0.0%" if shown in {"+0.0%", "-0.0%"} and value == 0 else with_minus(shown)
