"""Opening models by their description."""

import subprocess
import sys
from typing import get_args

import numpy as np
import pytest

from compress.errors import UserError
from compress.teachers.baselines import Popularity
from export.baselines.emit import emit_baseline
from export.pytorch.emit import emit_pytorch
from export.runner import _RUNNERS, RunnerSpec, Runtime, runner_spec_of
from export.samples import Samples


@pytest.fixture
def spec(tmp_path, onnx_files, saved_student):
    """`spec(runtime)`: the path of a model for it."""

    def spec(runtime):
        if runtime == "onnx":
            return onnx_files["int8-dynamic"]
        path = tmp_path / f"{runtime}.json"
        if runtime == "pytorch":
            emit_pytorch(
                path,
                [saved_student],
                top_k=25,
                mask_seen=True,
                is_ensemble=False,
                trained_on_unseen=True,
            )
        else:
            Popularity(np.ones(300, np.float32)).save(tmp_path / "p.npz")
            emit_baseline(path, "popularity", tmp_path / "p.npz", top_k=25, mask_seen=True)
        return path

    return spec


@pytest.mark.parametrize(
    ("runtime", "not_needed"),
    [
        ("onnx", {"torch", "onnx", "scipy", "pydantic"}),
        ("pytorch", {"onnxruntime", "onnx", "scipy"}),
        ("baseline", {"torch", "onnxruntime", "pydantic"}),
    ],
)
def test_a_runtime_is_imported_whole_beforehand_and_no_other(
    runtime, not_needed, spec, histories, tmp_path
):
    Samples({"history": histories}).save(tmp_path / "samples.npz")
    code = (
        "import sys; from pathlib import Path; from export.runner import *\n"
        "from export.samples import Samples\n"
        "samples = Samples.load(Path(sys.argv[3]))\n"
        "spec = RunnerSpec(sys.argv[1], sys.argv[2]); import_runtime(spec)\n"
        "runner = open_runner(spec); before = set(sys.modules)\n"
        "with runner: answers = runner(samples.row(1))\n"
        "print(*answers)\n"
        "print(*before)\n"
        "print(*sorted(set(sys.modules) - before))"
    )
    done = subprocess.run(
        [sys.executable, "-c", code, runtime, str(spec(runtime)), str(tmp_path / "samples.npz")],
        capture_output=True,
        text=True,
        check=True,
    )
    answers, before, later = done.stdout.splitlines()
    assert answers.split() == ["item_ids", "scores"]
    assert not not_needed.intersection(before.split())
    own = ("export", "compress", "torch", "onnxruntime", "scipy")
    assert [name for name in later.split() if name.startswith(own)] == []


def test_what_a_file_names_is_a_runtime_and_never_code():
    assert set(_RUNNERS) == set(get_args(Runtime))
    assert runner_spec_of("onnx", "a.onnx", 2) == RunnerSpec("onnx", "a.onnx", 2)
    for runtime in ("python", "of-a-later-limbeck", "", None, ["onnx"]):
        with pytest.raises(UserError, match="evil.py:Evil: this limbeck knows no runtime"):
            runner_spec_of(runtime, "evil.py:Evil")
