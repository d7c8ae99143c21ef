"""Counting a Core ML package from its own MIL program, off any Mac.

Weights count as they are stored: a device that decompresses them beforehand reads more. What the
GPU or the Neural Engine fuses is not known here.
"""

from collections.abc import Callable, Iterator, Mapping, Sequence
from math import prod
from pathlib import Path
from typing import Any

import numpy as np

from benchmarks.roofline.cost import (
    GraphCost,
    NumberType,
    OperatorCost,
    Value,
    bytes_moved,
    total_cost,
)
from compress.errors import UserError
from export.samples import Inputs

Shapes = Mapping[str, tuple[int, ...]]
Given = Mapping[str, Value]
Products = Mapping[NumberType, int]

_VIEWS = frozenset({"expand_dims", "identity", "reshape", "shape", "squeeze"})
_GATHERS = frozenset(
    {"gather", "gather_along_axis", "gather_nd", "slice_by_index", "slice_by_size"}
)
"""They read as much of `x` as they write."""
_NUMBERS: Mapping[str, NumberType] = {"float16": "fp16", "float32": "fp32"}


def count_coreml(path: Path, inputs: Inputs) -> GraphCost:
    """Count one call of a package, of the smallest of its sizes that holds what is asked.

    Raises:
        UserError: It is damaged, coremltools is not installed, or it has operations that are not
            known here although it takes several sizes.
    """
    from export.coreml.evaluate import accepted_shapes, load_program
    from export.coreml.package import read_package

    package = read_package(path)
    function = load_program(package).functions["main"]
    accepted = accepted_shapes(package.spec)
    try:
        shapes: Shapes = {}
        if len(accepted) > 1:
            shapes = _computed_shapes(function, _fitting(accepted, inputs))
        return total_cost(list(program_costs(function, shapes)))
    except (ValueError, TypeError, LookupError, AttributeError) as error:
        reason = (str(error).splitlines() or [""])[0]
        raise UserError(f"{path}: its program cannot be counted: {reason}") from error


def _fitting(accepted: Sequence[Shapes], inputs: Inputs) -> Shapes:
    """Return the first of the shapes, which grow, that an example can be padded to."""
    for shapes in accepted:
        if all(
            size >= wanted
            for name, shape in shapes.items()
            for size, wanted in zip(shape, inputs[name].shape, strict=True)
        ):
            return shapes
    return accepted[-1]


def _computed_shapes(function: Any, given: Shapes) -> Shapes:
    """Return the shape of every variable, by computing the program once for zeros."""
    from export.coreml.program import compile_function

    program = compile_function(function)
    values: dict[str, Any] = dict(program.constants)
    values |= {name: np.zeros(given[name], kind) for name, kind in program.inputs.items()}
    with np.errstate(all="ignore"):
        for step in program.steps:
            step.compute(values)
    return {name: np.shape(one) for name, one in values.items()}


def program_costs(function: Any, shapes: Shapes) -> Iterator[OperatorCost]:
    """Yield what is computed of the inputs; all else is computed when the package is loaded.

    Args:
        function: Of a coremltools `Program`.
        shapes: Of variables whose own shape is not fixed, by name.
    """
    depending = set(function.inputs)
    values = {name: _value(one, shapes) for name, one in function.inputs.items()}
    for operation in function.operations:
        given = {key: one for key, one in _inputs(operation)}
        if operation.op_type.startswith("constexpr_"):
            stored = sum(values[one.name].bytes for one in given.values())
            for one in operation.outputs:
                dense = _value(one, shapes)
                values[one.name] = Value(dense.shape, stored, dense.number, is_weight=True)
            continue
        is_computed = any(one.name in depending for one in given.values())
        for one in operation.outputs:
            values[one.name] = _value(one, shapes, is_weight=not is_computed)
        if is_computed:
            depending.update(one.name for one in operation.outputs)
            yield coreml_operation_cost(
                operation.op_type,
                {key: values[one.name] for key, one in given.items()},
                [values[one.name] for one in operation.outputs],
                transposes_x=_is_set(operation, "transpose_x"),
            )


def _inputs(operation: Any) -> Iterator[tuple[str, Any]]:
    """Yield each input with its parameter; those of a list are numbered."""
    for key, one in operation.inputs.items():
        if isinstance(one, (list, tuple)):
            yield from ((f"{key}.{place}", each) for place, each in enumerate(one))
        elif one is not None:
            yield key, one


def _is_set(operation: Any, key: str) -> bool:
    found = operation.inputs.get(key)
    return found is not None and bool(found.val)


def _value(variable: Any, shapes: Shapes, *, is_weight: bool = False) -> Value:
    from coremltools.converters.mil.mil import types

    own = getattr(variable, "shape", ())
    sizes = shapes.get(getattr(variable, "name", ""), own)
    if not all(isinstance(size, (int, np.integer)) for size in sizes):
        raise ValueError("its sizes are free")
    sizes = tuple(int(size) for size in sizes)
    kind = variable.dtype
    if kind is types.str:
        return Value(sizes, 0, None, is_weight)
    bits = kind.get_bitwidth() if hasattr(kind, "get_bitwidth") else 8
    number = _NUMBERS.get(f"float{bits}") if types.is_float(kind) else None
    return Value(sizes, (prod(sizes) * bits + 7) // 8, number, is_weight)


def coreml_operation_cost(
    operation: str, given: Given, made: list[Value], *, transposes_x: bool = False
) -> OperatorCost:
    """Return what an operation of MIL costs.

    Args:
        operation: Its type.
        given: Inputs by parameter.
        made: Outputs.
        transposes_x: Of `matmul`.
    """
    from export.coreml.arithmetic import ARITHMETIC
    from export.coreml.movement import MOVEMENT

    weights, activations = 0, 0
    if operation not in _VIEWS:
        gathered = given.get("x") if operation in _GATHERS else None
        weights, activations = bytes_moved(given.values(), made, gathered)
    formula = _PRODUCTS.get(operation)
    is_known = operation in ARITHMETIC or operation in MOVEMENT
    products: Products = {}
    if operation == "matmul":
        x = given["x"]
        products = {_number(x): made[0].size * x.shape[-2 if transposes_x else -1]}
    elif formula is not None:
        products = formula(given, made)
    return OperatorCost(
        operator=operation,
        multiply_adds=products,
        weight_bytes=weights,
        activation_bytes=activations,
        is_understood=is_known and operation not in _UNKNOWN_PRODUCTS,
    )


def _number(value: Value) -> NumberType:
    if value.number is None:
        raise ValueError("a product of numbers that are not fp16 or fp32")
    return value.number


def _linear(given: Given, made: list[Value]) -> Products:
    """`[..., K]` times weights `[N, K]`."""
    return {_number(given["x"]): made[0].size * given["weight"].shape[-1]}


def _conv(given: Given, made: list[Value]) -> Products:
    """Filters `[M, C / groups, ...]`."""
    return {_number(given["x"]): made[0].size * prod(given["weight"].shape[1:])}


def _attention(given: Given, made: list[Value]) -> Products:
    """`scaled_dot_product_attention`: queries with keys, then what is read of the values."""
    query = given["query"]
    return {_number(query): (query.size + made[0].size) * given["key"].shape[-2]}


_PRODUCTS: Mapping[str, Callable[[Given, list[Value]], Products]] = {
    "linear": _linear,
    "conv": _conv,
    "scaled_dot_product_attention": _attention,
}
_UNKNOWN_PRODUCTS = frozenset({"einsum", "inverse"})
"""Known to the evaluator, but not counted here."""
