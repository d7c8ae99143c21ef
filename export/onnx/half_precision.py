"""Weights and computation in float16, with the ends of the graph as they were.

A file of half the size for devices that compute in float16. ONNX Runtime's CPU kernels mostly do
not: it puts casts around what it lacks, and answers from the rounded weights.
"""

from collections.abc import Collection, Iterator

import numpy as np
import onnx
from numpy.typing import NDArray
from onnx import ModelProto, NodeProto, TensorProto, helper, numpy_helper

from export.onnx.text_graph import Links, drop_unused_weights, forget_shapes, replace_nodes

LARGEST = 3e4
"""Weights and constants are cut to this: a mask of the smallest float32 becomes one that is still
finite after another is added to it (float16 ends at 65504)."""
_SMALLEST = 2.0**-24
"""Of float16, above 0."""


def halve(model: ModelProto, singles: Collection[str] = ()) -> int:
    """Turn a graph's floats into float16.

    Args:
        model: Of fp32; changed in place.
        singles: Nodes, by their first output, that stay float32.

    Returns:
        How many nodes compute in float16.
    """
    floats = _float_tensors(model)
    kept = set(singles)
    nodes = [(node, node.output[0] in kept) for node in model.graph.node]
    halves = {
        name for node, is_single in nodes if not is_single for name in node.output if name in floats
    }
    weights = {one.name for one in model.graph.initializer}
    singles_read = {name for node, is_single in nodes if is_single for name in node.input}
    outputs = {one.name for one in model.graph.output} & halves
    done: list[NodeProto] = []
    casts: set[str] = set()

    def cast(name: str, to: int) -> str:
        made = f"{name}.{'half' if to == TensorProto.FLOAT16 else 'single'}"
        if made not in casts:
            casts.add(made)
            done.append(helper.make_node("Cast", [name], [made], made, to=to))
        return made

    for weight in list(model.graph.initializer):
        if weight.data_type == TensorProto.FLOAT:
            _add_half(model, weight, is_read_twice=weight.name in singles_read)
    for node, is_single in nodes:
        for place, name in enumerate(node.input):
            if name not in floats:
                continue
            if is_single and name in halves:
                node.input[place] = cast(name, TensorProto.FLOAT)
            elif not is_single and name in weights:
                node.input[place] = f"{name}.half" if name in singles_read else name
            elif not is_single and name not in halves:
                node.input[place] = cast(name, TensorProto.FLOAT16)
        if not is_single:
            _halve_attributes(node)
        done.append(node)
    _restore_outputs(done, outputs)
    replace_nodes(model, done)
    drop_unused_weights(model)
    forget_shapes(model)
    return sum(1 for _, is_single in nodes if not is_single)


def nodes_behind_last_product(model: ModelProto) -> list[str]:
    """Return the nodes between the last matrix products and the outputs, by first output.

    In them scores are compared, which float16's steps would make equal.
    """
    links = Links(model)
    found, to_see = list[str](), [one.name for one in model.graph.output]
    while to_see:
        node = links.maker.get(to_see.pop())
        if node is None or node.op_type in {"MatMul", "Gemm"} or node.output[0] in found:
            continue
        found.append(node.output[0])
        to_see += node.input
    return found


def half(array: NDArray[np.float32]) -> NDArray[np.float16]:
    """Round to float16: what is not 0 stays apart from 0, and what is too large is cut."""
    rounded = np.clip(array, -LARGEST, LARGEST).astype(np.float16)
    lost = (rounded == 0) & (array != 0)
    return np.where(lost, np.sign(array) * np.float16(_SMALLEST), rounded).astype(np.float16)


def _float_tensors(model: ModelProto) -> set[str]:
    """Return the names of everything that is float32."""
    inferred = onnx.shape_inference.infer_shapes(model).graph
    kinds = {
        one.name: one.type.tensor_type.elem_type
        for one in (*inferred.value_info, *inferred.output, *inferred.input)
    }
    kinds |= {one.name: one.data_type for one in model.graph.initializer}
    made = {name for node in model.graph.node for name in node.output if name}
    # What ONNX cannot infer comes from ONNX Runtime's own operators, which make floats.
    unknown = {name for name in made if kinds.get(name, 0) == TensorProto.UNDEFINED}
    return {name for name, kind in kinds.items() if kind == TensorProto.FLOAT} | unknown


def _add_half(model: ModelProto, weight: TensorProto, *, is_read_twice: bool) -> None:
    """Put a weight's float16 in its place, or beside it where float32 nodes read it too."""
    rounded = numpy_helper.from_array(half(numpy_helper.to_array(weight)), weight.name)
    if not is_read_twice:
        weight.CopyFrom(rounded)
        return
    rounded.name = f"{weight.name}.half"
    model.graph.initializer.append(rounded)


def _halve_attributes(node: NodeProto) -> None:
    """Make a node write float16 where its attributes say float32."""
    for attribute in node.attribute:
        if attribute.name == "to" and attribute.i == TensorProto.FLOAT:
            attribute.i = TensorProto.FLOAT16
        for tensor in _tensors(attribute):
            if tensor.data_type == TensorProto.FLOAT:
                tensor.CopyFrom(
                    numpy_helper.from_array(half(numpy_helper.to_array(tensor)), tensor.name)
                )
    if node.op_type == "ConstantOfShape" and not node.attribute:
        value = numpy_helper.from_array(np.zeros(1, np.float16))
        node.attribute.append(helper.make_attribute("value", value))


def _tensors(attribute: onnx.AttributeProto) -> Iterator[TensorProto]:
    if attribute.HasField("t"):
        yield attribute.t
    yield from attribute.tensors


def _restore_outputs(nodes: list[NodeProto], outputs: Collection[str]) -> None:
    """Turn those outputs that became float16 back into float32, under their own names."""
    for node in nodes:
        for names in (node.input, node.output):
            for place, name in enumerate(names):
                if name in outputs:
                    names[place] = f"{name}.float16"
    nodes += [
        helper.make_node("Cast", [f"{name}.float16"], [name], f"{name}.cast", to=TensorProto.FLOAT)
        for name in sorted(outputs)
    ]
