"""LiteRT files and operators, counted by hand."""

from types import SimpleNamespace

import numpy as np
import pytest

from benchmarks.roofline.cost import Value
from benchmarks.roofline.litert_graph import count_litert, litert_operator_cost
from compress.errors import UserError


def value(*shape, number="fp32", size=4, is_weight=False):
    return Value(shape, int(np.prod(shape)) * size, number, is_weight)


def weight(*shape):
    return value(*shape, number="int8", size=1, is_weight=True)


def test_floats_times_int8_weights_are_multiplied_in_int8():
    found = litert_operator_cost(
        "FULLY_CONNECTED", [value(1, 5, 3), weight(7, 3), None], [value(1, 5, 7)]
    )
    assert found.multiply_adds == {"int8": 105}
    assert (found.weight_bytes, found.activation_bytes) == (21, (15 + 35) * 4)


@pytest.mark.parametrize(("turned", "shape"), [(False, (2, 5, 3)), (True, (2, 3, 5))])
def test_a_product_of_activations_is_one_of_their_type(turned, shape):
    options = SimpleNamespace(adjX=turned)
    found = litert_operator_cost(
        "BATCH_MATMUL", [value(*shape), value(2, 3, 6)], [value(2, 5, 6)], options
    )
    assert found.multiply_adds == {"fp32": 2 * 5 * 3 * 6}


def test_convolutions_count_their_filters():
    made = value(1, 8, 8, 6)
    conv = litert_operator_cost("CONV_2D", [value(1, 8, 8, 4), weight(6, 3, 3, 4)], [made])
    deep = litert_operator_cost(
        "DEPTHWISE_CONV_2D", [value(1, 8, 8, 6), weight(1, 3, 3, 6)], [made]
    )
    assert conv.multiply_adds == {"int8": 6 * 64 * 3 * 3 * 4}
    assert deep.multiply_adds == {"int8": 6 * 64 * 3 * 3}


def test_an_embedding_reads_its_rows():
    found = litert_operator_cost(
        "EMBEDDING_LOOKUP", [value(3, number=None), weight(1000, 16)], [value(3, 16)]
    )
    assert found.weight_bytes == 3 * 16
    assert found.multiply_adds == {}


def test_an_unknown_operator_says_so():
    assert not litert_operator_cost("WHILE", [value(3)], [value(3)]).is_understood


def test_a_file_is_counted_from_its_flatbuffer(tmp_path):
    """`[1, 4] x [3, 4]` of int8, then a reshape."""
    schema = pytest.importorskip("ai_edge_litert.schema_py_generated")
    from export.litert.flatbuffer import pack_model

    def tensor(name, kind, buffer, *shape):
        made = schema.TensorT()
        made.name, made.type, made.buffer = name, kind, buffer
        made.shape = np.array(shape, dtype=np.int32)
        return made

    def operator(code, inputs, outputs):
        made = schema.OperatorT()
        made.opcodeIndex, made.inputs, made.outputs = code, inputs, outputs
        return made

    def opcode(builtin):
        made = schema.OperatorCodeT()
        made.builtinCode = made.deprecatedBuiltinCode = builtin
        return made

    def buffer(data=None):
        made = schema.BufferT()
        made.data = data
        return made

    kinds, builtins = schema.TensorType, schema.BuiltinOperator
    graph = schema.SubGraphT()
    graph.tensors = [
        tensor("x", kinds.FLOAT32, 0, 1, 4),
        tensor("w", kinds.INT8, 1, 3, 4),
        tensor("y", kinds.FLOAT32, 0, 1, 3),
        tensor("z", kinds.FLOAT32, 0, 3),
    ]
    graph.inputs, graph.outputs = [0], [3]
    graph.operators = [operator(0, [0, 1, -1], [2]), operator(1, [2], [3])]
    model = schema.ModelT()
    model.version, model.subgraphs = 3, [graph]
    model.operatorCodes = [opcode(builtins.FULLY_CONNECTED), opcode(builtins.RESHAPE)]
    model.buffers = [buffer(), buffer(np.arange(12, dtype=np.uint8))]
    path = tmp_path / "tiny.tflite"
    path.write_bytes(pack_model(model))
    found = count_litert(path)
    assert found.multiply_adds == {"int8": 12}
    assert (found.weight_bytes, found.activation_bytes, found.operators) == (12, 28, 2)

    graph.tensors[0].shapeSignature = np.array([-1, 4], dtype=np.int32)
    path.write_bytes(pack_model(model))
    with pytest.raises(UserError, match="its sizes are free"):
        count_litert(path)


def test_a_file_that_is_none_is_a_user_error(tmp_path):
    pytest.importorskip("ai_edge_litert")
    path = tmp_path / "broken.tflite"
    path.write_bytes(b"no flatbuffer at all, but long enough")
    with pytest.raises(UserError, match="cannot be counted"):
        count_litert(path)
