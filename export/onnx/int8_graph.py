"""Changes to the graph of a text model before and after its matrices are quantized."""

import numpy as np
import onnx
from onnx import ModelProto, TensorProto, helper, numpy_helper

from export.onnx.text_graph import Links, drop_unused_weights, is_table, replace_nodes

_WEIGHT_ZERO_POINT = {"MatMulInteger": 3, "QAttention": 7}
"""Which input of an operator is the zero point of its weights."""


def quantize_tables(model: ModelProto, least_rows: int = 2) -> int:
    """Store each embedding table as int8 with a scale a row, and scale only the rows that are read.

    A scale a row is as exact as quantizing each embedding by itself; the table as a whole is
    never turned back into floats. Only operators of plain ONNX are used.

    Args:
        model: Changed in place.
        least_rows: Smaller tables stay as they are.

    Returns:
        How many tables there were.
    """
    links = Links(model)
    nodes, made = [], dict[str, tuple[str, str]]()
    for node in model.graph.node:
        weight = links.weights.get(node.input[0]) if node.op_type == "Gather" else None
        if weight is None or not is_table(node, weight, least_rows):
            nodes.append(node)
            continue
        if weight.name not in made:
            made[weight.name] = _add_table(model, weight)
        rows, scales = made[weight.name]
        out = node.output[0]
        nodes += [
            helper.make_node("Gather", [rows, node.input[1]], [f"{out}.rows"], f"{out}.rows"),
            helper.make_node(
                "Cast", [f"{out}.rows"], [f"{out}.floats"], f"{out}.floats", to=TensorProto.FLOAT
            ),
            helper.make_node("Gather", [scales, node.input[1]], [f"{out}.scale"], f"{out}.scale"),
            helper.make_node("Mul", [f"{out}.floats", f"{out}.scale"], [out], f"{out}.scaled"),
        ]
    replace_nodes(model, nodes)
    drop_unused_weights(model)
    return len(made)


def _add_table(model: ModelProto, weight: TensorProto) -> tuple[str, str]:
    table = numpy_helper.to_array(weight)
    scale = np.abs(table).max(axis=1, keepdims=True) / 127
    scale[scale == 0] = 1
    rows = np.rint(table / scale).astype(np.int8)
    names = (f"{weight.name}.int8", f"{weight.name}.scale")
    model.graph.initializer.append(numpy_helper.from_array(rows, names[0]))
    model.graph.initializer.append(numpy_helper.from_array(scale.astype(np.float32), names[1]))
    return names


def drop_zero_points(model: ModelProto) -> int:
    """Take out zero points of weights that are all 0, as they are where nothing is given.

    ONNX Runtime takes longer for zero points that it is given, also if they are 0.

    Returns:
        How many there were.
    """
    links, found = Links(model), 0
    for node in model.graph.node:
        place = _WEIGHT_ZERO_POINT.get(node.op_type, len(node.input))
        weight = links.weights.get(node.input[place]) if place < len(node.input) else None
        if weight is not None and not numpy_helper.to_array(weight).any():
            node.input[place] = ""
            found += 1
        while node.op_type in _WEIGHT_ZERO_POINT and not node.input[-1]:
            del node.input[-1]
    drop_unused_weights(model)
    return found


def declare_floats(model: ModelProto) -> None:
    """Say of every tensor whose type ONNX cannot infer that it is float.

    That is so for what ONNX Runtime's own operators make, and for what is made of it; a quantizer
    asks for the type.
    """
    inferred = onnx.shape_inference.infer_shapes(model).graph
    known = {one.name for one in (*inferred.value_info, *inferred.output, *inferred.input)}
    model.graph.value_info.extend(
        helper.make_tensor_value_info(node.output[0], TensorProto.FLOAT, None)
        for node in model.graph.node
        if node.output[0] not in known
    )
