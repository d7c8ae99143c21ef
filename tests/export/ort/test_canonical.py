"""The order of what ONNX Runtime writes."""

import subprocess
import sys

import numpy as np
import onnxruntime
import pytest

from export.ort.canonical import in_order
from export.ort.weights import ort_weight_bytes


@pytest.fixture(scope="module")
def raw(tmp_path_factory, onnx_files):
    """What ONNX Runtime itself writes."""
    path = tmp_path_factory.mktemp("raw") / "raw.ort"
    options = onnxruntime.SessionOptions()
    options.optimized_model_filepath = str(path)
    options.add_session_config_entry("session.save_model_format", "ORT")
    onnxruntime.InferenceSession(
        str(onnx_files["fp32"]), options, providers=["CPUExecutionProvider"]
    )
    return path


def test_the_file_answers_as_before_and_holds_the_same_weights(raw, tmp_path, histories):
    ordered = tmp_path / "ordered.ort"
    ordered.write_bytes(in_order(raw.read_bytes()))
    assert ort_weight_bytes(ordered) == ort_weight_bytes(raw)
    answers = []
    for path in (raw, ordered):
        session = onnxruntime.InferenceSession(str(path), providers=["CPUExecutionProvider"])
        answers.append(session.run(None, {"history": histories}))
    assert all(np.array_equal(one, other) for one, other in zip(*answers, strict=True))


def test_two_orders_become_one(tmp_path, onnx_files):
    """Each process has its own."""
    contents = []
    for number in range(3):
        path = tmp_path / f"{number}.ort"
        command = [
            sys.executable,
            "-m",
            "export.ort.conversion",
            str(onnx_files["fp32"]),
            str(path),
        ]
        subprocess.run([*command, "all"], check=True)
        contents.append(path.read_bytes())
    assert len(set(contents)) > 1, "ONNX Runtime orders by itself now: `in_order` can go"
    assert len({in_order(one) for one in contents}) == 1
