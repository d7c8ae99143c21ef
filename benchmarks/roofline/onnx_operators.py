"""What one ONNX operator costs: its products, and the bytes that it moves."""

from collections.abc import Sequence

from benchmarks.roofline.cost import OperatorCost, Value, bytes_moved
from benchmarks.roofline.onnx_products import (
    PRODUCTS,
    Attributes,
    NotUnderstoodError,
    Products,
    Values,
)

TEXT_DOMAINS = frozenset({"ai.onnx.contrib", "com.microsoft.extensions"})
TEXT_OPERATORS = frozenset(
    {"LabelEncoder", "RegexFullMatch", "StringConcat", "StringNormalizer", "StringSplit",
     "TfIdfVectorizer", "Tokenizer"}
)  # fmt: skip
"""Operators on texts that are not of a domain of their own."""
VIEWS = frozenset({"Flatten", "Identity", "Reshape", "Shape", "Size", "Squeeze", "Unsqueeze"})
"""They hand on what they are given, or read its sizes alone."""
GATHERS = frozenset(
    {"Compress", "Gather", "GatherBlockQuantized", "GatherElements", "GatherND", "Slice", "Split"}
)
"""They read as much of the first input as they write."""
EMBEDDINGS = frozenset({"EmbedLayerNormalization", "SkipEmbedLayerNormalization"})
"""They gather rows of up to three tables: inputs 2, 3, and 4."""
ELEMENTWISE = frozenset(
    {"Abs", "Acos", "Add", "And", "ArgMax", "ArgMin", "Asin", "Atan", "AveragePool",
     "BatchNormalization", "BiasAdd", "BiasGelu", "BiasSoftmax", "BiasSplitGelu", "BitShift",
     "BitwiseAnd", "BitwiseNot", "BitwiseOr", "BitwiseXor", "Cast", "CastLike", "Ceil", "Celu",
     "Clip", "Concat", "Constant", "ConstantOfShape", "Cos", "CumSum", "DepthToSpace",
     "DequantizeLinear", "Div", "Dropout", "DynamicQuantizeLinear", "Elu", "Equal", "Erf", "Exp",
     "Expand", "EyeLike", "FastGelu", "Floor", "Gelu", "GlobalAveragePool", "GlobalMaxPool",
     "Greater", "GreaterOrEqual", "GroupNormalization", "HardSigmoid", "HardSwish",
     "InstanceNormalization", "IsInf", "IsNaN", "LayerNormalization", "LeakyRelu", "Less",
     "LessOrEqual", "Log", "LogSoftmax", "Max", "MaxPool", "Mean", "Min", "Mish", "Mod", "Mul",
     "Neg", "NonZero", "Not", "OneHot", "Or", "PRelu", "Pad", "Pow", "QLinearAdd",
     "QLinearConcat", "QLinearMul", "QLinearSigmoid", "QLinearSoftmax", "QuantizeLinear",
     "QuickGelu", "RMSNormalization", "Range", "Reciprocal", "ReduceL1", "ReduceL2",
     "ReduceLogSum", "ReduceLogSumExp", "ReduceMax", "ReduceMean", "ReduceMin", "ReduceProd",
     "ReduceSum", "ReduceSumSquare", "Relu", "ReorderInput", "ReorderOutput", "Resize",
     "ReverseSequence", "RotaryEmbedding", "Round", "Scatter", "ScatterElements", "ScatterND",
     "Selu", "Sigmoid", "Sign", "SimplifiedLayerNormalization", "Sin",
     "SkipLayerNormalization", "SkipSimplifiedLayerNormalization", "Softmax", "Softplus",
     "Softsign", "SpaceToDepth", "Sqrt", "Sub", "Sum", "Swish", "Tan", "Tanh",
     "ThresholdedRelu", "Tile", "TopK", "Transpose", "Trilu", "Unique", "Where", "Xor"}
)  # fmt: skip
"""They read, compute number by number, and write: no products of matrices among them."""


def onnx_operator_cost(
    operator: str, domain: str, inputs: Values, outputs: Values, attributes: Attributes
) -> OperatorCost:
    """Return what an operator costs.

    Args:
        operator: Its type.
        domain: Its domain, empty for the standard's own.
        inputs: By their place; None where one is left out.
        outputs: Likewise.
        attributes: By name, as Python has them.
    """
    given = [one for one in inputs if one is not None]
    made = [one for one in outputs if one is not None]
    weights, activations = _moved(operator, given, made)
    reads_text = domain in TEXT_DOMAINS or operator in TEXT_OPERATORS or "String" in operator
    products = _products(operator, domain, inputs, outputs, attributes)
    return OperatorCost(
        operator=operator if domain in ("", "ai.onnx") else f"{domain}.{operator}",
        multiply_adds=products or {},
        weight_bytes=weights,
        activation_bytes=activations,
        is_understood=products is not None or reads_text,
        reads_text=reads_text,
    )


def _products(
    operator: str, domain: str, inputs: Values, outputs: Values, attributes: Attributes
) -> Products | None:
    """Return the multiply-adds by type, or None where they are not known."""
    formula = PRODUCTS.get(f"{domain}.{operator}") or PRODUCTS.get(operator)
    if formula is not None:
        try:
            return formula(inputs, outputs, attributes)
        except (NotUnderstoodError, IndexError, KeyError, ValueError):
            return None
    is_known = operator in ELEMENTWISE | VIEWS | GATHERS | EMBEDDINGS
    return {} if is_known else None


def _moved(operator: str, given: Sequence[Value], made: Sequence[Value]) -> tuple[int, int]:
    if operator in VIEWS:
        return 0, 0
    if operator in EMBEDDINGS:
        return _embedded(given, made)
    if operator == "Split":
        return 0, 2 * sum(one.bytes for one in made)
    return bytes_moved(given, made, given[0] if operator in GATHERS and given else None)


def _embedded(given: Sequence[Value], made: Sequence[Value]) -> tuple[int, int]:
    """Of each table as many rows are read as the first output has."""
    tables = [one for one in given if one.is_weight and len(one.shape) == 2]
    rest = [one for one in given if one not in tables]
    weights, activations = bytes_moved(rest, made)
    for table in tables:
        weights += min(table.bytes, round(table.bytes * made[0].size / max(table.size, 1)))
    return weights, activations
