"""Changes to the graph of a text model that make it faster or smaller, and answer the same."""

from collections.abc import Iterable

import numpy as np
from onnx import ModelProto, NodeProto, TensorProto, helper, numpy_helper

_POSITION_WISE = {
    "Add": 2,
    "BiasGelu": 1,
    "FastGelu": 1,
    "Gelu": 1,
    "LayerNormalization": 1,
    "MatMul": 1,
    "Mul": 2,
    "Relu": 1,
    "Sum": 8,
}
"""Operators that look at one position alone, and how many of their inputs may have positions.

A `MatMul` is one of them only where its second input is a weight.
"""
_NORM_OF_SUM = ("LayerNormalization",)


class Links:
    """Who makes and who reads each tensor of a graph."""

    def __init__(self, model: ModelProto) -> None:
        """Look at the graph as it is now."""
        graph = model.graph
        self.weights = {one.name: one for one in graph.initializer}
        self.maker = {name: node for node in graph.node for name in node.output if name}
        self.readers: dict[str, list[NodeProto]] = {}
        for node in graph.node:
            for name in node.input:
                self.readers.setdefault(name, []).append(node)
        self.outputs = {one.name for one in graph.output}

    def has_one_reader(self, name: str) -> bool:
        """Whether one node alone reads the tensor, and it is no output."""
        return len(self.readers.get(name, ())) == 1 and name not in self.outputs


def unfuse_residual_norms(model: ModelProto) -> int:
    """Write the sum before each layer norm as `Sum` instead of `Add`.

    ONNX Runtime makes one `SkipLayerNormalization` of `Add` and `LayerNormalization`, and its
    kernel for the CPU takes several times as long as the two together. `Sum` is left alone.

    Returns:
        How many there were.
    """
    links = Links(model)
    found = 0
    for node in model.graph.node:
        if node.op_type not in _NORM_OF_SUM:
            continue
        before = links.maker.get(node.input[0])
        if before is not None and before.op_type == "Add":
            before.op_type = "Sum"
            found += 1
    return found


def keep_first_position(model: ModelProto) -> int:
    """Compute behind the last attention only what the answer depends on: the first position.

    A classifier reads the first position of the last layer. Everything between the last
    attention and that reading works position by position, so the reading moves up to there.

    Returns:
        How many nodes now work on one position; 0 where the model reads more than the first.
    """
    links = Links(model)
    reading = [node for node in model.graph.node if _reads_first_position(node, links)]
    if len(reading) != 1:
        return 0
    region, borders = _position_wise_region(model, reading[0], links)
    if not region:
        return 0
    model.graph.initializer.append(
        helper.make_tensor("first_position", TensorProto.INT64, [1], [0])
    )
    cuts = {}
    for border in borders:
        cut = f"{border}.first_position"
        cuts[border] = helper.make_node(
            "Gather", [border, "first_position"], [cut], name=cut, axis=1
        )
        for node in region:
            for place, name in enumerate(node.input):
                if name == border:
                    node.input[place] = cut
    nodes: list[NodeProto] = []
    for node in model.graph.node:
        nodes.append(node)
        nodes.extend(cuts.pop(name) for name in node.output if name in cuts)
    replace_nodes(model, [*cuts.values(), *nodes])
    forget_shapes(model)
    return len(region)


def _reads_first_position(node: NodeProto, links: Links) -> bool:
    if node.op_type != "Gather" or node.input[1] not in links.weights:
        return False
    index = numpy_helper.to_array(links.weights[node.input[1]])
    axis = next((one.i for one in node.attribute if one.name == "axis"), 0)
    return axis == 1 and index.ndim == 0 and int(index) == 0


def _position_wise_region(
    model: ModelProto, reading: NodeProto, links: Links
) -> tuple[list[NodeProto], list[str]]:
    """Return the nodes that nothing but the reading depends on, and the tensors that enter."""
    region = [reading]
    for node in reversed(model.graph.node):  # nodes come after what they read
        readers = links.readers.get(node.output[0], [])
        is_read = bool(readers) and node.output[0] not in links.outputs
        if is_read and all(one in region for one in readers) and _is_position_wise(node, links):
            region.append(node)
    borders = [reading.input[0]]
    for node in region[1:]:
        borders += node.input[: _POSITION_WISE[node.op_type]]
    inside = {node.output[0] for node in region}
    outer = [name for name in borders if name not in inside and name not in links.weights]
    return region[1:], list(dict.fromkeys(outer))


