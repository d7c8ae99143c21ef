"""LiteRT files answer as their student does, in every scheme, by the signature's names."""

from dataclasses import replace

import numpy as np
import pytest
import torch
from torch import nn

from compress.recipe.artifacts import LiteRt
from export.litert import emit as module
from export.litert.run import LiteRtRunner
from export.samples import Samples
from export.signature import Signature, Tensor
from export.source import Unsupported
from export.text_verification import TextReference
from export.verification_set import VerificationSet

SCHEMES = ["fp32", "fp16", "int8-dynamic"]


def student_answers(source, given):
    names = [one.name for one in source.signature.inputs]
    with torch.inference_mode():
        found = source.module(*(torch.from_numpy(given[name]) for name in names))
    return {
        one.name: tensor.numpy()
        for one, tensor in zip(source.signature.outputs, found, strict=True)
    }


def text_check(source, emitted, pieces, scheme):
    lengths = pieces["attention_mask"].sum(axis=1).astype(np.int32)
    names = [one.name for one in source.signature.inputs]
    samples = Samples({name: pieces[name] for name in names}, lengths)
    reference = TextReference(
        samples, student_answers(source, pieces), source.module.target, gains=source.gains
    )
    with LiteRtRunner(emitted.path) as runner:
        return VerificationSet(reference, {}).check(runner, scheme)


@pytest.mark.parametrize("scheme", SCHEMES)
def test_a_next_item_file_ranks_as_the_student(emitted, reference, scheme):
    _, written = emitted("next-item", scheme)
    with LiteRtRunner(written.path) as runner:
        check = VerificationSet(reference, {}).check(runner, scheme)
    assert check.faults == ()
    assert check.cases == 260


@pytest.mark.parametrize("scheme", SCHEMES)
def test_a_bert_answers_as_the_student(emitted, pieces, scheme):
    source, written = emitted("bert", scheme)
    check = text_check(source, written, pieces, scheme)
    assert check.faults == ()


@pytest.mark.slow
@pytest.mark.parametrize("scheme", SCHEMES)
@pytest.mark.parametrize(
    ("kind", "target", "more"),
    [
        ("mobilebert", "one-of", {}),
        ("text-cnn", "any-of", {}),
        ("mean-pooled", "one-of", {}),
        ("mean-pooled", "score", {}),
        ("bert", "one-of", {"is_pair": True, "gains": (0.0, 0.5, 2.0)}),
        ("mobilebert", "score", {"is_pair": True}),
        ("text-cnn", "one-of", {"is_pair": True}),
        ("mean-pooled", "one-of", {"is_pair": True}),
    ],
)
def test_every_kind_of_student_and_target(emitted, pieces, scheme, kind, target, more):
    source, written = emitted(kind, scheme, target, **more)
    check = text_check(source, written, pieces, scheme)
    assert check.faults == ()
    if scheme == "int8-dynamic":  # what is left are norms, biases and positions
        assert written.details["float32_bytes"] < written.details["int8_bytes"]


def test_int8_has_a_byte_a_weight_and_tables_are_quantized_too(emitted, student):
    _, written = emitted("next-item", "int8-dynamic")
    matrices = sum(weight.numel() for weight in student.parameters() if weight.ndim == 2)
    heads_and_distances = student.transformer.final.attention.distance_bias.numel()
    twice = student.table.numel()  # embedding and head are two tables
    special = 2 * 2 * student.table.shape[1]  # padding and unknown, in both
    expected = matrices - heads_and_distances + twice + special
    assert written.details["int8_bytes"] == expected


def test_fp16_has_two_bytes_a_weight(emitted):
    _, small = emitted("next-item", "int8-dynamic")
    _, half = emitted("next-item", "fp16")
    assert half.details["float16_bytes"] == 2 * small.details["int8_bytes"]
    assert "float16_bytes" not in small.details


def test_the_signature_names_inputs_and_outputs(emitted):
    from ai_edge_litert.interpreter import Interpreter

    source, written = emitted("bert", "int8-dynamic")
    signatures = Interpreter(str(written.path)).get_signature_list()
    assert signatures == {
        "serving_default": {
            "inputs": ["attention_mask", "input_ids"],
            "outputs": ["probabilities"],
        }
    }
    assert source.signature.outputs[0].name == "probabilities"


@pytest.mark.parametrize("scheme", SCHEMES)
def test_the_same_student_gives_the_same_bytes_with_its_metadata(emitted, scheme):
    source, written = emitted("next-item", scheme)
    first = written.path.read_bytes()
    _, again = emitted("next-item", scheme)
    assert again.path.read_bytes() == first
    with LiteRtRunner(written.path) as runner:
        assert runner.metadata == source.signature.metadata()


@pytest.mark.slow
def test_a_second_conversion_gives_the_same_bytes_and_says_nothing(emitted, tmp_path, capfd):
    source, written = emitted("next-item", "int8-dynamic")
    first = written.path.read_bytes()
    (tmp_path / "another").mkdir()
    anew = replace(source, scratch=tmp_path / "another")
    capfd.readouterr()
    written = module.emit(anew, LiteRt(format="litert", scheme="int8-dynamic"), tmp_path)
    assert written.path.read_bytes() == first
    assert capfd.readouterr() == ("", "")


def test_a_file_with_changed_weights_is_refused(emitted, reference):
    from export.litert.flatbuffer import pack_model, read_model

    _, written = emitted("next-item", "int8-dynamic")
    model = read_model(written.path.read_bytes())
    (largest, *_) = sorted(
        (one for one in model.buffers if one.data is not None), key=lambda one: -len(one.data)
    )
    largest.data = np.ascontiguousarray(largest.data[::-1])
    written.path.write_bytes(pack_model(model))
    with LiteRtRunner(written.path) as runner:
        assert VerificationSet(reference, {}).check(runner, "int8-dynamic").faults


def test_a_file_says_nothing_of_the_machine_that_wrote_it(emitted, tmp_path):
    _, written = emitted("next-item", "int8-dynamic")
    content = written.path.read_bytes()
    assert str(tmp_path).encode() not in content
    assert b"/export/" not in content
    assert b"torch" not in content
    assert [one.name for one in tmp_path.glob("*.tflite")] == [written.path.name]


def test_an_operator_that_the_converter_does_not_know_is_named(tmp_path, emitted, next_item_source):
    class Strange(nn.Module):
        def forward(self, history):
            return (torch.special.bessel_j1(history.float()),)

    strange = replace(
        next_item_source,
        module=Strange(),
        scratch=tmp_path,
        signature=Signature(
            "next-item",
            next_item_source.signature.inputs,
            (Tensor("scores", "float32", ("B", 12)),),
            {},
        ),
    )
    with pytest.raises(Unsupported, match=r"bessel_j1.*onnx"):
        module.emit(strange, LiteRt(format="litert"), tmp_path)
    assert not list(tmp_path.rglob("*.tflite"))
    assert not list(tmp_path.rglob("*.pt2"))


def test_what_pytorch_cannot_export_is_said_in_one_line(tmp_path, emitted, next_item_source):
    class Branching(nn.Module):
        def forward(self, history):
            return (history.float() if history.sum() > 3 else -history.float(),)

    source = replace(next_item_source, module=Branching(), scratch=tmp_path)
    with pytest.raises(Unsupported, match=r"torch\.export cannot take.*onnx") as caught:
        module.emit(source, LiteRt(format="litert"), tmp_path)
    assert "\n" not in str(caught.value)
