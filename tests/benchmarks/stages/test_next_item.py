"""Measuring a next-item job: no answer that is measured holds a blocked item."""

import json
from pathlib import Path

import numpy as np
import onnx
import pytest

from benchmarks.quality import Evaluation
from benchmarks.stages.next_item import QUALITY
from compress.data.dataset import Dataset
from compress.data.prepare import prepare
from compress.errors import CheckFailed
from compress.progress import Display, Progress
from compress.recipe import Data, NextItemRecipe
from compress.stage import StageContext
from export.artifact import Artifact
from export.blocked_items import ITEM_MAP
from export.rows import SAMPLES, RowFiles, write_artifacts, write_rows
from export.samples import Samples
from export.verification import Check

BLOCKED = 7
KEEPS, LOSES = "keeps.onnx", "loses.onnx"
"""Two models: one answers with the blocked item."""


def write_model(path: Path, first: int) -> None:
    """Write a model that answers any history with 20 items, from `first` on."""
    items = np.arange(first, first + 20, dtype=np.int32)[None]
    constants = {"items": items, "nothing": np.zeros((1, 1), np.int32)}
    node = onnx.helper.make_node
    graph = onnx.helper.make_graph(
        [
            node("ReduceMax", ["history"], ["one"], axes=[1], keepdims=1),
            node("Mul", ["one", "nothing"], ["zero"]),
            node("Add", ["zero", "items"], ["item_ids"]),
            node("Cast", ["item_ids"], ["scores"], to=onnx.TensorProto.FLOAT),
        ],
        "constant",
        [onnx.helper.make_tensor_value_info("history", onnx.TensorProto.INT32, ["batch", 8])],
        [
            onnx.helper.make_tensor_value_info("item_ids", onnx.TensorProto.INT32, ["batch", 20]),
            onnx.helper.make_tensor_value_info("scores", onnx.TensorProto.FLOAT, ["batch", 20]),
        ],
        [onnx.numpy_helper.from_array(value, name) for name, value in constants.items()],
    )
    opset = onnx.helper.make_opsetid("", 17)
    onnx.save(onnx.helper.make_model(graph, opset_imports=[opset], ir_version=8), path)


@pytest.fixture
def measure(tmp_path):
    """Measure a teacher, a student that is like it, and a file."""
    random = np.random.default_rng(0)
    events = [
        f"u{user},i{item},{1000 * user + place}"
        for user in range(20)
        for place, item in enumerate(random.permutation(30)[:12])
    ]
    (tmp_path / "e.csv").write_text("user,item,time\n" + "\n".join(events) + "\n")
    data = {
        "source": {"kind": "table", "interactions": "e.csv"},
        "split": {"kind": "leave-one-out"},
        "minimum_users": 2,
    }
    prepare(Data.model_validate(data), tmp_path, tmp_path / "dataset", progress=lambda line: None)
    dataset, export = Dataset.open(tmp_path / "dataset"), tmp_path / "export"
    (export / SAMPLES).mkdir(parents=True)
    histories = dataset.histories(dataset.cases("test"), 8)
    Samples({"history": histories}).save(export / SAMPLES / "histories.npz")
    write_model(export / KEEPS, BLOCKED + 1)
    write_model(export / LOSES, BLOCKED)
    (export / ITEM_MAP).write_text(json.dumps({"blocked": [BLOCKED]}))
    recipe = NextItemRecipe.model_validate(
        {
            "name": "r",
            "data": data,
            "task": {"kind": "next-item", "history_length": 8, "top_k": 20},
            "teacher": {"kind": "text-sequence"},
            "student": {"kind": "transformer"},
        }
    )

    def measure(teacher: str, file: str, faults: tuple[str, ...]) -> Path:
        roles = {"teacher": teacher, "student": KEEPS}
        write_rows(
            export,
            [
                RowFiles(role, role, "onnx", path, 9, "histories.npz", role)
                for role, path in roles.items()
            ],
        )
        artifact = Artifact(
            name="onnx fp32",
            path=file,
            inputs="histories.npz",
            format="onnx",
            scheme="fp32",
            target="cpu",
            runtime="onnx",
            bytes=9,
            sha256="0" * 64,
            check=Check(256, 1.0, 0.0, 0.0, faults),
            signature={},
        )
        write_artifacts(export, [artifact], [])
        folder = tmp_path / "quality"
        folder.mkdir()
        QUALITY.work(
            StageContext(
                recipe=recipe,
                recipe_folder=tmp_path,
                folder=folder,
                inputs={"dataset": tmp_path / "dataset", "export": export},
                progress=Progress(Display()),
                logs=folder,
                digests={"dataset": "d"},
            )
        )
        return folder

    return measure


def test_a_teacher_that_answers_with_a_blocked_item_stops_the_run(measure):
    with pytest.raises(CheckFailed, match="teacher answers 20 of 20 test cases with 1 of the 1"):
        measure(LOSES, KEEPS, ())


def test_a_file_that_passed_every_check_and_does_so_stops_it_too(measure):
    with pytest.raises(CheckFailed, match="onnx fp32 answers 20 of 20 .* must not be shipped"):
        measure(KEEPS, LOSES, ())


def test_a_file_that_is_refused_for_it_is_measured_with_the_others(measure):
    folder = measure(KEEPS, LOSES, ("a blocked item is returned",))
    assert (Evaluation.load(folder / "onnx-fp32.npz").top == BLOCKED).any()
    assert not (Evaluation.load(folder / "student.npz").top == BLOCKED).any()
