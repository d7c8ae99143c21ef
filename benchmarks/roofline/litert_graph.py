"""Counting a LiteRT file from its flatbuffer, whose sizes are fixed.

A matrix product of int8 weights and float activations is one of int8: XNNPACK quantizes the
activations first ("dynamic range").
"""

import struct
from collections.abc import Callable, Iterator, Mapping, Sequence
from math import prod
from pathlib import Path
from typing import Any

from benchmarks.roofline.cost import (
    GraphCost,
    NumberType,
    OperatorCost,
    Value,
    bytes_moved,
    total_cost,
)
from compress.errors import MissingExtraError, UserError

Products = Mapping[NumberType, int]

_IDENTIFIER = b"TFL3"
_DAMAGE = (OSError, ValueError, TypeError, LookupError, AttributeError, struct.error)
"""What reading a flatbuffer raises whose offsets lead nowhere."""

_BITS: Mapping[str, tuple[int, NumberType | None]] = {
    "BOOL": (8, None),
    "FLOAT16": (16, "fp16"),
    "FLOAT32": (32, "fp32"),
    "INT2": (2, "int8"),
    "INT4": (4, "int8"),
    "INT8": (8, "int8"),
    "INT16": (16, None),
    "INT32": (32, None),
    "INT64": (64, None),
    "UINT8": (8, "int8"),
    "UINT16": (16, None),
    "UINT32": (32, None),
}
"""Bits of a number, and what a product takes it for."""
_VIEWS = frozenset({"EXPAND_DIMS", "RESHAPE", "SHAPE", "SQUEEZE"})
_GATHERS: Mapping[str, int] = {"EMBEDDING_LOOKUP": 1, "GATHER": 0, "GATHER_ND": 0, "SLICE": 0,
                               "STRIDED_SLICE": 0}  # fmt: skip
"""The input of which only as much is read as is written."""
_ELEMENTWISE = frozenset(
    {"ABS", "ADD", "ADD_N", "ARG_MAX", "ARG_MIN", "AVERAGE_POOL_2D", "BROADCAST_TO", "CAST",
     "CEIL", "CONCATENATION", "COS", "CUMSUM", "DEQUANTIZE", "DIV", "ELU", "EQUAL", "EXP",
     "FILL", "FLOOR", "FLOOR_DIV", "FLOOR_MOD", "GELU", "GREATER", "GREATER_EQUAL",
     "HARD_SWISH", "LEAKY_RELU", "LESS", "LESS_EQUAL", "LOG", "LOGICAL_AND", "LOGICAL_NOT",
     "LOGICAL_OR", "LOGISTIC", "LOG_SOFTMAX", "MAXIMUM", "MAX_POOL_2D", "MEAN", "MINIMUM",
     "MUL", "NEG", "NOT_EQUAL", "ONE_HOT", "PACK", "PAD", "PADV2", "POW", "PRELU", "QUANTIZE",
     "RANGE", "REDUCE_MAX", "REDUCE_MIN", "REDUCE_PROD", "RELU", "RELU6", "RELU_N1_TO_1",
     "REVERSE_V2", "ROUND", "RSQRT", "SCATTER_ND", "SELECT", "SELECT_V2", "SIGN", "SIN",
     "SOFTMAX", "SPLIT", "SPLIT_V", "SQRT", "SQUARE", "SQUARED_DIFFERENCE",
     "STABLEHLO_SCATTER", "SUB", "SUM", "TANH", "TILE", "TOPK_V2", "TRANSPOSE", "UNPACK",
     "WHERE", "ZEROS_LIKE"}
)  # fmt: skip


def count_litert(path: Path) -> GraphCost:
    """Count one run of a file's main graph: one example of the file's length.

    Raises:
        UserError: It is no LiteRT file, or leaves sizes free.
    """
    from export.litert.flatbuffer import read_model

    try:
        from ai_edge_litert import schema_py_generated as schema
    except ImportError as error:
        raise MissingExtraError(
            f"{path}: counting its graph takes ai-edge-litert, which is not installed. "
            "Install it with: pip install 'limbeck[litert]'"
        ) from error
    try:
        content = path.read_bytes()
        if content[4:8] != _IDENTIFIER:
            raise ValueError("it is no LiteRT file")
        operators = list(_costs(read_model(content), schema))
    except _DAMAGE as error:
        reason = f"{type(error).__name__} {error}"
        raise UserError(f"{path}: its graph cannot be counted: {reason}") from error
    return total_cost(operators)


