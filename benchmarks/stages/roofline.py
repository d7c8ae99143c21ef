"""The stage that holds every file against what this machine can do."""

from dataclasses import asdict
from pathlib import Path
from typing import TYPE_CHECKING, Any

from benchmarks.stages.subjects import Subject, read_json, samples_of, subjects
from compress.errors import UserError
from compress.files import write_atomically
from compress.recipe import Recipe, content_hash
from compress.reuse import made_before, note_made
from compress.stage import Stage, StageContext

if TYPE_CHECKING:
    from benchmarks.roofline.build import Counted
    from benchmarks.roofline.cost import GraphCost
    from benchmarks.roofline.peaks import Peaks
    from export.samples import Samples

NAME = "roofline"
ROOFLINE = "roofline.json"
PEAKS = "peaks"
QUICK_SECONDS = 0.05
SECONDS = 0.25
"""For each shape and working set of the peaks."""


def roofline_stage(quick: bool = False) -> Stage[Recipe]:
    """The stage that counts every file and measures the machine's peaks: well, or quickly."""

    def work(context: StageContext[Recipe]) -> None:
        from benchmarks.roofline.build import roofline_data

        peaks = _peaks(context, QUICK_SECONDS if quick else SECONDS)
        files = _counted(context, peaks.threads)
        found = roofline_data(files, peaks)
        write_atomically(context.folder / ROOFLINE, found.model_dump_json(indent=1))

    return Stage(
        name=NAME,
        title="Hold every file against the machine’s peak" + (" (quick)" if quick else ""),
        needs=("export", "latency"),
        version=2,
        settings=lambda recipe: [quick, recipe.benchmark.threads],
        work=work,
    )


def single_stream_p50_ms(file: Path, threads: int) -> float | None:
    """Return the median of one query at a time that the stage `latency` measured.

    Args:
        file: What it wrote of a row; need not be there.
        threads: A time at another number of threads says nothing of these peaks.

    Returns:
        None where the row was not timed so.
    """
    if not file.is_file():
        return None
    found: dict[str, Any] = read_json(file)
    is_same = found.get("scenario", "single-stream") == "single-stream"
    median = found.get("p50_ms")
    if not is_same or found.get("threads") != threads or not median:
        return None
    return float(median)


def _peaks(context: StageContext[Recipe], seconds: float) -> "Peaks":
    """Measure the machine, anew whenever latencies are; an interrupted stage keeps its readings."""
    from benchmarks.environment import current_environment
    from benchmarks.roofline.peaks import READINGS, Peaks, measure_peaks

    threads = context.recipe.benchmark.threads
    target = f"{PEAKS}/{READINGS}"
    latencies = context.digests.get("latency")
    # The stage's version: readings of another lack what these hold.
    key = content_hash(
        [context.version, threads, seconds, latencies, asdict(current_environment())]
    )
    if made_before(context, PEAKS, key) is not None:
        return Peaks.from_json((context.folder / target).read_text(encoding="utf-8"))
    context.progress.advance("the machine’s peak", 0.0)
    peaks = measure_peaks(threads, context.folder / PEAKS, seconds=seconds)
    note_made(context, PEAKS, key, (target,), PEAKS)
    return peaks


def _counted(context: StageContext[Recipe], threads: int) -> "list[Counted]":
    from benchmarks.roofline.build import Counted
    from benchmarks.roofline.counting import counted_with, example_rows

    export_folder = context.inputs["export"]
    rows = [row for row in subjects(export_folder) if row.artifact is not None]
    samples = samples_of(rows, export_folder)
    examples = example_rows(samples)
    found = []
    for order, row in enumerate(rows):
        context.progress.advance(f"{row.name}: its graph", (order + 1) / (len(rows) + 1))
        given, example = samples[row.inputs], examples[row.inputs]
        cost, because = _count(row, export_folder, given, example)
        found.append(
            Counted(
                name=row.name,
                path=f"export/{row.path}",
                counted_with=counted_with(row.runtime, given, example),
                cost=cost,
                because=because,
                measured_ms=single_stream_p50_ms(
                    context.inputs["latency"] / f"{row.slug}.json", threads
                ),
            )
        )
    return found


def _count(
    row: Subject, export_folder: Path, samples: "Samples", example: int
) -> "tuple[GraphCost | None, str | None]":
    """Return the cost of a file, or why it cannot be told."""
    from benchmarks.roofline.counting import count_graph

    try:
        return count_graph(row.runtime, export_folder / row.path, samples, example), None
    except UserError as error:
        said = str(error).removeprefix(f"{export_folder / row.path}: ")
        return None, said.splitlines()[0]
