"""The deploy contract of a text file: what it takes and returns, around any exported graph."""

from collections.abc import Sequence
from pathlib import Path

import numpy as np
import onnx
from onnx import ModelProto, TensorProto, helper, numpy_helper

from export.onnx.session import TEXT_OPERATORS
from export.onnx.text_graph import drop_unused_weights, forget_shapes, replace_nodes
from export.signature import Signature

_DTYPES = {
    "int32": TensorProto.INT32,
    "float32": TensorProto.FLOAT,
    "string": TensorProto.STRING,
}
_ACTIVATIONS = {"one-of": "Softmax", "any-of": "Sigmoid"}


def put_contract_around(
    model: ModelProto, signature: Signature, target: str, gains: Sequence[float] | None
) -> None:
    """Give a graph from int64 inputs to logits the inputs and outputs of the signature.

    Args:
        model: Inputs are named as the signature's; the one output is the logits. Changed in place.
        signature: What the file takes and returns.
        target: What the logits are of: `one-of` several classes, `any-of` them, or a `score`.
        gains: What each class is worth for the output `score`; None: there is none.

    Raises:
        ValueError: The graph lacks an input, or the signature's outputs are not the target's.
    """
    graph = model.graph
    wanted = [one.name for one in signature.inputs]
    has = [one.name for one in graph.input]
    if not set(has) <= set(wanted):
        raise ValueError(f"the graph takes {', '.join(has)}, the signature {', '.join(wanted)}")
    casts = [
        helper.make_node("Cast", [name], [f"{name}.int64"], f"{name}.int64", to=TensorProto.INT64)
        for name in has
    ]
    for node in graph.node:
        for place, name in enumerate(node.input):
            if name in has:
                node.input[place] = f"{name}.int64"
    nodes = [*casts, *graph.node, *_head(model, target, gains)]
    replace_nodes(model, nodes)
    declare_ends(model, signature)
    made = {name for node in graph.node for name in node.output}
    missing = [one.name for one in signature.outputs if one.name not in made]
    if missing:
        raise ValueError(f"a {target} graph has no output {missing[0]}")


def declare_ends(model: ModelProto, signature: Signature) -> None:
    """Put the signature's inputs and outputs in the place of the graph's."""
    graph = model.graph
    for ends, tensors in ((graph.input, signature.inputs), (graph.output, signature.outputs)):
        del ends[:]
        ends.extend(
            helper.make_tensor_value_info(one.name, _DTYPES[one.dtype], list(one.shape))
            for one in tensors
        )


def _head(model: ModelProto, target: str, gains: Sequence[float] | None) -> list[onnx.NodeProto]:
    logits = model.graph.output[0].name
    flat = numpy_helper.from_array(np.array([-1], np.int64), "flat")
    if target == "score":
        model.graph.initializer.append(flat)
        return [helper.make_node("Reshape", [logits, "flat"], ["score"], "score")]
    # Softmax is over the last axis unless said otherwise.
    nodes = [helper.make_node(_ACTIVATIONS[target], [logits], ["probabilities"], "probabilities")]
    if gains is not None:
        column = np.array(gains, np.float32)[:, None]
        model.graph.initializer.extend([flat, numpy_helper.from_array(column, "gains")])
        nodes += [
            helper.make_node("MatMul", ["probabilities", "gains"], ["gain"], "gain"),
            helper.make_node("Reshape", ["gain", "flat"], ["score"], "score"),
        ]
    return nodes


def write_onnx(model: ModelProto, signature: Signature, path: Path) -> None:
    """Check the graph and write it with its metadata, leaving out where and how it was made."""
    drop_unused_weights(model)
    forget_shapes(model)
    model.producer_name, model.producer_version, model.doc_string = "limbeck", "", ""
    model.graph.name, model.graph.doc_string = "limbeck", ""
    for node in model.graph.node:
        node.doc_string = ""
        del node.metadata_props[:]
    used = {node.domain for node in model.graph.node} | {""}
    kept = {one.domain: one.version for one in model.opset_import if one.domain in used}
    del model.opset_import[:]
    model.opset_import.extend(
        helper.make_opsetid(domain, kept.get(domain, 1)) for domain in sorted(used)
    )
    del model.metadata_props[:]
    helper.set_model_props(model, signature.metadata())
    # Shape inference, which a full check adds, crashes on graphs that take strings apart.
    onnx.checker.check_model(model, full_check=used.isdisjoint(TEXT_OPERATORS))
    temporary = path.with_name(f".{path.name}.tmp")
    temporary.write_bytes(model.SerializeToString(deterministic=True))
    temporary.replace(path)
