"""A whole job, as a person runs it."""

import json
import re
import time

import numpy as np
import pytest

from benchmarks.report.data import ReportData
from benchmarks.stages import stages_of
from compress.data.dataset import Dataset
from compress.files import file_sha256, tree_bytes, tree_sha256
from compress.recipe_file import read_recipe
from compress.run import Run
from export.onnx.run import OnnxRunner
from export.rows import read_artifacts
from export.runner import RunnerSpec, open_runner

from .conftest import STAGES, call


def file_of(job, name):
    """The report's row of a file."""
    (found,) = (one for one in job.report["artifacts"] if one["name"] == name)
    return found


def test_the_plan_comes_first_and_the_report_last(job):
    said = job.done.err
    for stage in STAGES:
        assert re.search(rf"^ *{stage} ", said, re.MULTILINE), stage
    assert said.index("to do") < said.index("soft-labels: Write down")
    shown = call("report", job.folder).out
    assert shown.rstrip().splitlines()[-1] == f"Report: {job.folder / 'report' / 'report.html'}"


def test_a_refused_teacher_is_not_trained_again(job):
    """The first call stopped after the teacher; the second one used it."""
    assert "teacher: Train the teacher" not in job.done.err


def test_the_second_run_uses_every_stage_again(job):
    start = time.monotonic()
    again = call("run", job.recipe, "--out", job.folder)
    assert again.code == 0
    assert again.err.count("✓ finished") == len(STAGES)
    assert "to do" not in again.err
    assert time.monotonic() - start < 20


def test_json_on_stdout_is_the_report(job):
    assert json.loads(job.done.out) == job.report
    assert json.loads(call("report", job.folder, "--json").out) == job.report


def test_report_has_the_published_shape(job):
    ReportData.model_validate(job.report)
    report = job.report
    assert set(report["timings_s"]) == set(STAGES) - {"report"}
    assert [row["name"] for row in report["baselines"]] == ["popularity", "co-occurrence"]
    rows = [
        *report["baselines"],
        report["teacher"],
        report["student"],
        report["student_without_teacher"],
        *(one for one in report["artifacts"] if one["checked"] == "run"),
    ]
    metrics = {f"{name}@{k}" for name in ("hit", "ndcg", "mrr", "recall") for k in (10, 20)}
    for row in rows:
        assert set(row["quality"]) == metrics
        if row["role"] != "artifact" or row["format"] == "onnx":  # others have no unmasked twin
            assert set(row["quality_unmasked"]) == metrics
        assert all(one["low"] <= one["value"] <= one["high"] for one in row["quality"].values())
        assert row["latency"]["queries"] >= 64
        assert row["bytes"] > 0


def test_counts_account_for_every_event(job):
    counts = job.report["counts"]
    assert counts["users_kept"] == counts["test_cases"] == 200
    assert counts["events_read"] == 100_000
    assert counts["events_kept"] == counts["events_read"] - counts["events_of_users_beyond_first"]


def test_files_are_what_the_report_says(job):
    for artifact in job.report["artifacts"]:
        path = job.folder / artifact["path"]
        assert artifact["usable"] == (artifact["checked"] != "parsed"), artifact
        assert tree_sha256(path) == artifact["sha256"]
        assert tree_bytes(path) == artifact["bytes"]
    assert file_of(job, "onnx int8-dynamic")["bytes"] < file_of(job, "onnx fp32")["bytes"]
    assert file_of(job, "onnx fp32")["fidelity"]["student"] > 0.999


def test_one_run_writes_every_format_of_the_recipe(job):
    assert job.report["not_written"] == []
    assert {one["name"]: one["checked"] for one in job.report["artifacts"]} == {
        "onnx fp32": "run",
        "onnx fp16": "run",
        "onnx int8-dynamic": "run",
        "ort int8-dynamic": "run",
        "coreml fp16": "evaluated",
        "coreml int8-weight": "evaluated",
        "coreml palettized-6": "evaluated",
        "tensorrt-rtx fp16 sm86": "parsed",
        "tensorrt-rtx fp16 sm120": "parsed",
        "litert int8-dynamic": "run",
    }


