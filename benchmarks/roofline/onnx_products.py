"""How many multiply-adds an ONNX operator takes, as one function an operator.

Standard operators and those of ONNX Runtime's own domains that its optimizer fuses (contrib
operators); formulas follow the operators' specifications. Each function gets the operator's inputs
and outputs by their place (None: left out) and its attributes, and returns the multiply-adds by the
numbers that are multiplied.
"""

from collections.abc import Callable, Mapping, Sequence
from math import prod
from typing import Any

from benchmarks.roofline.cost import NumberType, Value

Values = Sequence[Value | None]
Attributes = Mapping[str, Any]
Products = Mapping[NumberType, int]


class NotUnderstoodError(ValueError):
    """An operator is called in a way that its multiply-adds are not known of."""


def _value(values: Values, place: int) -> Value:
    found = values[place] if place < len(values) else None
    if found is None:
        raise NotUnderstoodError(f"there is no value at place {place}")
    return found


def _optional(values: Values, place: int) -> Value | None:
    return values[place] if place < len(values) else None


def _number(value: Value) -> NumberType:
    if value.number is None:
        raise NotUnderstoodError("these are no numbers of 8, 16 or 32 bits")
    return value.number


def _matmul(inputs: Values, outputs: Values, attributes: Attributes) -> Products:
    """`[..., M, K] @ [..., K, N]`: numbers of the result times K."""
    left = _value(inputs, 0)
    is_turned = bool(attributes.get("transA", 0)) and len(left.shape) > 1
    inner = left.shape[-2] if is_turned else left.shape[-1]
    return {_number(left): _value(outputs, 0).size * inner}


def _int8_matmul(inputs: Values, outputs: Values, attributes: Attributes) -> Products:
    """Likewise; the left side comes as int8, or is quantized by the operator itself."""
    return {"int8": _value(outputs, 0).size * _value(inputs, 0).shape[-1]}


def _int8_gemm(inputs: Values, outputs: Values, attributes: Attributes) -> Products:
    left = _value(inputs, 0)
    inner = left.shape[0] if attributes.get("transA", 0) else left.shape[1]
    return {"int8": _value(outputs, 0).size * inner}


def _block_matmul(inputs: Values, outputs: Values, attributes: Attributes) -> Products:
    """MatMulNBits: weights of few bits, `accuracy_level` 4 multiplies in int8."""
    left = _value(inputs, 0)
    number: NumberType = "int8" if attributes.get("accuracy_level", 0) == 4 else _number(left)
    return {number: left.size * int(attributes["N"])}


def _filter_product(weights: Value, outputs: Values) -> int:
    """Numbers of the result times those of one filter, `[M, C / groups, ...]`: any groups."""
    return _value(outputs, 0).size * prod(weights.shape[1:])


def _conv(inputs: Values, outputs: Values, attributes: Attributes) -> Products:
    return {_number(_value(inputs, 0)): _filter_product(_value(inputs, 1), outputs)}


def _int8_conv(inputs: Values, outputs: Values, attributes: Attributes) -> Products:
    return {"int8": _filter_product(_value(inputs, 1), outputs)}


def _qlinear_conv(inputs: Values, outputs: Values, attributes: Attributes) -> Products:
    return {"int8": _filter_product(_value(inputs, 3), outputs)}


def _conv_transpose(inputs: Values, outputs: Values, attributes: Attributes) -> Products:
    """Each number of the input meets one filter, `[C, M / groups, ...]`."""
    data, weights = _value(inputs, 0), _value(inputs, 1)
    return {_number(data): data.size * prod(weights.shape[1:])}


def _recurrent(inputs: Values, outputs: Values, attributes: Attributes) -> Products:
    """LSTM, GRU, RNN: every step meets all weights `W` and `R`, once an example."""
    steps = _value(inputs, 0)
    weights = _value(inputs, 1).size + _value(inputs, 2).size
    return {_number(steps): steps.shape[0] * steps.shape[1] * weights}


