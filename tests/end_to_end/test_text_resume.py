"""kill -9 at any moment of a job on texts, the same command again: the same files and figures."""

import json
import os
import signal
import time

import pytest

from compress.files import file_sha256

from .chinese_queries import write_chinese_queries
from .conftest import artifacts_without_times, call, has_times, start

COMPARED = (
    "dataset",
    "teacher-pieces",
    "student-pieces",
    "baselines",
    "teacher",
    "soft-labels",
    "student",
    "student-without-teacher",
    "export",
    "quality",
)
OWN_EACH_TIME = ("stage.json", "curve.json")

RECIPE = """
name: killed
threads: 1
data: {{source: {{kind: table, train: queries.csv, columns: {{text: [查询], label: 部门}}}}}}
task: {{kind: text-label, max_length: 24}}
teacher:
  kind: huggingface
  model: {teacher}
  allow_weak_teacher: true
  freeze: embeddings, 1
  unfreeze_every: 2
  training: {{epochs: 8, patience: 8, learning_rate: 2e-3, warmup_steps: 5, batch_size: 16}}
student:
  kind: bert
  width: 32
  layers: 1
  heads: 2
  training: {{epochs: 8, patience: 8, learning_rate: 3e-3, warmup_steps: 5, batch_size: 16}}
distillation: {{augment: {{share: 0.2}}}}
benchmark: {{queries: 16, seconds: 0.2, bootstrap: 200, robustness: false}}
"""


def kill_when(folder, sign, *arguments):
    """Start a run, wait for a file, kill it like a power cut."""
    process = start(*arguments)
    deadline = time.monotonic() + 300
    while not (folder / sign).exists():
        assert process.poll() is None, process.communicate()[1]
        assert time.monotonic() < deadline
        time.sleep(0.005)
    os.kill(process.pid, signal.SIGKILL)
    process.communicate()
    assert process.returncode == -signal.SIGKILL


def files(folder):
    """The hash of every file that is the same each time, and what was found of every artifact."""
    same = {
        str(path.relative_to(folder)): file_sha256(path)
        for stage in COMPARED
        for path in sorted((folder / stage).rglob("*"))
        if path.is_file() and path.name not in OWN_EACH_TIME and not has_times(path)
    }
    return same | artifacts_without_times(folder)


@pytest.fixture(scope="module")
def recipe(tiny_bert, tmp_path_factory):
    folder = tmp_path_factory.mktemp("killed")
    write_chinese_queries(folder / "queries.csv")
    path = folder / "recipe.yaml"
    path.write_text(RECIPE.format(teacher=tiny_bert), encoding="utf-8")
    return path


def test_a_killed_run_ends_with_the_same_files_and_figures(recipe, tmp_path):
    straight, killed = tmp_path / "straight", tmp_path / "killed"
    done = call("run", recipe, "--quick", "--out", straight)
    assert done.code == 0, done.err

    run = ("run", recipe, "--quick", "--out", killed)
    kill_when(killed, ".teacher.partial/checkpoints/last.ckpt", *run)
    assert not (killed / "teacher").exists()
    kill_when(killed, ".student.partial/checkpoints/last.ckpt", *run)
    assert not (killed / "student").exists()
    process = start(*run, "--json")
    out, err = process.communicate()
    assert process.returncode == 0, err
    assert "student: Train the student on them (goes on)" in err

    assert files(killed) == files(straight)
    report = json.loads(out)
    expected = json.loads((straight / "report" / "report.json").read_text())
    for role in ("teacher", "student", "student_without_teacher"):
        assert report[role]["quality"] == expected[role]["quality"]
    assert report["distillation_gain"] == expected["distillation_gain"]