def test_what_no_runtime_here_answered_has_no_latency(job):
    for artifact in job.report["artifacts"]:
        assert (artifact["latency"] is None) == (artifact["checked"] != "run")
        assert (artifact["quality"] is None) == (artifact["checked"] == "parsed")
        assert artifact["check"]["cases"] == 259


def test_quality_of_a_file_is_that_of_its_answers(job):
    """Hit@10 counted here, from the file alone."""
    dataset = Dataset.open(job.folder / "dataset")
    cases = dataset.cases("test")
    offsets, seen = dataset.seen(cases)
    artifact = file_of(job, "onnx int8-dynamic")
    hits = 0
    with OnnxRunner(job.folder / artifact["path"]) as runner:
        for number, history in enumerate(dataset.histories(cases, 50)):
            ids = runner({"history": history[None]})["item_ids"][0]
            old = set(seen[offsets[number] : offsets[number + 1]].tolist())
            top = [item for item in ids.tolist() if item and item not in old][:10]
            hits += int(cases.targets[number]) in top
    assert artifact["quality"]["hit@10"]["value"] == pytest.approx(hits / len(cases))


def test_files_name_the_recipe_and_the_item_map(job):
    item_map = json.loads((job.folder / "export" / "item-map.json").read_text())
    assert len(item_map["items"]) == 1682
    for artifact in read_artifacts(job.folder / "export"):
        if artifact.check.checked == "parsed":
            continue
        path = job.folder / "export" / artifact.path
        with open_runner(RunnerSpec(artifact.runtime, str(path))) as runner:
            metadata = runner.metadata
        assert metadata["limbeck.recipe_sha256"] == job.report["recipe_hash"]
        assert metadata["limbeck.item_map_sha256"] == item_map["item_map_sha256"]


def test_soft_labels_are_there_for_every_position(job):
    from compress.distill.soft_labels import SoftLabels

    dataset = Dataset.open(job.folder / "dataset")
    store = SoftLabels(job.folder / "soft-labels")
    windows = dataset.windows(50)
    assert len(store) == windows.positions == dataset.counts["training_targets"]
    rows = store.read(np.arange(0, len(store), 997))
    assert np.allclose(np.exp(rows.logits.numpy()).sum(axis=1), 1, atol=0.01)


def test_what_a_change_redoes_is_in_the_plan(job, tmp_path):
    """Asked for a finished stage alone, so that nothing is really redone."""
    done = call(
        "run", job.recipe, "--out", job.folder, "--only", "dataset", "--set", "student.dropout=0.3"
    )
    assert done.code == 0
    changed = read_recipe(job.recipe, ["student.dropout=0.3"])
    run = Run(job.folder, changed, job.recipe.parent)
    states = {one.stage.name: one.state for one in run.plan(stages_of(changed))}
    assert [name for name, state in states.items() if state == "finished"] == [
        "dataset",
        "user-groups",
        "baselines",
        "item-texts",
        "teacher",
        "teacher-check",
        "soft-labels",
        "student-without-teacher",
    ]


def test_the_budget_is_judged(job):
    budget = job.report["budget"]
    assert budget["limits"] == {"megabytes": 0.4, "kept_quality": 0.1}
    judged = {(verdict["path"], verdict["limit"]): verdict["met"] for verdict in budget["verdicts"]}
    for artifact in job.report["artifacts"]:
        if artifact["usable"]:
            assert judged[artifact["path"], "megabytes"] == (artifact["bytes"] <= 400_000)
    missed = call("run", job.recipe, "--out", job.folder, "--set", "budget.megabytes=0.001")
    assert missed.code == 1
    assert "budget.megabytes: export/student.int8-dynamic.onnx reaches" in missed.err
    again = call("run", job.recipe, "--out", job.folder)
    assert again.code == 0, again.err


def test_a_weak_teacher_is_the_first_thing_in_the_protocol(job):
    assert "does not beat counting" in job.report["protocol"][0]


def test_manifest_lists_every_stage(job):
    manifest = json.loads((job.folder / "manifest.json").read_text())
    assert set(manifest["stages"]) == set(STAGES)
    for stage, record in manifest["stages"].items():
        for file, about in record["files"].items():
            assert file_sha256(job.folder / stage / file) == about["sha256"]
