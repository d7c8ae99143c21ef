"""What the files of ONNX Runtime Mobile are: the ONNX file, optimized, no larger, described."""

import numpy as np
import onnx
import pytest
import torch
from onnx import TensorProto, helper, numpy_helper
from onnxruntime.tools.reduced_build_config_parser import parse_config

from compress.recipe import Ort, OrtText
from export.ort.conversion import convert
from export.ort.emit import emit, growth_faults
from export.ort.run import OrtRunner
from export.ort.weights import onnx_weight_bytes, ort_weight_bytes
from export.verification_set import VerificationSet

SCHEMES = ("fp32", "fp16", "int8-dynamic", "int8-static")
DIFFERENCES = {"fp32": 1e-5, "fp16": 2e-3, "int8-dynamic": 0.05, "int8-static": 0.05}
PRODUCTS = {
    "int8-dynamic": {"DynamicQuantizeMatMul"},
    "int8-static": {"MatMulIntegerToFloat"},
}
INT8_PRODUCTS = {"DynamicQuantizeMatMul", "MatMulInteger", "MatMulIntegerToFloat", "QLinearMatMul"}
KINDS = ("bert", "mobilebert", "text-cnn", "mean-pooled")


@pytest.mark.parametrize("scheme", SCHEMES)
def test_a_next_item_file_ranks_as_the_student(next_item_ort, reference, scheme):
    source, folder, emitted = next_item_ort
    assert emitted[scheme].path == folder / f"student.{scheme}.ort"
    assert emitted[scheme].faults == ()
    with OrtRunner(emitted[scheme].path) as runner:
        assert VerificationSet(reference, {}).check(runner, scheme).faults == ()
        assert runner.metadata == source.signature.metadata()


@pytest.mark.parametrize("scheme", SCHEMES)
@pytest.mark.parametrize("kind", KINDS)
def test_a_text_file_answers_as_the_student(tmp_path, text_source_of, pieces, kind, scheme):
    options = {"is_pair": True, "gains": (0.0, 1.0, 3.0)} if kind == "bert" else {}
    source = text_source_of(kind, **options)
    emitted = emit(source, OrtText(format="ort", scheme=scheme), tmp_path)
    tensors = [torch.from_numpy(pieces[one.name]) for one in source.signature.inputs]
    with torch.inference_mode():
        expected = [one.numpy() for one in source.module(*tensors)]
    with OrtRunner(emitted.path) as runner:
        answers = runner(pieces)
        assert runner.metadata == source.signature.metadata()
    assert list(answers) == [one.name for one in source.signature.outputs]
    for found, answer in zip(answers.values(), expected, strict=True):
        assert found.dtype == np.float32
        assert np.abs(found - answer).max() < DIFFERENCES[scheme] * max(1, np.abs(answer).max())


def test_the_operators_that_it_needs_lie_beside_it(next_item_ort):
    for scheme, emitted in next_item_ort[2].items():
        (config,) = emitted.sidecars
        assert config.name == f"student.{scheme}.ort.required_operators.config"
        first, *lines = config.read_text().splitlines()
        assert first == f"# Operators that student.{scheme}.ort needs"
        assert not any("/" in line for line in lines)
        needed, _ = parse_config(str(config), enable_type_reduction=True)
        assert set(needed) <= {"ai.onnx", "com.microsoft"}
        names = {name for versions in needed.values() for ops in versions.values() for name in ops}
        assert {"TopK", "Gather", "LayerNormalization"} <= names
        assert names & INT8_PRODUCTS == PRODUCTS.get(scheme, set())
        assert emitted.details["operators"] == len(names)


def test_details_tell_of_weights_and_accelerators(next_item_ort):
    for emitted in next_item_ort[2].values():
        details = emitted.details
        assert details["weight_bytes"] <= details["onnx_weight_bytes"] * 1.05 + 4096
        assert details["operators"] > 10
        for engine in ("nnapi", "coreml_neural_network", "coreml_ml_program"):
            assert details[engine].startswith(("no as it is (", "maybe as", "yes as"))


def test_fp16_weights_stay_halves(next_item_ort):
    """Optimizing for a processor without float16 would write them out as float32."""
    emitted = next_item_ort[2]
    half, whole = (emitted[scheme].details["weight_bytes"] for scheme in ("fp16", "fp32"))
    assert half < 0.6 * whole


@pytest.fixture
def tied(tmp_path):
    """A table that both embeds and scores, transposed for the latter."""
    table = np.random.default_rng(0).normal(size=(2000, 16)).astype(np.float32)
    history = helper.make_tensor_value_info("history", TensorProto.INT64, ["B", 5])
    scores = helper.make_tensor_value_info("scores", TensorProto.FLOAT, ["B", 2000])
    nodes = [
        helper.make_node("Gather", ["table", "history"], ["rows"]),
        helper.make_node("ReduceMean", ["rows"], ["state"], axes=[1], keepdims=0),
        helper.make_node("Transpose", ["table"], ["columns"], perm=[1, 0]),
        helper.make_node("MatMul", ["state", "columns"], ["scores"]),
    ]
    weights = [numpy_helper.from_array(table, "table")]
    graph = helper.make_graph(nodes, "g", [history], [scores], weights)
    opset = [helper.make_opsetid("", 17)]
    path = tmp_path / "tied.onnx"
    onnx.save(helper.make_model(graph, opset_imports=opset, ir_version=8), path)
    return path


def test_a_tied_table_that_is_written_twice_is_a_fault(tied, tmp_path):
    convert(tied, tmp_path / "tied.ort", "fp32")
    before, after = onnx_weight_bytes(tied), ort_weight_bytes(tmp_path / "tied.ort")
    assert before == 2000 * 16 * 4
    assert after == 2 * before
    (fault,) = growth_faults(before, after)
    assert "256,000 bytes, those of the ONNX file 128,000" in fault


def test_what_optimizing_lays_out_anew_is_no_fault():
    assert growth_faults(100_000, 104_000) == ()
    assert growth_faults(1_000, 5_000) == ()
    assert growth_faults(100_000, 110_000) != ()


def test_the_file_says_nothing_of_where_it_was_made(next_item_ort):
    source, folder, emitted = next_item_ort
    for one in emitted.values():
        for path in (one.path, *one.sidecars):
            content = path.read_bytes()
            assert str(folder).encode() not in content
            assert str(source.scratch).encode() not in content
            assert b"limbeck-" not in content
    assert not list(source.scratch.iterdir())


def test_the_same_student_gives_the_same_bytes(next_item_ort, tmp_path):
    source, _, emitted = next_item_ort
    again = emit(source, Ort(format="ort", scheme="int8-dynamic"), tmp_path)
    first = emitted["int8-dynamic"]
    assert again.path.read_bytes() == first.path.read_bytes()
    assert again.sidecars[0].read_bytes() == first.sidecars[0].read_bytes()
    assert again.details == first.details
