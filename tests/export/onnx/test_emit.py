"""Every scheme of every kind of student: the student's answers, as the signature says."""

from dataclasses import replace

import numpy as np
import onnx
import pytest
import torch
from onnx import TensorProto

from compress.recipe import Onnx, OnnxText
from export.onnx.emit import emit
from export.onnx.run import OnnxRunner
from export.samples import Samples
from export.source import Unsupported
from export.verification_set import VerificationSet

KINDS = ("bert", "mobilebert", "text-cnn", "mean-pooled")
SCHEMES = ("fp32", "fp16", "int8-dynamic", "int8-static")
DIFFERENCES = {"fp32": 1e-5, "fp16": 2e-3, "int8-dynamic": 0.05, "int8-static": 0.05}
WEIGHTS = {TensorProto.FLOAT: 4, TensorProto.FLOAT16: 2, TensorProto.INT8: 1, TensorProto.UINT8: 1}


def wanted(source, scheme, **options):
    section = OnnxText if source.reads_text else Onnx
    return section(format="onnx", scheme=scheme, **options)


def expected(source, given):
    tensors = [torch.from_numpy(given[one.name]) for one in source.signature.inputs]
    with torch.inference_mode():
        answers = source.module(*tensors)
    names = [one.name for one in source.signature.outputs]
    return {name: answer.numpy() for name, answer in zip(names, answers, strict=True)}


def assert_answers(source, emitted, given, difference):
    with OnnxRunner(emitted.path) as runner:
        answers = runner(given)
        metadata = runner.metadata
    assert metadata == source.signature.metadata()
    assert list(answers) == [one.name for one in source.signature.outputs]
    for name, answer in expected(source, given).items():
        assert answers[name].dtype == answer.dtype
        assert answers[name].shape == answer.shape
        assert np.abs(answers[name] - answer).max() < difference * max(1, np.abs(answer).max())


@pytest.mark.parametrize("scheme", SCHEMES)
def test_a_next_item_file_ranks_as_the_student(tmp_path, next_item_source, reference, scheme):
    emitted = emit(next_item_source, wanted(next_item_source, scheme), tmp_path)
    assert emitted.path == tmp_path / f"student.{scheme}.onnx"
    assert emitted.details["opset"] == 17
    with OnnxRunner(emitted.path) as runner:
        assert VerificationSet(reference, {}).check(runner, scheme).faults == ()
        assert runner.metadata == next_item_source.signature.metadata()


@pytest.mark.parametrize("scheme", SCHEMES)
@pytest.mark.parametrize("kind", KINDS)
def test_a_text_file_answers_as_the_student(tmp_path, text_source_of, pieces, kind, scheme):
    source = text_source_of(kind)
    emitted = emit(source, wanted(source, scheme), tmp_path)
    assert_answers(source, emitted, pieces, DIFFERENCES[scheme])


@pytest.mark.parametrize("scheme", ("fp16", "int8-static"))
@pytest.mark.parametrize("kind", ("bert", "text-cnn"))
def test_pairs_and_gains(tmp_path, text_source_of, pieces, kind, scheme):
    source = text_source_of(kind, is_pair=True, gains=(0.0, 1.0, 3.0))
    emitted = emit(source, wanted(source, scheme), tmp_path)
    assert_answers(source, emitted, pieces, DIFFERENCES[scheme])
    with OnnxRunner(emitted.path) as runner:
        answers = runner(pieces)
    gain = answers["probabilities"] @ np.array([0.0, 1.0, 3.0])
    assert np.allclose(answers["score"], gain, atol=1e-5), "the gain is that of its probabilities"


@pytest.mark.parametrize("scheme", ("fp16", "int8-static"))
@pytest.mark.parametrize("target", ("any-of", "score"))
def test_other_targets(tmp_path, text_source_of, pieces, target, scheme):
    source = text_source_of("mean-pooled", target=target, is_pair=True)
    emitted = emit(source, wanted(source, scheme), tmp_path)
    assert_answers(source, emitted, pieces, DIFFERENCES[scheme])


def test_padding_and_nothing_but_padding_stay_finite_in_fp16(tmp_path, text_source_of, pieces):
    """A mask of the smallest float32 would be minus infinity."""
    for kind in KINDS:
        source = text_source_of(kind)
        emitted = emit(source, wanted(source, "fp16"), tmp_path)
        nothing = {**pieces, "attention_mask": np.zeros_like(pieces["attention_mask"])}
        with OnnxRunner(emitted.path) as runner:
            together = runner(pieces)["probabilities"]
            assert np.isfinite(runner(nothing)["probabilities"]).all()
            for row, length in enumerate(pieces["attention_mask"].sum(axis=1)):
                alone = {name: array[row : row + 1, :length] for name, array in pieces.items()}
                found = runner(alone)["probabilities"]
                assert np.allclose(found, together[row], atol=2e-3)


