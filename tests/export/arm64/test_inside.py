"""The script that runs on arm64 asks as we do; here it is asked on this processor."""

import subprocess
import sys
from pathlib import Path

import numpy as np
import pytest

from compress.recipe import Onnx, OnnxText
from export.arm64 import inside
from export.onnx.run import OnnxRunner
from export.rows import read_artifacts
from export.verification_set import VERIFICATION, VerificationSet


@pytest.mark.parametrize(
    ("task", "wanted"),
    [
        ("next-item", Onnx(format="onnx", scheme="fp32")),
        ("text", OnnxText(format="onnx", scheme="fp32")),
    ],
)
def test_it_asks_as_verification_does(export_of, tmp_path, task, wanted):
    folder = export_of(task, wanted)
    (artifact,) = read_artifacts(folder)
    answers = tmp_path / "answers.npz"
    files = (folder / artifact.path, folder / VERIFICATION, answers)
    subprocess.run([sys.executable, inside.__file__, *map(str, files)], check=True)
    with OnnxRunner(folder / artifact.path) as runner:
        expected = VerificationSet.load(folder / VERIFICATION).ask(runner).answers
    with np.load(answers) as found:
        assert sorted(found.files) == sorted(expected)
        for name, array in expected.items():
            np.testing.assert_array_equal(found[name], array)


def test_it_needs_nothing_of_ours():
    source = Path(inside.__file__).read_text(encoding="utf-8")
    lines = [line for line in source.splitlines() if line.startswith(("import", "from"))]
    imported = {line.split()[1] for line in lines}
    allowed = {"json", "sys", "pathlib", "typing", "numpy", "numpy.typing", "onnxruntime"}
    assert imported <= allowed
