"""The stage that takes the same student through plain Optimum and measures what comes out."""

import json
from dataclasses import asdict
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np

from benchmarks.measurement import PeerComparison
from benchmarks.stages.latency import queries_and_seconds
from benchmarks.stages.subjects import Subject, read_json, subjects
from compress.errors import UserError
from compress.files import write_atomically
from compress.recipe import (
    AnyTextRecipe,
    BertStudent,
    MobileBertStudent,
    OnnxText,
    Recipe,
    TextRecipe,
)
from compress.stage import Stage, StageContext
from export.rows import SAMPLES
from export.runner import RunnerSpec

if TYPE_CHECKING:
    from export.samples import Samples

NAME = "Optimum int8 (plain)"
EVALUATION = "peer.npz"
LATENCY = "peer.json"
TURNS = "turns.npy"
"""int64 `[2, rounds, queries]`: nanoseconds of our file and of the peer's, asked in turn."""
SCHEME = "int8-dynamic"
FULL_ROUNDS, QUICK_ROUNDS = 16, 4
QUERIES_A_ROUND = 128


def peers_stage(quick: bool) -> Stage[AnyTextRecipe]:
    """The stage `peers`: asked in turn with our file, round by round."""

    def work(context: StageContext[AnyTextRecipe]) -> None:
        ours = _our_file(context)
        peer = _emit(context, ours)
        _measure_quality(context, peer)
        _measure_latency(context, ours, peer, quick)

    return Stage(
        name="peers",
        title="Take the same student through plain Optimum" + (" (quick)" if quick else ""),
        needs=("dataset", "student", "export"),
        version=1,
        settings=lambda recipe: [
            quick,
            *queries_and_seconds(recipe, quick),
            recipe.benchmark.threads,
        ],
        work=work,
    )


def peer_subject(folder: Path) -> Subject:
    """The peer's row, of a finished stage."""
    return Subject(**read_json(folder / "subject.json"))


def comparison(folder: Path, ours: Any, peer: Any, student: Any, name: str) -> PeerComparison:
    """Hold our file against the peer's.

    Args:
        folder: Of the finished stage.
        ours: Evaluation of our file.
        peer: Evaluation of the peer's.
        student: Evaluation of the PyTorch student that both were made of.
        name: Of our row.
    """
    from benchmarks.timing.turns import percentile_ratio

    own, theirs = np.load(folder / TURNS, allow_pickle=False)
    return PeerComparison(
        ours=name,
        peer=NAME,
        p90_ratio=percentile_ratio(own, theirs),
        rounds=len(own),
        agreement_ours=ours.agreement(student),
        agreement_peer=peer.agreement(student),
        max_abs_difference_ours=ours.max_abs_difference(student),
        max_abs_difference_peer=peer.max_abs_difference(student),
    )


def our_file(export_folder: Path) -> Subject | None:
    """The row that the peer is compared with: our int8 file that takes pieces."""
    for row in subjects(export_folder):
        artifact = row.artifact
        if artifact is None or artifact.takes_texts:
            continue
        if (artifact.format, artifact.scheme) == ("onnx", SCHEME):
            return row
    return None


def check_peers(recipe: Recipe) -> None:
    """Say before any work starts why there can be no peer.

    Raises:
        UserError: Optimum does not take the student, nothing is there to compare with, or Optimum
            is not installed.
    """
    from export.onnx.peer import optimum_cli

    if not isinstance(recipe, TextRecipe):
        raise UserError("--peers is for recipes whose model reads text.")
    student = recipe.student
    if not isinstance(student, BertStudent | MobileBertStudent):
        raise UserError(
            f"--peers: Optimum takes Hugging Face students, and student.kind: {student.kind} is "
            "none. Leave --peers out, or choose bert or mobilebert."
        )
    if _wanted_of(recipe) is None:
        raise UserError(
            "--peers compares int8 files, and the recipe writes none: add "
            "{format: onnx, scheme: int8-dynamic} to export.artifacts, or leave --peers out."
        )
    optimum_cli()


def _wanted_of(recipe: TextRecipe) -> OnnxText | None:
    """The section of our int8 ONNX file."""
    for one in recipe.export.artifacts:
        if isinstance(one, OnnxText) and one.scheme == SCHEME:
            return one
    return None


