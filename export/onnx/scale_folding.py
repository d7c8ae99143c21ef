"""Scales and shifts behind a matrix product become part of its weights.

MobileBERT norms by `g * x + s` (Sun et al. 2020, "NoNorm"), with x = a W + b + r, where r is the
residual or is not there. That is a (g W) + (g b + s) + g r: fewer passes over the positions.
"""

from collections.abc import Container
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray
from onnx import ModelProto, NodeProto, helper, numpy_helper

from export.onnx.text_graph import Links, drop_unused_weights, replace_nodes


@dataclass(frozen=True)
class _Sum:
    """What a tensor is the sum of: one matrix product, weights `[W]`, and other tensors."""

    product: NodeProto
    weights: list[str]
    others: list[str]
    nodes: list[NodeProto]


def fold_scales(model: ModelProto) -> int:
    """Fold every scale that stands behind one matrix product with a weight.

    Returns:
        How many there were.
    """
    links = Links(model)
    dropped: set[str] = set()
    instead: dict[str, list[NodeProto]] = {}
    for node in model.graph.node:
        if node.op_type != "Mul":
            continue
        sides = [name for name in node.input if _is_row(links, name)]
        scaled = next((one for one in node.input if one not in sides), "")
        found = _summands(links, scaled, known=instead)
        if len(sides) != 1 or found is None or len(found.others) > 1:
            continue
        shift = _shift_behind(links, node)
        last = node if shift is None else shift[0]
        instead[last.output[0]] = _folded(
            model,
            links,
            found,
            scale=sides[0],
            shift=None if shift is None else shift[1],
            out=last.output[0],
        )
        gone = [node, found.product, *found.nodes, *([] if shift is None else [shift[0]])]
        dropped |= {one.output[0] for one in gone}
    nodes: list[NodeProto] = []
    for node in model.graph.node:
        nodes += instead.get(node.output[0], [] if node.output[0] in dropped else [node])
    replace_nodes(model, nodes)
    drop_unused_weights(model)
    return len(instead)


def _summands(links: Links, name: str, known: Container[str]) -> _Sum | None:
    """Take a sum apart, but not what is `known` to be one already.

    Returns:
        None where it does not hold exactly one matrix product of its own.
    """
    products, weights, others, nodes, to_see = [], list[str](), list[str](), [], [name]
    while to_see:
        one = to_see.pop()
        node = links.maker.get(one)
        if _is_row(links, one):
            weights.append(one)
        elif node is None or one in known or not links.has_one_reader(one):
            others.append(one)
        elif node.op_type == "Add":
            nodes.append(node)
            to_see += node.input
        elif node.op_type == "MatMul" and _is_matrix(links, node.input[1]):
            products.append(node)
        else:
            others.append(one)
    return _Sum(products[0], weights, others, nodes) if len(products) == 1 else None


def _shift_behind(links: Links, node: NodeProto) -> tuple[NodeProto, str] | None:
    """Return the node that adds a weight to a scaled tensor, and the weight."""
    if not links.has_one_reader(node.output[0]):
        return None
    reader = links.readers[node.output[0]][0]
    rows = [name for name in reader.input if _is_row(links, name)]
    return (reader, rows[0]) if reader.op_type == "Add" and len(rows) == 1 else None


def _folded(
    model: ModelProto, links: Links, found: _Sum, *, scale: str, shift: str | None, out: str
) -> list[NodeProto]:
    factor = _row(links, scale)
    matrix = numpy_helper.to_array(links.weights[found.product.input[1]]) * factor
    bias = np.zeros(matrix.shape[1], np.float32)
    for name in found.weights:
        bias = bias + _row(links, name) * factor
    if shift is not None:
        bias = bias + _row(links, shift)
    model.graph.initializer.append(numpy_helper.from_array(matrix, f"{out}.matrix"))
    model.graph.initializer.append(numpy_helper.from_array(bias, f"{out}.bias"))
    names = [found.product.input[0], f"{out}.matrix"]
    end = f"{out}.shifted" if found.others else out
    nodes = [
        helper.make_node("MatMul", names, [f"{out}.product"], f"{out}.product"),
        helper.make_node("Add", [f"{out}.product", f"{out}.bias"], [end], end),
    ]
    if found.others:
        residual = f"{out}.residual"
        nodes += [
            helper.make_node("Mul", [found.others[0], scale], [residual], residual),
            helper.make_node("Add", [end, residual], [out], out),
        ]
    return nodes


def _is_row(links: Links, name: str) -> bool:
    return name in links.weights and len(links.weights[name].dims) == 1


def _is_matrix(links: Links, name: str) -> bool:
    return name in links.weights and len(links.weights[name].dims) == 2


def _row(links: Links, name: str) -> NDArray[np.float32]:
    row: NDArray[np.float32] = numpy_helper.to_array(links.weights[name])
    return row
