"""Weights of 8 or 4 bits in a graph that computes in fp16.

A weight w becomes q = round(w / s), read as s q. With 8 bits there is an s for each column of a
matrix and each row of a table, with 4 bits for each block of a column (Frantar et al. 2022, section
4, without its correction of errors); s maps the largest |w| onto 127 or 7.
"""

from typing import Any

import numpy as np
from numpy.typing import NDArray
from onnx import ModelProto, NodeProto, TensorProto, helper, numpy_helper

from export.onnx.text_graph import drop_unused_weights, forget_shapes, replace_nodes
from export.source import Unsupported

OPSET = 21
"""Of ONNX: the first whose `DequantizeLinear` reads int4, has blocks, and writes fp16."""
BLOCKS = (32, 16)
"""Numbers of a column that share a scale in int4: the largest that divides the column."""
_LIMIT = {4: 7, 8: 127}


def quantize_weights(model: ModelProto, *, bits: int) -> int:
    """Put integers in the place of the matrices and tables of an fp16 graph.

    Convolutions stay in fp16. In int4, tables and columns that no block divides have 8 bits.

    Args:
        model: Of fp16 (`halve`) and of `OPSET`; changed in place.
        bits: 8 or 4.

    Returns:
        How many weights have that many bits.

    Raises:
        Unsupported: None can have 4.
    """
    weights = {one.name: one for one in model.graph.initializer}
    read: dict[tuple[str, int], str] = {}
    nodes: list[NodeProto] = []
    found = 0
    for node in model.graph.node:
        place, axis = _weight_of(node)
        weight = weights.get(node.input[place]) if place >= 0 else None
        if weight is not None and _is_matrix(weight):
            key = (weight.name, axis)
            if key not in read:
                block = _block(weight, 1 - axis) if bits == 4 and node.op_type != "Gather" else 0
                made = _dequantized(model, weight, axis=axis, block=block)
                nodes.append(made)
                read[key] = made.output[0]
                found += bits == 8 or block > 0
            node.input[place] = read[key]
        nodes.append(node)
    if not found:
        raise Unsupported(
            f"int{bits}-weight: no weight of this student can be int{bits}, as the inputs of none "
            f"are a multiple of {BLOCKS[-1]}; int8-weight or fp16 can be had instead"
        )
    replace_nodes(model, nodes)
    drop_unused_weights(model)
    forget_shapes(model)
    return found


def _weight_of(node: NodeProto) -> tuple[int, int]:
    """Return which input is a weight, and the axis along which it has scales; -1: none is."""
    if node.op_type == "Gather":
        axis = next((one.i for one in node.attribute if one.name == "axis"), 0)
        return (0, 0) if axis == 0 else (-1, 0)
    if node.op_type == "Gemm":
        is_transposed = any(one.name == "transB" and one.i for one in node.attribute)
        return 1, 0 if is_transposed else 1
    return (1, 1) if node.op_type == "MatMul" else (-1, 0)


def _is_matrix(weight: TensorProto) -> bool:
    return (
        weight.data_type == TensorProto.FLOAT16 and len(weight.dims) == 2 and min(weight.dims) > 1
    )


def _block(weight: TensorProto, axis: int) -> int:
    return next((size for size in BLOCKS if weight.dims[axis] % size == 0), 0)


def _dequantized(model: ModelProto, weight: TensorProto, *, axis: int, block: int) -> NodeProto:
    """Add a weight's integers and scales, and return the node that reads them."""
    values = numpy_helper.to_array(weight).astype(np.float32)
    bits = 4 if block else 8
    along = 1 - axis  # numbers that follow each other on this axis share a scale
    size = block or values.shape[along]
    scales = _scales(values, along, size, _LIMIT[bits])
    spread = np.repeat(scales.astype(np.float32), size, axis=along)
    numbers = np.clip(np.rint(values / spread), -_LIMIT[bits], _LIMIT[bits]).astype(np.int8)
    name = f"{weight.name}.int{bits}.{axis}"
    if block:
        packed = helper.make_tensor(
            name, TensorProto.INT4, numbers.shape, _packed(numbers), raw=True
        )
        options: dict[str, Any] = {"axis": along, "block_size": block}
    else:
        packed, scales = numpy_helper.from_array(numbers, name), scales.squeeze(along)
        options = {"axis": axis}
    model.graph.initializer.extend([packed, numpy_helper.from_array(scales, f"{name}.scales")])
    return helper.make_node(
        "DequantizeLinear", [name, f"{name}.scales"], [f"{name}.read"], f"{name}.read", **options
    )


def _scales(values: NDArray[np.float32], axis: int, size: int, limit: int) -> NDArray[np.float16]:
    """Return a scale for each `size` numbers along an axis; the other axis stays."""
    shape = list(values.shape)
    shape[axis : axis + 1] = [shape[axis] // size, size]
    largest = np.abs(values.reshape(shape)).max(axis=axis + 1)
    scales = (largest / limit).astype(np.float16)
    smallest = np.finfo(np.float16).smallest_normal
    return np.where(largest == 0, np.float16(1), np.maximum(scales, smallest))


def _packed(numbers: NDArray[np.int8]) -> bytes:
    """Put two numbers of 4 bits into a byte, the first one low (ONNX, `TensorProto.INT4`)."""
    flat = numbers.reshape(-1).view(np.uint8) & 15
    flat = np.append(flat, np.zeros(len(flat) % 2, np.uint8))
    return (flat[::2] | flat[1::2] << 4).tobytes()
