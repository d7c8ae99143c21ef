"""The stage that measures the latency of every row, the same for all tasks."""

import json
from dataclasses import asdict
from pathlib import Path

from benchmarks.stages.subjects import read_json, samples_of, subjects
from compress.files import write_atomically
from compress.recipe import Recipe, content_hash
from compress.reuse import made_before, note_made
from compress.stage import Stage, StageContext
from export.runner import RunnerSpec

NAME = "latency"
CONDITIONS = "conditions.json"
"""How the rows were measured."""
QUICK_QUERIES = 64
QUICK_SECONDS = 2.0


def queries_and_seconds(recipe: Recipe, quick: bool) -> tuple[int, float]:
    """How many queries a row is asked at least, and for how long at least."""
    if quick:
        return QUICK_QUERIES, min(QUICK_SECONDS, recipe.benchmark.seconds)
    return recipe.benchmark.queries, recipe.benchmark.seconds


def run_conditions(run_folder: Path) -> tuple[bool, bool]:
    """Return whether a run was measured quickly, and whether peers were measured beside."""
    conditions = run_folder / NAME / CONDITIONS
    quick = bool(read_json(conditions)["quick"]) if conditions.is_file() else False
    return quick, (run_folder / "peers").is_dir()


def latency_stage(quick: bool) -> Stage[Recipe]:
    """The stage that measures latency: as the recipe says, or quickly."""

    def work(context: StageContext[Recipe]) -> None:
        from benchmarks.environment import current_environment
        from benchmarks.timing.latency import measure_latency

        queries, seconds = queries_and_seconds(context.recipe, quick)
        export_folder = context.inputs["export"]
        rows = [row for row in subjects(export_folder) if row.can_be_timed]
        samples = samples_of(rows, export_folder)
        environment = asdict(current_environment())
        conditions = (queries, seconds, context.recipe.benchmark.threads, environment)
        for order, row in enumerate(rows):
            target = f"{row.slug}.json"
            key = content_hash([row.sha256, samples[row.inputs].sha256(), *conditions])
            if made_before(context, row.slug, key) is not None:
                continue
            context.progress.advance(
                f"{row.name}: at least {queries:,} queries and {seconds:g} s", order / len(rows)
            )
            latency = measure_latency(
                RunnerSpec(row.runtime, str((export_folder / row.path).resolve())),
                samples[row.inputs],
                queries=queries,
                seconds=seconds,
                threads=context.recipe.benchmark.threads,
                log_folder=context.folder / "loadgen" / row.slug,
            )
            write_atomically(context.folder / target, json.dumps(asdict(latency), indent=1))
            note_made(context, row.slug, key, (target,), row.name)
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
        needs=("export",),
        version=3,
        settings=lambda recipe: [*queries_and_seconds(recipe, quick), recipe.benchmark.threads],
        work=work,
    )
