"""Every peer alone, then all in turn; what cannot be measured says why, what was is kept."""

from dataclasses import dataclass, replace
from pathlib import Path

import numpy as np
import onnx
import pytest

from benchmarks.peers.record import PeersRecord
from benchmarks.peers.results import (
    peer_comparisons,
    peer_routes,
    peer_rows,
    peers_not_measured,
)
from benchmarks.quality import evaluate
from benchmarks.stages import latency as latency_module
from benchmarks.stages import peers as stage_module
from benchmarks.stages.peers import check_peers, peers_stage
from benchmarks.timing import measure as timing
from benchmarks.timing.turn_count import Turns
from compress.errors import UserError
from compress.progress import Progress
from compress.recipe_file import parse_recipe
from compress.stage import StageContext
from export.artifact import Artifact
from export.peers.peer import Peer, PeerFiles
from export.rows import SAMPLES, RowFiles, write_artifacts, write_rows
from export.runner import RunnerSpec, open_runner
from export.samples import Samples
from export.verification import Check

RECIPE = """
name: tiny
task: {kind: next-item}
data: {source: {kind: movielens-100k}}
teacher: {kind: text-sequence}
student: {kind: transformer}
benchmark: {queries: 16, seconds: 0.1, bootstrap: 100}
"""
ITEMS, CASES = 30, 40
HISTORIES = Samples({"history": np.random.default_rng(0).integers(2, 32, (CASES, 6), np.int32)})
TARGETS = np.random.default_rng(1).integers(2, 32, CASES).astype(np.int32)
SEEN = (np.zeros(CASES + 1, np.int64), np.empty(0, np.int32))


def answered(path):
    spec = RunnerSpec("onnx", str(path))
    return evaluate(
        open_runner(spec), None, samples=HISTORIES, targets=TARGETS, seen=SEEN, items=ITEMS
    )


@dataclass(frozen=True)
class TinyAsking:
    """A task whose student is the tiny model."""

    samples = HISTORIES
    differs_from = None
    blocked: tuple[int, ...] = ()

    def student(self, scratch):
        return scratch

    def evaluate(self, runner, samples, advance):
        return evaluate(
            runner, None, samples=samples, targets=TARGETS, seen=SEEN, items=ITEMS, batch_size=1
        )

    def difference(self, runner, takes):
        return 0.25


@pytest.fixture
def run(tmp_path, tiny_model, monkeypatch):
    """A run whose teacher, student and int8 file are all the tiny model."""
    export, quality = tmp_path / "export", tmp_path / "quality"
    (export / SAMPLES).mkdir(parents=True)
    quality.mkdir()
    HISTORIES.save(export / SAMPLES / "histories.npz")
    (export / "tiny.onnx").write_bytes(tiny_model.read_bytes())
    student = onnx.load(tiny_model)
    student.graph.input[0].type.tensor_type.elem_type = onnx.TensorProto.INT64
    onnx.save(student, export / "student.onnx")  # in the type that PyTorch models take
    rows = [
        RowFiles(role, role, "onnx", path, 9, "histories.npz", f"{role} hash")
        for role, path in (("teacher", "tiny.onnx"), ("student", "student.onnx"))
    ]
    write_rows(export, rows)
    ours = Artifact(
        *("onnx int8-dynamic", "tiny.onnx", "histories.npz", "onnx", "int8-dynamic", "cpu"),
        *("onnx", 7, "aa" * 32, Check(9, 1.0, 0.125, 0.0, ()), {}),
    )
    write_artifacts(export, [ours], [])
    monkeypatch.setattr(stage_module, "asking_of", lambda context: TinyAsking())
    return {"export": export, "dataset": quality, "student": quality, "quality": quality}


@pytest.fixture
def measure(run, tmp_path, tiny_model, monkeypatch):
    """Carry the stage out with some peers, and tell which were made and which were timed."""
    made, timed = [], []

    def emit(name):
        def emit(student, folder):
            made.append(name)
            (folder / "model.onnx").write_bytes(tiny_model.read_bytes())
            return PeerFiles(folder / "model.onnx", 1234, f"{name} MODEL")

        return emit

    def fails(student, folder):
        raise ValueError("no such\noperator")

    real = timing.measure

    def measured(spec, *given, **more):
        timed.append(Path(spec.path).parent.name)
        return real(spec, *given, **more)

    monkeypatch.setattr(timing, "measure", measured)
    monkeypatch.setattr(latency_module, "QUICK_TURNS", Turns(2, 1))

    def peer(name, **more):
        given = {"obstacle": lambda: None, "emit": emit(name), "version": 1, **more}
        return Peer(name, "onnx", "int32", packages=("numpy",), **given)

    known = {
        "good": peer("good"),
        "better": peer("better"),
        "absent": peer("absent", obstacle=lambda: "It is not installed."),
        "broken": peer("broken", emit=fails),
    }

    def carry_out(*names, previous=None, digest="student", blocked=()):
        asking = TinyAsking(blocked)
        monkeypatch.setattr(stage_module, "asking_of", lambda context: asking)
        made.clear()
        timed.clear()
        monkeypatch.setattr(stage_module, "PEERS", tuple(known[name] for name in names))
        folder = tmp_path / f"peers {len(list(tmp_path.iterdir()))}"
        folder.mkdir()
        context = StageContext(
            recipe=parse_recipe(RECIPE),
            recipe_folder=Path(),
            folder=folder,
            inputs=run,
            progress=Progress(),
            logs=tmp_path / "logs",
            previous=previous,
            digests={"student": digest, "dataset": "dataset"},
        )
        peers_stage(quick=True).work(context)
        return replace(context, inputs={**run, "peers": folder}), tuple(made), tuple(timed)

    return carry_out


