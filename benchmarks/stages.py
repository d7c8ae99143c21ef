"""The stages that measure: quality and latency of every row, and the report."""

import json
from collections.abc import Iterator
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np

from benchmarks.measurement import EmittedFile, Fidelity, Role, Row
from benchmarks.quality import Evaluation
from compress.files import write_atomically
from compress.recipe import Recipe
from compress.run import Stage, StageContext
from export.artifact import Artifact
from export.runner import RunnerSpec, Runtime
from export.stages import read_artifacts, read_rows

if TYPE_CHECKING:
    from compress.data.dataset import Dataset

QUICK_QUERIES = 64
QUICK_SECONDS = 2.0


@dataclass(frozen=True)
class Subject:
    """One row to be: what to run, and the artifact that it is, if it is one."""

    name: str
    role: Role
    runtime: Runtime
    path: str
    unmasked_path: str
    bytes: int
    artifact: Artifact | None = None

    @property
    def can_run(self) -> bool:
        """Whether there is anything to measure: a file that could not be run has no figures."""
        return self.artifact is None or self.artifact.check.overlap is not None

    @property
    def slug(self) -> str:
        """Names the row's files."""
        return self.name.replace(" ", "-")


def subjects(export_folder: Path) -> list[Subject]:
    """Every row of the report, in its order: baselines, teacher, students, files."""
    found = [Subject(**asdict(row)) for row in read_rows(export_folder)]
    for artifact in read_artifacts(export_folder):
        found.append(
            Subject(
                name=f"{artifact.format} {artifact.scheme}",
                role="artifact",
                runtime="onnx",
                path=artifact.path,
                unmasked_path=artifact.unmasked_path,
                bytes=artifact.bytes,
                artifact=artifact,
            )
        )
    return found


def measure_quality(context: StageContext) -> None:
    """Rank the test split with every row, through its own runtime."""
    from benchmarks.quality import DEFAULT_BATCH, evaluate
    from compress.data.dataset import Dataset
    from export.runner import open_runner

    dataset = Dataset.open(context.inputs["dataset"])
    cases = dataset.cases("test")
    histories = dataset.histories(cases, context.recipe.task.history_length)
    export_folder = context.inputs["export"]
    rows = [row for row in subjects(export_folder) if row.can_run]
    seen = dataset.seen(cases)
    for order, row in enumerate(rows):
        target = context.folder / f"{row.slug}.npz"
        if target.is_file():
            continue
        context.progress.advance(f"{row.name}: {len(cases):,} test cases", order / len(rows))
        evaluation = evaluate(
            open_runner(RunnerSpec(row.runtime, str(export_folder / row.path))),
            open_runner(RunnerSpec(row.runtime, str(export_folder / row.unmasked_path))),
            histories=histories,
            targets=cases.targets,
            seen=seen,
            items=dataset.items,
            batch_size=DEFAULT_BATCH if row.artifact is None else 1,
        )
        temporary = target.with_name(f".{target.name}.tmp")
        evaluation.save(temporary)
        temporary.replace(target)


def latency_stage(quick: bool) -> Stage:
    """The stage that measures latency: as the recipe says, or quickly."""

    def queries_and_seconds(recipe: Recipe) -> tuple[int, float]:
        if quick:
            return QUICK_QUERIES, QUICK_SECONDS
        return recipe.benchmark.queries, recipe.benchmark.seconds

    def work(context: StageContext) -> None:
        from benchmarks.environment import current_environment
        from benchmarks.latency import measure_latency
        from compress.data.dataset import Dataset

        queries, seconds = queries_and_seconds(context.recipe)
        dataset = Dataset.open(context.inputs["dataset"])
        histories = dataset.histories(dataset.cases("test"), context.recipe.task.history_length)
        export_folder = context.inputs["export"]
        rows = [row for row in subjects(export_folder) if row.can_run]
        for order, row in enumerate(rows):
            target = context.folder / f"{row.slug}.json"
            if target.is_file():
                continue
            context.progress.advance(
                f"{row.name}: at least {queries:,} queries and {seconds:g} s", order / len(rows)
            )
            latency = measure_latency(
                RunnerSpec(row.runtime, str((export_folder / row.path).resolve())),
                histories,
                queries=queries,
                seconds=seconds,
                threads=context.recipe.benchmark.threads,
                log_folder=context.folder / "loadgen" / row.slug,
            )
            write_atomically(target, json.dumps(asdict(latency), indent=1))
        write_atomically(
            context.folder / "conditions.json",
            json.dumps(
                {
                    "quick": quick,
                    "queries": queries,
                    "seconds": seconds,
                    "environment": asdict(current_environment()),
                },
                indent=1,
            ),
        )

    return Stage(
        name="latency",
        title="Measure the latency of every row" + (" (quick)" if quick else ""),
        needs=("dataset", "export"),
        version=1,
        settings=lambda recipe: [*queries_and_seconds(recipe), recipe.benchmark.threads],
        work=work,
    )