def _is_position_wise(node: NodeProto, links: Links) -> bool:
    if node.op_type == "MatMul":
        return node.input[1] in links.weights and len(links.weights[node.input[1]].dims) == 2
    if len([name for name in node.output if name]) != 1:
        return False
    small = all(len(links.weights[name].dims) <= 1 for name in node.input if name in links.weights)
    return node.op_type in _POSITION_WISE and small


def is_table(node: NodeProto, weight: TensorProto, least_rows: int) -> bool:
    """Whether a node looks up rows of a table of floats with at least so many rows."""
    axis = next((one.i for one in node.attribute if one.name == "axis"), 0)
    return (
        axis == 0
        and weight.data_type == TensorProto.FLOAT
        and len(weight.dims) == 2
        and weight.dims[0] >= least_rows
    )


def replace_nodes(model: ModelProto, nodes: Iterable[NodeProto]) -> None:
    """Put `nodes` in the place of all that the graph has."""
    kept = list(nodes)
    del model.graph.node[:]
    model.graph.node.extend(kept)


def drop_unused_weights(model: ModelProto) -> None:
    """Take out weights that no node reads."""
    read = {name for node in model.graph.node for name in node.input}
    kept = [one for one in model.graph.initializer if one.name in read]
    del model.graph.initializer[:]
    model.graph.initializer.extend(kept)


def forget_shapes(model: ModelProto) -> None:
    """Take out what was noted of shapes inside the graph, as it may no longer be so."""
    del model.graph.value_info[:]


def inline_constants(model: ModelProto) -> None:
    """Write `Constant` nodes, and copies of weights, as weights: other changes look there."""
    copies: dict[str, str] = {}
    weights = {one.name for one in model.graph.initializer}
    outputs = {one.name for one in model.graph.output}
    nodes = []
    for node in model.graph.node:
        value = next((one for one in node.attribute if one.name == "value"), None)
        if node.op_type == "Constant" and value is not None:
            weight = TensorProto()
            weight.CopyFrom(value.t)
            weight.name = node.output[0]
            model.graph.initializer.append(weight)
            weights.add(weight.name)
        elif (
            node.op_type == "Identity"
            and copies.get(node.input[0], node.input[0]) in weights
            and node.output[0] not in outputs
        ):
            copies[node.output[0]] = copies.get(node.input[0], node.input[0])
        else:
            for place, name in enumerate(node.input):
                node.input[place] = copies.get(name, name)
            nodes.append(node)
    replace_nodes(model, nodes)


def take_one_text(model: ModelProto) -> None:
    """Take out the input `token_type_ids`: every piece is of the first text.

    Tables that it looked up give their first row; what else reads it reads zeros.
    """
    name = "token_type_ids"
    kept = [one for one in model.graph.input if one.name != name]
    if len(kept) == len(model.graph.input):
        return
    del model.graph.input[:]
    model.graph.input.extend(kept)
    links = Links(model)
    nodes, rows = [], dict[str, str]()
    for node in model.graph.node:
        table = links.weights.get(node.input[0]) if node.op_type == "Gather" else None
        if table is not None and node.input[1] == name and is_table(node, table, 1):
            row = numpy_helper.to_array(table)[:1][None]
            rows[node.output[0]] = f"{node.output[0]}.first_row"
            model.graph.initializer.append(numpy_helper.from_array(row, rows[node.output[0]]))
        else:
            nodes.append(node)
    for node in nodes:
        for place, read in enumerate(node.input):
            node.input[place] = rows.get(read, read)
    if any(name in node.input for node in nodes):
        zero = numpy_helper.from_array(np.zeros(1, np.int64), "no_second_text")
        model.graph.initializer.append(zero)
        nodes.insert(0, helper.make_node("Mul", ["input_ids", zero.name], [name], name))
    replace_nodes(model, nodes)
    drop_unused_weights(model)