def test_every_peer_has_a_row_and_stands_beside_ours(measure, tiny_model):
    context, made, _ = measure("good", "absent", "broken")
    assert made == ("good",)
    same = answered(tiny_model)
    evaluations = dict.fromkeys(("teacher", "student", "onnx-int8-dynamic"), same)
    (row,) = peer_rows(context, evaluations)
    assert (row.row.name, row.row.role, row.row.bytes) == ("good", "peer", 1234)
    assert row.row.quality.metrics["ndcg@10"].value == pytest.approx(
        same.quality(100, 1).metrics["ndcg@10"].value
    )
    assert row.row.fidelity.student == 1.0
    assert row.row.fidelity.max_abs_difference == 0.25
    assert row.row.latency.queries >= 16
    assert row.row.latency.conduct.answers_checked > 0
    assert row.row.cold_start_ms > 0
    assert row.row.p90_ratio_to_teacher.value > 0
    compared = peer_comparisons(context, evaluations)
    assert [(one.ours, one.peer) for one in compared] == [
        ("onnx int8-dynamic", "student"),
        ("onnx int8-dynamic", "good"),
    ]
    assert [one.max_abs_difference_ours for one in compared] == [0.125, 0.125]
    assert [one.max_abs_difference_peer for one in compared] == [0.0, 0.25]
    assert all(one.p90_ratio.low <= one.p90_ratio.value <= one.p90_ratio.high for one in compared)
    assert [(one.rounds, one.restarts) for one in compared] == [(2, 2)] * 2
    ((route),) = peer_routes(context)
    assert (route.typed, list(route.made_with)) == ("good MODEL", ["numpy"])
    assert [(one.name, one.because) for one in peers_not_measured(context)] == [
        ("absent", "It is not installed."),
        ("broken", "ValueError: no such operator"),
    ]
    assert "no such\noperator" in (context.logs / "broken.txt").read_text()


@pytest.mark.slow  # 10 s
def test_only_what_is_new_is_made_and_timed(measure):
    first, made, timed = measure("good")
    assert (made, timed) == (("good",), ("good",))
    second, made, timed = measure("good", "better", previous=first.inputs["peers"])
    assert (made, timed) == (("better",), ("better",))
    record = PeersRecord.read(second.inputs["peers"])
    assert record.in_turn == ("teacher", "onnx int8-dynamic", "student", "good", "better")
    again, made, timed = measure("good", "better", previous=second.inputs["peers"])
    assert (made, timed) == ((), ())
    turns = "turns.npz"
    assert (again.inputs["peers"] / turns).read_bytes() == (
        second.inputs["peers"] / turns
    ).read_bytes()
    _, made, timed = measure("good", previous=again.inputs["peers"], digest="another student")
    assert (made, timed) == (("good",), ("good",))


def test_items_that_are_blocked_later_are_blocked_in_peers_too(measure):
    first, _, _ = measure("good")
    second, made, timed = measure("good", previous=first.inputs["peers"], blocked=(3, 7))
    assert (made, timed) == (("good",), ())  # the tiny model comes out the same
    _, made, _ = measure("good", previous=second.inputs["peers"], blocked=(3, 7))
    assert made == ()


def test_what_is_kept_keeps_its_logs(measure):
    first, _, _ = measure("good")
    second, _, timed = measure("good", "better", previous=first.inputs["peers"])
    assert timed == ("better",)
    log = Path("loadgen", "good", "mlperf_log_detail.txt")
    before, after = (one.inputs["peers"] for one in (first, second))
    assert (after / log).read_bytes() == (before / log).read_bytes()
    again, _, _ = measure("good", "better", previous=after)
    assert len(list((again.inputs["peers"] / "turns").glob("start-0/model-*"))) == 5


def test_without_a_run_there_is_nothing_to_say(run):
    context = StageContext(None, Path(), Path(), run, Progress(), Path())
    assert peer_rows(context, {}) == peer_comparisons(context, {}) == []
    assert peer_routes(context) == peers_not_measured(context) == []


def test_a_tool_that_is_installed_later_is_measured_then(monkeypatch):
    missing = ["It is not installed."]
    late = Peer("late", "onnx", "int32", 1, (), lambda: missing[0] if missing else None, None)
    monkeypatch.setattr(stage_module, "PEERS", (late,))
    stage = peers_stage(quick=True)
    assert stage.outside(None, Path()) == []
    missing.clear()
    assert stage.outside(None, Path()) == ["late"]


@pytest.mark.parametrize(
    "line", ["[{format: onnx, scheme: fp32}]", "[{format: ort, scheme: int8-dynamic}]"]
)
def test_an_int8_file_must_be_there_to_compare_with(line):
    recipe = parse_recipe(RECIPE + f"export: {{artifacts: {line}}}\n")
    with pytest.raises(UserError, match="compares int8 files, and the recipe writes none: add"):
        check_peers(recipe)


@pytest.mark.parametrize("one", ["onnx", "litert"])
def test_an_int8_file_of_either_runtime_will_do(one):
    check_peers(
        parse_recipe(RECIPE + f"export: {{artifacts: [{{format: {one}, scheme: int8-dynamic}}]}}\n")
    )