@pytest.mark.parametrize("kind", ("next-item", *KINDS))
def test_schemes_say_what_the_weights_are(tmp_path, next_item_source, text_source_of, kind):
    source = next_item_source if kind == "next-item" else text_source_of(kind)
    largest = {"fp32": 4, "fp16": 2, "int8-dynamic": 1, "int8-static": 1}
    for scheme in SCHEMES:
        emitted = emit(source, wanted(source, scheme), tmp_path)
        weights = onnx.load(emitted.path).graph.initializer
        large = [one for one in weights if len(one.dims) > 1 and min(one.dims) > 1]
        if kind == "next-item":  # its table of positions is small, and no matrix
            large = [one for one in large if 302 in one.dims or one.dims[0] == 16]
        large = [one for one in large if one.data_type in WEIGHTS]
        assert large
        assert {WEIGHTS[one.data_type] for one in large} == {largest[scheme]}, scheme


def test_an_fp16_file_is_about_half_the_size(tmp_path, text_source_of):
    source = text_source_of("bert")
    sizes = {}
    for scheme in ("fp32", "fp16"):
        emitted = emit(source, wanted(source, scheme), tmp_path)
        weights = onnx.load(emitted.path).graph.initializer
        sizes[scheme] = sum(len(one.raw_data) for one in weights)
    assert sizes["fp16"] < 0.52 * sizes["fp32"]


@pytest.mark.parametrize("scheme", SCHEMES)
def test_the_same_student_gives_the_same_bytes(tmp_path, next_item_source, text_source_of, scheme):
    for source in (next_item_source, text_source_of("bert")):
        content = []
        for name in ("one", "two"):
            folder = tmp_path / name
            folder.mkdir(exist_ok=True)
            content.append(emit(source, wanted(source, scheme), folder).path.read_bytes())
        assert content[0] == content[1]
        assert b".py" not in content[0]
        assert str(tmp_path).encode() not in content[0]


def test_ranges_come_from_calibration_alone(tmp_path, text_source_of):
    """What is quantized follows the examples that it is shown, and no example is left out."""
    source = text_source_of("mean-pooled")
    first = emit(source, wanted(source, "int8-static"), tmp_path)
    assert first.details["calibration_cases"] == 6
    whole = first.path.read_bytes()
    rows = np.zeros(6, dtype=np.int64)
    fewer = replace(source, calibration=source.calibration.take(rows))
    assert emit(fewer, wanted(source, "int8-static"), tmp_path).path.read_bytes() != whole
    turned = replace(source, calibration=source.calibration.take(np.arange(6)[::-1].copy()))
    assert emit(turned, wanted(source, "int8-static"), tmp_path).path.read_bytes() == whole


def test_texts_are_calibrated_without_their_padding(tmp_path, text_source_of):
    """Padding that a calibration row happens to have changes no range."""
    source = text_source_of("text-cnn")
    content = emit(source, wanted(source, "int8-static"), tmp_path).path.read_bytes()
    given = source.calibration
    rubbish = np.where(given.arrays["attention_mask"] == 0, 7, given.arrays["input_ids"])
    arrays = {**given.arrays, "input_ids": rubbish.astype(np.int32)}
    other = replace(source, calibration=Samples(arrays, given.lengths))
    assert emit(other, wanted(source, "int8-static"), tmp_path).path.read_bytes() == content


@pytest.mark.parametrize(("route", "opset"), [("torchscript", 20), ("dynamo", 18), ("dynamo", 23)])
@pytest.mark.parametrize("kind", ("next-item", "bert", "text-cnn"))
def test_other_routes_and_opsets_answer_the_same(
    tmp_path, next_item_source, text_source_of, histories, pieces, kind, route, opset
):
    source = next_item_source if kind == "next-item" else text_source_of(kind)
    given = {"history": histories[:20]} if kind == "next-item" else pieces
    emitted = emit(source, wanted(source, "fp32", route=route, opset=opset), tmp_path)
    assert (emitted.details["route"], emitted.details["opset"]) == (route, opset)
    assert next(one.version for one in onnx.load(emitted.path).opset_import if not one.domain) == (
        opset
    )
    assert_answers(source, emitted, given, 1e-5)


def test_dynamo_int8_leaves_no_table_in_floats(tmp_path, next_item_source):
    options = {"route": "dynamo", "opset": 20}
    emitted = emit(next_item_source, wanted(next_item_source, "int8-dynamic", **options), tmp_path)
    weights = onnx.load(emitted.path).graph.initializer
    tables = [one for one in weights if 302 in one.dims and len(one.dims) == 2]
    assert len(tables) == 2
    assert TensorProto.FLOAT not in {one.data_type for one in tables}


def test_what_no_route_writes_is_refused_and_nothing_is_left(tmp_path, next_item_source):
    section = wanted(next_item_source, "fp32", route="dynamo", opset=17)
    folder = tmp_path / "files"
    folder.mkdir()
    with pytest.raises(Unsupported, match="opset 17 by route dynamo"):
        emit(next_item_source, section, folder)
    assert list(folder.iterdir()) == []
