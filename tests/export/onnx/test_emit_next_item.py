"""What the ONNX files are: small, described, the same every time."""

import onnx
from onnx import TensorProto

from export.onnx.emit_next_item import emit_onnx, quantize_onnx
from export.onnx.run import OnnxRunner


def test_the_same_student_gives_the_same_bytes(tmp_path, deploy, signature, onnx_files):
    emit_onnx(deploy(), signature, tmp_path / "a.onnx")
    quantize_onnx(tmp_path / "a.onnx", signature, tmp_path / "b.onnx")
    assert (tmp_path / "a.onnx").read_bytes() == onnx_files["fp32"].read_bytes()
    assert (tmp_path / "b.onnx").read_bytes() == onnx_files["int8-dynamic"].read_bytes()


def test_inputs_and_outputs_are_the_signature(onnx_files):
    for path in onnx_files.values():
        graph = onnx.load(path).graph
        assert [value.name for value in graph.input] == ["history"]
        assert [value.name for value in graph.output] == ["item_ids", "scores"]
        kinds = [value.type.tensor_type.elem_type for value in (*graph.input, *graph.output)]
        assert kinds == [TensorProto.INT32, TensorProto.INT32, TensorProto.FLOAT]
        batch, length = graph.input[0].type.tensor_type.shape.dim
        assert batch.dim_param
        assert length.dim_value == 12


def test_metadata_names_recipe_and_item_map(onnx_files):
    for path in onnx_files.values():
        with OnnxRunner(path) as runner:
            found = runner.metadata
        assert found["limbeck.recipe_sha256"] == "recipe hash"
        assert found["limbeck.item_map_sha256"] == "item map hash"
        assert found["limbeck.task"] == "next-item"
        assert found["limbeck.outputs"] == "item_ids:int32[B,25] scores:float32[B,25]"


def test_no_large_weight_of_the_int8_file_is_float(onnx_files):
    """Neither the table that embeds nor its copy that scores."""
    weights = onnx.load(onnx_files["int8-dynamic"]).graph.initializer
    floats = [w for w in weights if w.data_type == TensorProto.FLOAT]
    assert max(len(w.raw_data) for w in floats) < 300 * 16
    int8 = [w for w in weights if w.data_type == TensorProto.INT8 and 302 in w.dims]
    assert len(int8) == 2


def test_files_do_not_say_where_they_were_made(onnx_files):
    for path in onnx_files.values():
        assert b".py" not in path.read_bytes()
