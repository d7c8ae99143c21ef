"""The plain ONNX graph: standard operators, fp32, the student's own answers."""

from dataclasses import replace

import numpy as np
import onnx
import pytest
import torch

from export.onnx.plain import plain_onnx
from export.onnx.run import OnnxRunner

KINDS = ("bert", "mobilebert", "text-cnn", "mean-pooled")


def _answers(source, given):
    tensors = [torch.from_numpy(given[one.name]) for one in source.signature.inputs]
    with torch.inference_mode():
        answers = source.module(*tensors)
    names = [one.name for one in source.signature.outputs]
    return {name: answer.numpy() for name, answer in zip(names, answers, strict=True)}


def _assert_same(source, given):
    with OnnxRunner(plain_onnx(source)) as runner:
        found = runner(given)
        assert runner.metadata == source.signature.metadata()
    for name, expected in _answers(source, given).items():
        assert found[name].dtype == expected.dtype
        np.testing.assert_allclose(found[name], expected, atol=1e-4)


@pytest.mark.parametrize("kind", KINDS)
def test_a_text_student_answers_as_in_pytorch_at_any_batch_and_length(text_source_of, pieces, kind):
    source = text_source_of(kind)
    _assert_same(source, pieces)
    _assert_same(source, {name: array[1:2, :1] for name, array in pieces.items()})


@pytest.mark.parametrize(
    "wanted",
    [
        {"target": "any-of"},
        {"target": "score"},
        {"is_pair": True},
        {"is_pair": True, "gains": (0.0, 0.5, 1.0)},
    ],
)
def test_every_target_answers_as_in_pytorch(text_source_of, pieces, wanted):
    _assert_same(text_source_of("bert", **wanted), pieces)


def test_a_next_item_student_answers_as_in_pytorch(next_item_source, histories):
    _assert_same(next_item_source, {"history": histories})


@pytest.mark.parametrize("kind", KINDS)
def test_no_operator_is_of_a_runtimes_own_domain(text_source_of, kind):
    model = onnx.load(plain_onnx(text_source_of(kind)))
    assert {node.domain for node in model.graph.node} == {""}
    assert {one.type.tensor_type.elem_type for one in model.graph.input} == {6}  # int32
    free = [one.dim_param for one in model.graph.input[0].type.tensor_type.shape.dim]
    assert free == ["B", "L"]


def test_it_is_written_once(next_item_source):
    first = plain_onnx(next_item_source)
    written = first.stat().st_mtime_ns
    assert plain_onnx(next_item_source) == first
    assert first.stat().st_mtime_ns == written


def test_students_of_one_scratch_folder_do_not_take_each_others(
    next_item_source, text_source_of, deploy
):
    signature = next_item_source.signature
    unmasked = replace(
        next_item_source,
        module=deploy(mask_seen=False),
        signature=replace(signature, fields={**signature.fields, "mask_seen": False}),
    )
    sources = [next_item_source, unmasked, text_source_of("bert"), text_source_of("text-cnn")]
    assert len({plain_onnx(one) for one in sources}) == len(sources)
