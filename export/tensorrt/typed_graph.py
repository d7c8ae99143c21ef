"""The student's graph with every type written down, as strongly typed builders take it.

TensorRT-RTX, and TensorRT from version 11 on, choose no precision of their own: a tensor has the
type that the graph gives it. So a scheme is a graph: fp32 as it is; fp16 in fp16; weights of int8
or int4 behind a `DequantizeLinear` to fp16; int8 activations between `QuantizeLinear` and
`DequantizeLinear`.
"""

from pathlib import Path
from typing import Literal

import onnx
import onnx.version_converter
from onnx import ModelProto

from export.onnx.half_precision import halve, nodes_behind_last_product
from export.onnx.plain import plain_onnx
from export.onnx.static_int8 import quantize_static_onnx
from export.onnx.text_contract import write_onnx
from export.onnx.text_graph import inline_constants
from export.source import DeploySource
from export.tensorrt.weight_quantization import OPSET, quantize_weights

Scheme = Literal["fp32", "fp16", "int8-weight", "int4-weight", "int8-static"]

SINGLES = frozenset(
    {
        "LayerNormalization",
        "Softmax",
        "LogSoftmax",
        "Sigmoid",
        "Exp",
        "Pow",
        "Sqrt",
        "ReduceMean",
        "ReduceSum",
        "ReduceL2",
    }
)
"""Operators that stay in fp32 in an fp16 graph: they add up many numbers, or take powers."""


def typed_onnx(source: DeploySource, scheme: Scheme) -> Path:
    """Write the graph of a scheme once, into the source's scratch folder.

    Raises:
        Unsupported: PyTorch cannot write an operator of the student, or no weight can be int4.
    """
    plain = plain_onnx(source)
    if scheme == "fp32":
        return plain
    path = plain.with_name(f"{plain.stem}.{scheme}.onnx")
    if path.is_file():
        return path
    if scheme == "int8-static":
        quantize_static_onnx(plain, path, source.calibration, source.signature, symmetric=True)
        return path
    model = onnx.load(plain)
    if scheme != "fp16":
        model = onnx.version_converter.convert_version(model, OPSET)
    inline_constants(model)
    halve(model, _singles(model))
    if scheme != "fp16":
        quantize_weights(model, bits=8 if scheme == "int8-weight" else 4)
    write_onnx(model, source.signature, path)
    return path


def _singles(model: ModelProto) -> set[str]:
    """Return the nodes that stay in fp32, by their first output.

    Behind the last product with weights scores are compared, and gains are summed up: both are
    rounded once.
    """
    weights = {one.name: one for one in model.graph.initializer}
    found = set(nodes_behind_last_product(model))
    for node in model.graph.node:
        is_sum = any(name in weights and 1 in weights[name].dims for name in node.input)
        if node.op_type in SINGLES or (node.op_type == "MatMul" and is_sum):
            found.add(node.output[0])
    return found
