"""Every scheme and every kind of student becomes a package that answers as the student does."""

import json
import shutil
import sys
from dataclasses import replace

import numpy as np
import pytest
import torch

from compress.recipe.artifacts import CoreMl, CoreMlText
from export.coreml.emit import emit
from export.coreml.evaluate import load_program
from export.coreml.package import read_package
from export.coreml.run import CoreMlRunner
from export.ranking_verification import Tolerance, compare_answers
from export.source import Unsupported
from export.verification_set import VerificationSet

KINDS = ["bert", "mobilebert", "text-cnn", "mean-pooled"]


@pytest.mark.parametrize(
    "scheme, target, agreement, difference",
    [
        ("fp32", "iOS17", 1.0, 1e-4),
        ("fp16", "iOS17", 0.99, 0.02),
        ("fp16", "iOS16", 0.99, 0.02),
        ("int8-weight", "iOS17", 0.97, 0.2),
        ("int8-weight", "iOS18", 0.97, 0.2),
        ("palettized-6", "iOS17", 0.93, 0.7),
        ("palettized-4", "iOS17", 0.75, 2.5),
        ("int4-weight", "iOS18", 0.75, 2.5),
    ],
)
def test_each_scheme_ranks_as_the_student_does(
    scheme, target, agreement, difference, emitted, reference
):
    with CoreMlRunner(emitted(scheme, target).path) as runner:
        asked = VerificationSet(reference, {}).ask(runner)

    tolerance = Tolerance(agreement, difference, difference)
    check = compare_answers(asked.answers, reference, tolerance)
    assert check.faults == ()


def test_a_package_whose_weights_were_changed_is_refused(emitted, reference, tmp_path):
    path = tmp_path / "changed.mlpackage"
    shutil.copytree(emitted("int8-weight").path, path)
    weights = path / "Data/com.apple.CoreML/weights/weight.bin"
    content = bytearray(weights.read_bytes())
    start = content.index(b"\xef\xbe\xad\xde") + 64  # numbers follow their header
    content[start : start + 2000] = bytes(one ^ 0x40 for one in content[start : start + 2000])
    weights.write_bytes(content)

    with CoreMlRunner(path) as runner:
        check = VerificationSet(reference, {}).check(runner, "int8-weight")

    assert check.faults


@pytest.mark.parametrize(
    "kind, scheme", [*((kind, "fp16") for kind in KINDS), ("bert", "int8-weight")]
)
def test_each_kind_of_text_student_answers_as_it_does(
    kind, scheme, text_source_of, pieces, student_logits, tmp_path
):
    source = text_source_of(kind)
    written = emit(source, CoreMlText(format="coreml", scheme=scheme), tmp_path)

    with CoreMlRunner(written.path) as runner:
        given = runner(pieces)["probabilities"]

    names = ("input_ids", "attention_mask")
    logits = student_logits(source.student, {name: pieces[name] for name in names})
    expected = torch.from_numpy(logits).softmax(dim=-1).numpy()
    assert given.dtype == np.float32
    np.testing.assert_allclose(given, expected, atol=5e-3 if scheme == "fp16" else 0.1)


@pytest.mark.parametrize("target", ["any-of", "score"])
def test_each_target_has_its_answer(target, text_source_of, pieces, student_logits, tmp_path):
    source = text_source_of("mean-pooled", target)
    written = emit(source, CoreMlText(format="coreml"), tmp_path)

    with CoreMlRunner(written.path) as runner:
        given = runner(pieces)

    names = ("input_ids", "attention_mask")
    logits = student_logits(source.student, {name: pieces[name] for name in names})
    expected = logits.reshape(-1) if target == "score" else 1 / (1 + np.exp(-logits))
    name = "score" if target == "score" else "probabilities"
    assert list(given) == [name]
    np.testing.assert_allclose(given[name], expected, atol=0.02)