def _costs(model: Any, schema: Any) -> Iterator[OperatorCost]:
    names = {number: name for name, number in vars(schema.BuiltinOperator).items()}
    types = {number: name for name, number in vars(schema.TensorType).items()}
    graph = model.subgraphs[0]
    values = [_value(tensor, model, types) for tensor in graph.tensors]
    for one in graph.operators:
        code = model.operatorCodes[one.opcodeIndex]
        name = names[max(code.builtinCode, code.deprecatedBuiltinCode)]
        # Numbers below 0 are optional inputs that are left out.
        given = [values[place] if place >= 0 else None for place in one.inputs]
        made = [values[place] for place in one.outputs]
        yield litert_operator_cost(name, given, made, one.builtinOptions)


def _value(tensor: Any, model: Any, types: Mapping[int, str]) -> Value:
    signature = tensor.shapeSignature
    if signature is not None and any(int(size) < 0 for size in signature):
        raise ValueError("its sizes are free")
    shape = tuple(int(size) for size in (tensor.shape if tensor.shape is not None else ()))
    data = model.buffers[tensor.buffer].data
    bits, number = _BITS.get(types[tensor.type], (0, None))
    size = (prod(shape) * bits + 7) // 8
    is_weight = data is not None and len(data) > 0
    return Value(shape, len(data) if is_weight else size, number, is_weight)


def litert_operator_cost(
    operator: str,
    inputs: Sequence[Value | None],
    outputs: Sequence[Value],
    options: Any = None,
) -> OperatorCost:
    """Return what an operator costs.

    Args:
        operator: Its name in LiteRT's schema.
        inputs: By their place; None where one is left out.
        outputs: Likewise.
        options: Its `builtinOptions`.
    """
    given = [one for one in inputs if one is not None]
    weights, activations = 0, 0
    if operator not in _VIEWS:
        place = _GATHERS.get(operator)
        weights, activations = bytes_moved(given, outputs, None if place is None else inputs[place])
    formula = _PRODUCTS.get(operator)
    is_known = operator in _ELEMENTWISE | _VIEWS | set(_GATHERS)
    return OperatorCost(
        operator=operator,
        multiply_adds={} if formula is None else formula(given, outputs, options),
        weight_bytes=weights,
        activation_bytes=activations,
        is_understood=formula is not None or is_known,
    )


def _number(data: Value, weights: Value) -> NumberType:
    if weights.number == "int8":
        return "int8"
    if data.number is None:
        raise ValueError("a product of numbers that are not of 8, 16 or 32 bits")
    return data.number


def _fully_connected(given: Sequence[Value], made: Sequence[Value], options: Any) -> Products:
    """`[..., K]` times `[N, K]`."""
    return {_number(given[0], given[1]): made[0].size * given[1].shape[-1]}


def _batch_matmul(given: Sequence[Value], made: Sequence[Value], options: Any) -> Products:
    inner = given[0].shape[-2 if options is not None and options.adjX else -1]
    return {_number(given[0], given[1]): made[0].size * inner}


def _conv(given: Sequence[Value], made: Sequence[Value], options: Any) -> Products:
    """Filters `[O, H, W, I]`."""
    return {_number(given[0], given[1]): made[0].size * prod(given[1].shape[1:])}


def _depthwise_conv(given: Sequence[Value], made: Sequence[Value], options: Any) -> Products:
    """Filters `[1, H, W, O]`."""
    return {_number(given[0], given[1]): made[0].size * prod(given[1].shape[1:3])}


_PRODUCTS: Mapping[str, Callable[[Sequence[Value], Sequence[Value], Any], Products]] = {
    "FULLY_CONNECTED": _fully_connected,
    "BATCH_MATMUL": _batch_matmul,
    "CONV_2D": _conv,
    "DEPTHWISE_CONV_2D": _depthwise_conv,
}
