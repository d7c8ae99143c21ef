"""Runs as they might have been measured, and a model small enough to measure for real."""

from collections.abc import Callable
from pathlib import Path

import numpy as np
import onnx
import pytest
from onnx import TensorProto, helper, numpy_helper

from benchmarks.report.build import ReportInputs

from .every_format_run import every_format_inputs
from .next_item_run import next_item_inputs
from .text_run import text_inputs


@pytest.fixture(scope="session")
def inputs() -> ReportInputs:
    """Everything that a next-item report is made of, with figures like a real run's."""
    return next_item_inputs()


@pytest.fixture(scope="session", name="every_format_inputs")
def _every_format_inputs() -> ReportInputs:
    """The same run with a file of every kind: timed, evaluated, parsed, refused, not written."""
    return every_format_inputs()


@pytest.fixture(scope="session")
def text_label_inputs() -> ReportInputs:
    """Everything that a text-label report is made of, a peer and warnings included."""
    return text_inputs()


@pytest.fixture(scope="session")
def tiny_model(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A real ONNX file with the deploy signature: 30 items, the 20 best by a mean embedding."""
    return write_tiny_model(tmp_path_factory.mktemp("model") / "tiny.onnx")


def write_tiny_model(path: Path, items: int = 30, k: int = 20) -> Path:
    """Write the model: gather, mean, score, top k, from class to item code."""
    random = np.random.default_rng(0)
    constants = {
        "table": random.normal(size=(items + 2, 8)).astype(np.float32),
        "head": random.normal(size=(8, items)).astype(np.float32),
        "k": np.array([k], dtype=np.int64),
        "first_item": np.array(2, dtype=np.int32),
        "positions": np.array([1], dtype=np.int64),
    }
    node: Callable[..., onnx.NodeProto] = helper.make_node
    nodes = [
        node("Gather", ["table", "history"], ["embedded"]),
        node("ReduceMean", ["embedded", "positions"], ["state"], keepdims=0),
        node("MatMul", ["state", "head"], ["logits"]),
        node("TopK", ["logits", "k"], ["scores", "classes"]),
        node("Cast", ["classes"], ["classes32"], to=TensorProto.INT32),
        node("Add", ["classes32", "first_item"], ["item_ids"]),
    ]
    graph = helper.make_graph(
        nodes,
        "tiny",
        [helper.make_tensor_value_info("history", TensorProto.INT32, ["B", "L"])],
        [
            helper.make_tensor_value_info("item_ids", TensorProto.INT32, ["B", k]),
            helper.make_tensor_value_info("scores", TensorProto.FLOAT, ["B", k]),
        ],
        [numpy_helper.from_array(value, name) for name, value in constants.items()],
    )
    onnx.save(
        helper.make_model(graph, opset_imports=[helper.make_opsetid("", 18)], ir_version=10), path
    )
    return path
