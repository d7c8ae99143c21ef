"""A whole job on real product texts, as a person runs it."""

import json
import re

import numpy as np
import pytest

from benchmarks.report.data import ReportData
from compress.data.text_dataset import TextDataset
from compress.files import file_sha256, tree_bytes, tree_sha256
from export.onnx.run import OnnxRunner

from .conftest import call

TEXT_STAGES = (
    "dataset",
    "teacher-pieces",
    "student-pieces",
    "baselines",
    "teacher",
    "teacher-check",
    "soft-labels",
    "student",
    "student-without-teacher",
    "export",
    "peers",
    "quality",
    "robustness",
    "latency",
    "roofline",
    "report",
)
CHECKED = {
    "onnx fp32": "run",
    "onnx fp32 text-in": "run",
    "onnx fp16": "run",
    "onnx fp16 text-in": "run",
    "onnx int8-dynamic": "run",
    "onnx int8-dynamic text-in": "run",
    "ort int8-dynamic": "run",
    "coreml fp16": "evaluated",
    "coreml int8-weight": "evaluated",
    "coreml palettized-6": "evaluated",
    "tensorrt-rtx fp16 sm86": "parsed",
    "tensorrt-rtx fp16 sm120": "parsed",
    "litert int8-dynamic": "run",
}
"""The files of the shipped recipe, and how each can be checked without a Mac and without a GPU."""


def test_the_plan_names_every_stage_and_the_second_run_uses_each_again(text_job):
    for stage in TEXT_STAGES:
        assert re.search(rf"^ *{stage} ", text_job.done.err, re.MULTILINE), stage
    again = call("run", text_job.recipe, "--peers", "--quick", "--out", text_job.folder)
    assert again.code == 0, again.err
    assert again.err.count("✓ finished") == len(TEXT_STAGES)


def test_the_report_has_teacher_students_files_and_peers(text_job):
    report = text_job.report
    ReportData.model_validate(report)
    assert (report["task"], report["metric"]) == ("text-label", "macro_f1")
    assert {one["name"]: one["checked"] for one in report["artifacts"]} == CHECKED
    assert report["not_written"] == []
    rows = [
        report["teacher"],
        report["student"],
        report["student_without_teacher"],
        *(one for one in report["artifacts"] if one["checked"] == "run"),
        *report["peers"],
    ]
    wanted = {"accuracy", "top5_accuracy", "macro_f1", "micro_f1", "calibration_error"}
    for row in rows:
        assert wanted <= set(row["quality"])
        assert row["latency"]["queries"] >= 64
    assert {one["name"] for one in report["peers"]} >= {
        "ONNX Runtime fp32 (plain)",
        "Optimum int8 (plain)",
    }
    for one in report["peer_comparisons"]:
        assert one["rounds"] >= 3
        assert one["p90_ratio"]["value"] > 0


def test_counts_account_for_every_text(text_job):
    counts = text_job.report["counts"]
    kept = counts["train_texts"] + counts["validation_texts"] + counts["test_texts"]
    assert kept + counts["empty_texts"] + counts["rows_without_label"] == 1500
    assert counts["test_texts_cut_for_the_student"] > 0  # a review has more than 32 word pieces


def test_no_product_is_in_two_splits(text_job):
    dataset = TextDataset.open(text_job.folder / "dataset")
    groups = [set(dataset.split(name).groups) for name in ("train", "validation", "test")]
    assert not groups[0] & groups[1]
    assert not groups[0] & groups[2]
    assert not groups[1] & groups[2]


def test_files_are_what_the_report_says(text_job):
    for artifact in text_job.report["artifacts"]:
        path = text_job.folder / artifact["path"]
        assert artifact["usable"] == (artifact["checked"] != "parsed"), artifact
        assert artifact["refused_because"] is None
        assert tree_bytes(path) == artifact["bytes"]
        assert tree_sha256(path) == artifact["sha256"]


def test_the_text_goes_in_and_the_same_answer_comes_out(text_job):
    """The file that takes text answers as the file that takes pieces, which the app cuts."""
    from compress.tokenizers.tokenizer import PieceTokenizer

    texts = TextDataset.open(text_job.folder / "dataset").split("test").texts(np.arange(40))[0]
    texts += ["", "🎁👗 très élégant", "连衣裙很好看", "dress " * 500]
    tokenizer = PieceTokenizer.load(text_job.folder / "student")
    with (
        OnnxRunner(text_job.folder / "export/student.int8-dynamic.onnx") as pieces,
        OnnxRunner(text_job.folder / "export/student.int8-dynamic.text.onnx") as text,
    ):
        for one in texts:
            ids = np.array([tokenizer.encode([one], None, 32)[0].ids], np.int32)
            given = {"input_ids": ids, "attention_mask": np.ones_like(ids)}
            expected = pieces(given)["probabilities"]
            answered = text({"text": np.array([one])})["probabilities"]
            np.testing.assert_allclose(answered, expected, atol=1e-5, err_msg=one)


def test_the_vocabulary_is_narrowed_and_the_map_written(text_job):
    found = json.loads((text_job.folder / "student-pieces/vocabulary-map.json").read_text())
    assert 500 < len(found) < 15_000
    assert file_sha256(text_job.folder / "export/tokenizer/tokenizer.json") == file_sha256(
        text_job.folder / "student/tokenizer.json"
    )


@pytest.mark.parametrize(
    ("kind", "more"),
    [
        ("mobilebert", ["width=64", "bottleneck=32", "embedding_width=32", "intermediate=64"]),
        ("text-cnn", ["width=32", "filters=32"]),
        ("mean-pooled", ["width=32", "residual=true"]),
    ],
)
def test_other_students_of_the_same_teacher(text_job, tmp_path, kind, more):
    """Only what depends on the student is done anew."""
    import shutil

    folder = tmp_path / "run"
    shutil.copytree(text_job.folder, folder)
    fields = ", ".join(
        [f"kind: {kind}", "training: {epochs: 1}", *(one.replace("=", ": ") for one in more)]
        + (["layers: 2", "feed_forwards: 2"] if kind == "mobilebert" else [])
    )
    done = call(
        "run", text_job.recipe, "--quick", "--out", folder, "--set", f"student={{{fields}}}",
        "--set", "benchmark.seconds=0.2",
    )  # fmt: skip
    assert done.code in (0, 1), done.err
    assert "teacher: Fine-tune" not in done.err
    report = json.loads((folder / "report/report.json").read_text())
    assert {one["name"]: one["checked"] for one in report["artifacts"]} == CHECKED
    refused = {one["name"]: one["refused_because"] for one in report["artifacts"]}
    assert set(refused.values()) == {None}, refused
    assert report["not_written"] == []