def _our_file(context: StageContext[AnyTextRecipe]) -> Subject:
    found = our_file(context.inputs["export"])
    if found is None or not found.can_answer:
        raise UserError(
            "--peers compares int8 files, and ours could not be run: see why in "
            "export/artifacts.json, or leave --peers out."
        )
    return found


def _emit(context: StageContext[AnyTextRecipe], ours: Subject) -> Subject:
    from compress.data.text_dataset import TextDataset
    from export.onnx.peer import emit_peer

    wanted = _wanted_of(context.recipe)
    assert wanted is not None
    context.progress.advance("optimum-cli export onnx, optimum-cli onnxruntime quantize")
    written = emit_peer(
        context.inputs["student"],
        context.folder / "optimum",
        preset=wanted.preset,
        target=context.recipe.task.target,
        gains=TextDataset.open(context.inputs["dataset"]).gains,
    )
    peer = Subject(
        name=NAME,
        role="peer",
        runtime="onnx-peer",
        path=written.int8.relative_to(context.folder).as_posix(),
        bytes=written.int8_model.stat().st_size,
        inputs=ours.inputs,
    )
    write_atomically(context.folder / "subject.json", json.dumps(asdict(peer), indent=1))
    return peer


def _measure_quality(context: StageContext[AnyTextRecipe], peer: Subject) -> None:
    from benchmarks.text_quality import evaluate_texts
    from compress.data.text_dataset import TextDataset
    from compress.tasks.text_task import Truth
    from export.runner import open_runner
    from export.samples import Samples

    if (context.folder / EVALUATION).is_file():
        return
    dataset = TextDataset.open(context.inputs["dataset"])
    evaluation = evaluate_texts(
        open_runner(RunnerSpec(peer.runtime, str(context.folder / peer.path))),
        samples=Samples.load(context.inputs["export"] / SAMPLES / peer.inputs),
        truth=Truth.of(dataset, context.recipe.task, "test"),
        classes=dataset.classes,
        batch_size=1,
        progress=lambda done: context.progress.advance(NAME, done),
    )
    temporary = context.folder / f".{EVALUATION}.tmp"
    evaluation.save(temporary)
    temporary.replace(context.folder / EVALUATION)


def _measure_latency(
    context: StageContext[AnyTextRecipe], ours: Subject, peer: Subject, quick: bool
) -> None:
    """Measure the peer's row as any row is, then both files in turn in one process."""
    from benchmarks.timing.latency import measure_latency
    from benchmarks.timing.turns import measure_in_turns
    from export.samples import Samples

    samples = Samples.load(context.inputs["export"] / SAMPLES / peer.inputs)
    native = _as_optimum_takes_them(samples)
    queries, seconds = queries_and_seconds(context.recipe, quick)
    threads = context.recipe.benchmark.threads
    theirs = RunnerSpec(peer.runtime, str((context.folder / peer.path).resolve()))
    own = RunnerSpec(ours.runtime, str((context.inputs["export"] / ours.path).resolve()))
    context.progress.advance(f"{NAME}: at least {queries:,} queries and {seconds:g} s")
    latency = measure_latency(
        theirs,
        native,
        queries=queries,
        seconds=seconds,
        threads=threads,
        log_folder=context.folder / "loadgen" / "row",
    )
    write_atomically(context.folder / LATENCY, json.dumps(asdict(latency), indent=1))
    rounds = QUICK_ROUNDS if quick else FULL_ROUNDS
    context.progress.advance(f"both files in turn, {rounds} rounds")
    turns = measure_in_turns(
        [own, theirs],
        [samples, native],
        rounds=rounds,
        queries=QUERIES_A_ROUND,
        threads=threads,
        log_folder=context.folder / "turns",
    )
    np.save(context.folder / TURNS, turns)


def _as_optimum_takes_them(samples: "Samples") -> "Samples":
    """The same pieces in int64, so that the peer pays for no conversion of ours."""
    from export.samples import Samples

    arrays = {name: array.astype(np.int64) for name, array in samples.arrays.items()}
    return Samples(arrays, samples.lengths)