def write_report(context: StageContext) -> None:
    """Put everything together into report.json and report.html."""
    from benchmarks.report import ReportInputs, build_report
    from benchmarks.report_page import render_page

    report = build_report(ReportInputs(**_report_inputs(context)))
    write_atomically(context.folder / "report.json", report.to_json())
    write_atomically(context.folder / "report.html", render_page(report))


def _report_inputs(context: StageContext) -> dict[str, Any]:
    from benchmarks.environment import Environment
    from benchmarks.protocol import protocol_lines
    from benchmarks.report import Measured
    from compress.data.dataset import Dataset

    recipe, inputs = context.recipe, context.inputs
    dataset = Dataset.open(inputs["dataset"])
    conditions = _read(inputs["latency"] / "conditions.json")
    environment = conditions["environment"]
    environment["cpu_flags"] = tuple(environment["cpu_flags"])
    rows = subjects(inputs["export"])
    evaluations = {
        row.slug: Evaluation.load(inputs["quality"] / f"{row.slug}.npz")
        for row in rows
        if row.can_run
    }
    verdict = _read(inputs["teacher-check"] / "verdict.json")
    return {
        "recipe": recipe,
        "quick": conditions["quick"],
        "protocol": _gate_lines(verdict)
        + protocol_lines(
            recipe,
            cases=len(dataset.cases("test")),
            items=dataset.items,
            queries=conditions["queries"],
            seconds=conditions["seconds"],
        ),
        "counts": {**dataset.counts, "test_targets_seen_before": _seen_before(dataset)},
        "measured": [
            Measured(
                _row(row, evaluations, context),
                evaluations[row.slug].values() if row.can_run else None,
            )
            for row in rows
        ],
        "curves": dict(_curves(context)),
        "environment": Environment(**environment),
        "timings_s": context.timings,
    }


def _gate_lines(verdict: dict[str, Any]) -> tuple[str, ...]:
    """A teacher that should not have taught is the first thing to know."""
    if not verdict["weak"]:
        return ()
    return (
        "The teacher does not beat counting on validation NDCG@10 "
        f"({verdict['teacher']:.4f}; co-occurrence {verdict['co-occurrence']:.4f}, popularity "
        f"{verdict['popularity']:.4f}); the recipe went on (allow_weak_teacher).",
    )


def _seen_before(dataset: "Dataset") -> int:
    """Test targets that the user had met already: with seen items masked they cannot be hit."""
    cases = dataset.cases("test")
    offsets, codes = dataset.seen(cases)
    owner = np.repeat(np.arange(len(cases)), np.diff(offsets))
    return len(np.unique(owner[codes == cases.targets[owner]]))


def _row(row: Subject, evaluations: dict[str, Evaluation], context: StageContext) -> Row:
    artifact = row.artifact
    file = None
    if artifact is not None:
        file = EmittedFile(
            path=f"export/{artifact.path}",
            format=artifact.format,
            scheme=artifact.scheme,
            target=artifact.target,
            sha256=artifact.sha256,
            usable=artifact.usable,
            refused_because=artifact.refused_because,
        )
    if not row.can_run:
        return Row(row.name, row.role, row.bytes, latency=None, quality=None, file=file)
    from benchmarks.latency import Latency

    own = evaluations[row.slug]
    benchmark = context.recipe.benchmark
    return Row(
        name=row.name,
        role=row.role,
        bytes=row.bytes,
        latency=Latency(**_read(context.inputs["latency"] / f"{row.slug}.json")),
        quality=own.quality(benchmark.bootstrap, context.recipe.seed),
        fidelity=Fidelity(
            teacher_overlap=None if row.role == "teacher" else own.overlap(evaluations["teacher"]),
            student_overlap=None if row.role == "student" else own.overlap(evaluations["student"]),
            max_abs_difference=None if artifact is None else artifact.check.max_abs_difference,
        ),
        file=file,
    )


def _curves(context: StageContext) -> Iterator[tuple[str, list[dict[str, float]]]]:
    from compress.distill.training import HISTORY
    from compress.stages.teacher import member_folders

    members = member_folders(context.recipe, context.inputs["teacher"])
    for number, folder in enumerate(members, start=1):
        yield f"teacher {number}", _read(folder / HISTORY)
    yield "student", _read(context.inputs["student"] / HISTORY)
    yield "student without teacher", _read(context.inputs["student-without-teacher"] / HISTORY)


def _read(path: Path) -> Any:
    return json.loads(path.read_text(encoding="utf-8"))


QUALITY = Stage(
    name="quality",
    title="Measure the quality of every row",
    needs=("dataset", "export"),
    version=2,
    settings=lambda recipe: None,
    work=measure_quality,
)

REPORT = Stage(
    name="report",
    title="Write the report",
    needs=(
        "dataset",
        "teacher",
        "teacher-check",
        "student",
        "student-without-teacher",
        "export",
        "quality",
        "latency",
    ),
    version=1,
    settings=lambda recipe: recipe.model_dump(mode="json"),
    work=write_report,
    keep_partial=False,
)
