"""What students cost, against formulas of their configuration."""

import numpy as np
import onnx
import pytest
import torch

from benchmarks.roofline.onnx_graph import count_onnx
from compress.students.transformer import TransformerStudent
from export.deploy import NextItemDeploy, StudentScorer
from export.onnx.emit_next_item import emit_onnx, quantize_onnx
from export.signature import next_item_signature

ITEMS, LENGTH, WIDTH = 300, 12, 16
HEAD = (ITEMS + 2) * WIDTH
"""The head scores the two codes before the catalogue, too."""


def last_layer(length: int, width: int) -> int:
    """Keys and values of every position; query, answer and feed-forward of the last one."""
    return 2 * length * width**2 + 2 * width**2 + 2 * length * width + 8 * width**2


@pytest.fixture(scope="module")
def files(tmp_path_factory):
    """The student as fp32 and int8-dynamic ONNX."""
    torch.manual_seed(0)
    network = TransformerStudent(
        width=WIDTH, layers=2, heads=2, dropout=0.0, items=ITEMS, history_length=LENGTH
    ).eval()
    deploy = NextItemDeploy(StudentScorer(network), items=ITEMS, top_k=20, mask_seen=True).eval()
    signature = next_item_signature(
        items=ITEMS,
        history_length=LENGTH,
        top_k=20,
        mask_seen=True,
        recipe_sha256="recipe",
        item_map_sha256="items",
    )
    folder = tmp_path_factory.mktemp("student")
    emit_onnx(deploy, signature, folder / "fp32.onnx")
    quantize_onnx(folder / "fp32.onnx", signature, folder / "int8.onnx")
    return folder


HISTORY = {"history": np.arange(2, 2 + LENGTH, dtype=np.int32)[None]}
FIRST_LAYER = 12 * LENGTH * WIDTH**2 + 2 * LENGTH**2 * WIDTH


def test_a_next_item_student_takes_what_its_configuration_says(files):
    found = count_onnx(files / "fp32.onnx", HISTORY)
    expected = FIRST_LAYER + last_layer(LENGTH, WIDTH) + HEAD
    assert found.multiply_adds == {"fp32": expected}
    assert not found.not_understood
    parameters = 2 * 12 * WIDTH**2 + HEAD
    others = found.weight_bytes - parameters * 4
    assert LENGTH * WIDTH * 4 <= others < 0.35 * parameters * 4  # rows, biases, norms, distances


def test_its_int8_file_multiplies_weights_in_int8_and_attention_in_fp32(files):
    found = count_onnx(files / "int8.onnx", HISTORY)
    pairs = 2 * LENGTH**2 * WIDTH + 2 * LENGTH * WIDTH
    assert found.multiply_adds["fp32"] == pairs
    assert found.multiply_adds["int8"] == FIRST_LAYER + last_layer(LENGTH, WIDTH) + HEAD - pairs
    assert found.weight_bytes < count_onnx(files / "fp32.onnx", HISTORY).weight_bytes / 2


def test_a_bert_takes_twelve_squares_of_its_width_a_position(tmp_path, tiny_bert):
    """2 layers, 32 wide, 64 between, 2 classes, 10 pieces: every position in every layer."""
    from transformers import AutoModelForSequenceClassification

    model = AutoModelForSequenceClassification.from_pretrained(
        tiny_bert, attn_implementation="eager"
    ).eval()
    ids, mask = torch.ones((1, 10), dtype=torch.long), torch.ones((1, 10), dtype=torch.long)
    path = tmp_path / "bert.onnx"
    torch.onnx.export(
        model,
        (ids, mask),
        path,
        dynamo=False,
        opset_version=17,
        input_names=["input_ids", "attention_mask"],
        output_names=["logits"],
    )
    onnx.checker.check_model(path)
    found = count_onnx(path, {"input_ids": ids.numpy(), "attention_mask": mask.numpy()})
    width, between, length = 32, 64, 10
    layer = length * (4 * width**2 + 2 * width * between) + 2 * length**2 * width
    assert found.multiply_adds == {"fp32": 2 * layer + width**2 + 2 * width}
    assert not found.not_understood