@pytest.mark.parametrize("lengths", [(), (8, 16, 24)])
def test_pairs_with_gains_answer_both_at_any_length(
    lengths, text_source_of, pieces, student_logits, tmp_path
):
    source = text_source_of("bert", is_pair=True, gains=(0.0, 1.0, 3.0))
    wanted = CoreMlText(format="coreml", target="iOS18", lengths=lengths)
    written = emit(source, wanted, tmp_path)
    expected = torch.from_numpy(student_logits(source.student, pieces, True)).softmax(-1).numpy()

    with CoreMlRunner(written.path) as runner:
        for row, length in enumerate(pieces["attention_mask"].sum(axis=1)):
            given = runner({n: one[row : row + 1, :length] for n, one in pieces.items()})
            np.testing.assert_allclose(given["probabilities"][0], expected[row], atol=5e-3)
            np.testing.assert_allclose(
                given["score"], expected[row : row + 1] @ [0.0, 1.0, 3.0], atol=2e-2
            )


def test_what_hides_padding_is_finite_in_fp16(text_source_of, tmp_path):
    # Hugging Face hides padding with (1 - mask) * finfo.min: 0 times minus infinity in fp16.
    written = emit(text_source_of("bert"), CoreMlText(format="coreml"), tmp_path)

    function = load_program(read_package(written.path)).functions["main"]
    floats = [
        np.asarray(one.outputs[0].val)
        for one in function.operations
        if one.op_type == "const" and np.asarray(one.outputs[0].val).dtype.kind == "f"
    ]
    assert min(one.min() for one in floats) == -1e4


def test_several_lengths_need_ios_18(text_source_of, tmp_path):
    wanted = CoreMlText(format="coreml", lengths=(8, 24))

    with pytest.raises(Unsupported, match=r"2 \(input_ids, attention_mask\); set target: iOS18"):
        emit(text_source_of("mean-pooled"), wanted, tmp_path)


def test_one_length_is_a_fixed_shape(text_source_of, tmp_path):
    wanted = CoreMlText(format="coreml", lengths=(24,))

    assert emit(text_source_of("mean-pooled"), wanted, tmp_path).details["lengths"] == ["24"]


@pytest.mark.parametrize("lengths", [(16,), (25,), (8, 16), (8, 24, 32)])
def test_the_longest_length_is_the_tasks(lengths, text_source_of, tmp_path):
    wanted = CoreMlText(format="coreml", target="iOS18", lengths=lengths)

    with pytest.raises(Unsupported) as caught:
        emit(text_source_of("mean-pooled"), wanted, tmp_path)

    assert str(caught.value) == (
        "coreml: lengths: the longest of lengths must be the task's max_length, 24, "
        f"and is {lengths[-1]}"
    )


def test_an_operation_that_coremltools_cannot_convert_is_named(tiny_source, tmp_path, capfd):
    class Exotic(torch.nn.Module):
        def forward(self, history):
            return history, torch.special.i0(history.float())

    source = replace(tiny_source, module=Exotic())

    with pytest.raises(Unsupported, match="know the operation i0; choose format: onnx") as caught:
        emit(source, CoreMl(format="coreml"), tmp_path)

    assert "\n" not in str(caught.value)
    assert list(tmp_path.iterdir()) == []
    assert capfd.readouterr() == ("", "")


def test_an_operation_that_coremltools_fails_at_is_named(tiny_source, tmp_path):
    class Failing(torch.nn.Module):
        def forward(self, history):
            padded = torch.nn.functional.pad(history.float()[None], (2, 2), mode="circular")
            return history + 0, padded[0]

    source = replace(tiny_source, module=Failing())

    with pytest.raises(Unsupported, match="fails at the operation pad: .*format: onnx") as caught:
        emit(source, CoreMl(format="coreml"), tmp_path)

    assert "\n" not in str(caught.value)


def test_tools_that_cannot_be_imported_keep_no_other_file_back(tiny_source, tmp_path, monkeypatch):
    monkeypatch.setitem(sys.modules, "coremltools", None)

    with pytest.raises(Unsupported, match="pip install 'coremltools"):
        emit(tiny_source, CoreMl(format="coreml"), tmp_path)


def test_details_are_plain_data_that_say_what_the_package_needs(emitted):
    details = emitted("int4-weight", "iOS18").details

    assert json.loads(json.dumps(details)) == details
    assert details["minimum_system"] == "iOS 18, macOS 15"
    assert details["compute_precision"] == "fp16"
    assert details["lengths"] == ["12"]
    assert details["coremltools"].startswith("9")


def test_nothing_is_said_while_it_is_written(tiny_source, tmp_path, capfd):
    emit(tiny_source, CoreMl(format="coreml"), tmp_path)

    assert capfd.readouterr() == ("", "")