def _int8_recurrent(inputs: Values, outputs: Values, attributes: Attributes) -> Products:
    return {"int8": sum(_recurrent(inputs, outputs, attributes).values())}


def _fused_attention(past: int) -> Callable[[Values, Values, Attributes], Products]:
    """`com.microsoft` Attention and QAttention: `[B, S, D]` times weights `[D, Dq + Dk + Dv]`.

    Then `Q K^T` and the products with V, over S positions and those of the past. A mask saves
    nothing.
    """
    is_int8 = past == 8

    def products(inputs: Values, outputs: Values, attributes: Attributes) -> Products:
        states, weights, answer = _value(inputs, 0), _value(inputs, 1), _value(outputs, 0)
        batch, positions, _ = states.shape
        earlier = _optional(inputs, past)
        known = positions + (0 if earlier is None else earlier.shape[3])
        projection = states.size * weights.shape[1]
        value_width = answer.shape[-1]
        query_width = (weights.shape[1] - value_width) // 2
        pairs = batch * positions * known * (query_width + value_width)
        if is_int8:
            return {"int8": projection, "fp32": pairs}
        return {_number(states): projection + pairs}

    return products


def _plain_attention(past: int) -> Callable[[Values, Values, Attributes], Products]:
    """MultiHeadAttention, and Attention of opset 23: queries, keys and values come projected."""

    def products(inputs: Values, outputs: Values, attributes: Attributes) -> Products:
        query, keys, answer = _value(inputs, 0), _value(inputs, 1), _value(outputs, 0)
        if len(query.shape) not in (3, 4) or len(keys.shape) not in (3, 4):
            raise NotUnderstoodError("packed queries, keys and values")
        earlier = _optional(inputs, past)
        known = keys.shape[-2] + (0 if earlier is None else earlier.shape[-2])
        return {_number(query): (query.size + answer.size) * known}

    return products


def _einsum(inputs: Values, outputs: Values, attributes: Attributes) -> Products:
    """Two factors: the product of the sizes of all letters."""
    left, _, _ = attributes["equation"].replace(" ", "").partition("->")
    letters = left.split(",")
    if len(letters) != 2 or "." in left:
        raise NotUnderstoodError("an einsum of other than two factors, or with an ellipsis")
    sizes: dict[str, int] = {}
    for place, word in enumerate(letters):
        sizes.update(zip(word, _value(inputs, place).shape, strict=True))
    return {_number(_value(inputs, 0)): prod(sizes.values())}


PRODUCTS: Mapping[str, Callable[[Values, Values, Attributes], Products]] = {
    "MatMul": _matmul,
    "FusedMatMul": _matmul,
    "FusedMatMulActivation": _matmul,
    "TransposeMatMul": _matmul,
    "Gemm": _matmul,
    "FusedGemm": _matmul,
    "MatMulInteger": _int8_matmul,
    "MatMulIntegerToFloat": _int8_matmul,
    "DynamicQuantizeMatMul": _int8_matmul,
    "QLinearMatMul": _int8_matmul,
    "QGemm": _int8_gemm,
    "MatMulNBits": _block_matmul,
    "Conv": _conv,
    "FusedConv": _conv,
    "ConvInteger": _int8_conv,
    "QLinearConv": _qlinear_conv,
    "ConvTranspose": _conv_transpose,
    "LSTM": _recurrent,
    "GRU": _recurrent,
    "RNN": _recurrent,
    "DynamicQuantizeLSTM": _int8_recurrent,
    "com.microsoft.Attention": _fused_attention(past=4),
    "com.microsoft.QAttention": _fused_attention(past=8),
    "com.microsoft.MultiHeadAttention": _plain_attention(past=6),
    "Attention": _plain_attention(past=4),
    "Einsum": _einsum,
}
"""By the operator; with the domain where the name alone would be ambiguous."""
