"""A MIL program as a list of steps: what depends on the inputs, with all else already computed."""

from collections.abc import Callable, Iterable, Iterator, Mapping
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from export.coreml.arithmetic import ARITHMETIC
from export.coreml.constexpr import is_known, materialize
from export.coreml.movement import MOVEMENT

Array = NDArray[Any]
Values = dict[str, Any]
"""What is known, by the name of the variable."""


class UnknownOperationsError(ValueError):
    """A program has operations that cannot be computed here."""

    def __init__(self, names: Iterable[str]) -> None:
        """Name them all."""
        self.names = tuple(sorted(set(names)))
        super().__init__(", ".join(self.names))


@dataclass(frozen=True)
class Step:
    """One operation, ready to be computed."""

    name: str
    """Its type and its own name."""
    function: Callable[..., Any]
    fixed: Mapping[str, Any]
    """Inputs that are constant, by parameter."""
    varying: tuple[tuple[str, str], ...]
    """Inputs that are not: parameter and variable."""
    lists: tuple[tuple[str, tuple[str, ...]], ...]
    """Inputs that are lists of variables."""
    outputs: tuple[tuple[str, "np.dtype[Any]"], ...]
    """Variables and their declared types, to which results are rounded."""
    in_float32: bool
    """Whether fp16 is widened for it."""

    @property
    def uses(self) -> set[str]:
        """Variables that must be known before."""
        single = {name for _, name in self.varying}
        return single.union(*(names for _, names in self.lists))

    def compute(self, values: Values) -> None:
        """Compute, and add the outputs to `values`."""
        given: dict[str, Any] = {key: values[name] for key, name in self.varying}
        if self.in_float32:
            given = {key: widened(value) for key, value in given.items()}
        for key, names in self.lists:
            found = [values[name] for name in names]
            given[key] = [widened(one) for one in found] if self.in_float32 else found
        answers = self.function(**self.fixed, **given)
        if not isinstance(answers, tuple):
            answers = (answers,)
        for (name, dtype), answer in zip(self.outputs, answers, strict=True):
            values[name] = np.asarray(answer, dtype=dtype)


@dataclass(frozen=True)
class Compiled:
    """A program that is ready to answer."""

    steps: tuple[Step, ...]
    constants: Mapping[str, Any]
    """What steps or outputs take from before the inputs are known."""
    inputs: Mapping[str, "np.dtype[Any]"]
    outputs: tuple[str, ...]


def compile_function(function: Any) -> Compiled:
    """Compute all constants of a function, and list the steps that are left.

    Args:
        function: Of a coremltools `Program`.

    Raises:
        UnknownOperationsError: Some operations cannot be computed here.
    """
    if unknown := {one.op_type for one in function.operations if not _is_known(one)}:
        raise UnknownOperationsError(unknown)
    constants: Values = {}
    wide: Values = {}
    steps: list[Step] = []
    depending = set(function.inputs)
    for operation in function.operations:
        if operation.op_type == "const":
            constants[operation.outputs[0].name] = operation.outputs[0].val
            continue
        if operation.op_type.startswith("constexpr_"):
            given = {key: constants[name] for key, name in _single(operation)}
            answers = materialize(operation.op_type, given)
            names = [one.name for one in operation.outputs]
            constants.update(zip(names, answers, strict=True))
            continue
        step = _step(operation, depending, constants, wide)
        if step.uses & depending:
            depending.update(name for name, _ in step.outputs)
            steps.append(step)
        else:
            step.compute(constants)
    outputs = tuple(one.name for one in function.outputs)
    needed = set(outputs).union(*(step.uses for step in steps))
    return Compiled(
        steps=tuple(steps),
        constants={name: constants[name] for name in needed & set(constants)},
        inputs={name: numpy_type(one) for name, one in function.inputs.items()},
        outputs=outputs,
    )


def numpy_type(variable: Any) -> "np.dtype[Any]":
    """Type of a coremltools variable's numbers."""
    from coremltools.converters.mil.mil import types

    found: np.dtype[Any] = np.dtype(types.nptype_from_builtin(variable.dtype))
    return found


def widened(value: Any) -> Any:
    """fp16 as float32, all else as it is."""
    is_half = getattr(value, "dtype", None) == np.float16
    return value.astype(np.float32) if is_half else value


def _step(operation: Any, depending: set[str], constants: Values, wide: Values) -> Step:
    """Make a step; `wide` keeps the float32 copies of constants, one for all that share it."""
    in_float32 = operation.op_type in ARITHMETIC
    fixed: dict[str, Any] = {}
    varying: list[tuple[str, str]] = []
    for key, name in _single(operation):
        if name in depending:
            varying.append((key, name))
        elif in_float32:
            if name not in wide:
                wide[name] = widened(constants[name])
            fixed[key] = wide[name]
        else:
            fixed[key] = constants[name]
    return Step(
        name=f"{operation.op_type} {operation.name}",
        function=_function(operation),
        fixed=fixed,
        varying=tuple(varying),
        lists=tuple(_lists(operation)),
        outputs=tuple((one.name, numpy_type(one)) for one in operation.outputs),
        in_float32=in_float32,
    )


def _single(operation: Any) -> Iterator[tuple[str, str]]:
    for key, one in operation.inputs.items():
        if one is not None and not isinstance(one, (list, tuple)):
            yield key, one.name


def _lists(operation: Any) -> Iterator[tuple[str, tuple[str, ...]]]:
    for key, one in operation.inputs.items():
        if isinstance(one, (list, tuple)):
            yield key, tuple(each.name for each in one)


def _is_known(operation: Any) -> bool:
    name = operation.op_type
    if name == "const" or name in ARITHMETIC or name in MOVEMENT:
        return True
    if name.startswith("constexpr_"):
        return is_known(name)
    return not operation.blocks and _infers_values(operation)


def _infers_values(operation: Any) -> bool:
    """Whether coremltools can compute it."""
    from coremltools.converters.mil.mil import Operation

    return type(operation).value_inference is not Operation.value_inference


def _function(operation: Any) -> Callable[..., Any]:
    """NumPy's way to compute an operation, or coremltools'."""
    name = operation.op_type
    return ARITHMETIC.get(name) or MOVEMENT.get(name) or _by_value_inference(operation)


def _by_value_inference(operation: Any) -> Callable[..., Any]:
    from coremltools.converters.mil.mil.types.type_mapping import numpy_val_to_builtin_val

    def give(variable: Any, value: Any) -> None:
        if variable.op is None or variable.op.op_type != "const":
            variable._sym_val = numpy_val_to_builtin_val(value)[0]

    def compute(**given: Any) -> Any:
        for key, value in given.items():
            variables = operation.inputs[key]
            if isinstance(variables, (list, tuple)):
                for one, each in zip(variables, value, strict=True):
                    give(one, each)
            else:
                give(variables, value)
        answer = operation.value_inference()
        if answer is None:
            raise ValueError("coremltools infers no value")
        return tuple(answer) if len(operation.outputs) > 1 else answer

    return compute
