"""Attention's division by the root of the head size becomes part of the query's weights.

softmax(q k / d) with q = x W + b is softmax(x (W / d) k + (b / d) k): a pass less over [H, L, L].
"""

import numpy as np
from onnx import ModelProto, NodeProto, helper, numpy_helper

from export.onnx.text_graph import Links, drop_unused_weights, replace_nodes

_MOVES = frozenset({"Reshape", "Transpose"})
"""Operators that change no value."""


def fold_divisors(model: ModelProto) -> int:
    """Fold every division of a product by one number into a weight of its first factor.

    Returns:
        How many there were.
    """
    links = Links(model)
    folded: dict[str, str] = {}
    for node in model.graph.node:
        divisor = _number(links, node)
        product = links.maker.get(node.input[0]) if divisor is not None else None
        if (
            product is None
            or product.op_type != "MatMul"
            or not links.has_one_reader(node.input[0])
        ):
            continue
        made = _dense_layer(links, product.input[0])
        if made is None or divisor is None:
            continue
        for part in made:
            place = next(one for one, name in enumerate(part.input) if name in links.weights)
            name = part.input[place]
            value = (numpy_helper.to_array(links.weights[name]) / divisor).astype(np.float32)
            part.input[place] = f"{name}.divided.{len(folded)}"
            model.graph.initializer.append(numpy_helper.from_array(value, part.input[place]))
        folded[node.output[0]] = node.input[0]
    nodes = [node for node in model.graph.node if node.output[0] not in folded]
    outputs = {one.name for one in model.graph.output}
    for node in nodes:
        for place, name in enumerate(node.input):
            node.input[place] = folded.get(name, name)
    nodes += [
        helper.make_node("Identity", [name], [out], out)
        for out, name in folded.items()
        if out in outputs
    ]
    replace_nodes(model, nodes)
    drop_unused_weights(model)
    return len(folded)


def _number(links: Links, node: NodeProto) -> np.float32 | None:
    """Return the number that a node divides by, if it does."""
    if node.op_type != "Div" or node.input[1] not in links.weights:
        return None
    value = numpy_helper.to_array(links.weights[node.input[1]])
    return np.float32(value.item()) if value.size == 1 and value.dtype == np.float32 else None


def _dense_layer(links: Links, name: str) -> tuple[NodeProto, NodeProto] | None:
    """Return the product and the sum that made a tensor, if nothing else reads what they made."""
    node = _only_for(links, name)
    while node is not None and node.op_type in _MOVES:
        node = _only_for(links, node.input[0])
    if node is None or node.op_type != "Add":
        return None
    bias, inner = (node.input[0], node.input[1])
    if inner in links.weights:
        bias, inner = inner, bias
    product = _only_for(links, inner)
    is_dense = (
        product is not None
        and product.op_type == "MatMul"
        and product.input[0] not in links.weights
        and product.input[1] in links.weights
    )
    return (product, node) if product is not None and is_dense and bias in links.weights else None


def _only_for(links: Links, name: str) -> NodeProto | None:
    """Return what makes a tensor whose values one node alone reads; others may ask its shape."""
    readers = [node for node in links.readers.get(name, []) if node.op_type != "Shape"]
    return links.maker.get(name) if len(readers) == 1 and name not in links.outputs else None
