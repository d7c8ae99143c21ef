"""The reference evaluator: a Core ML package's answers, from its own MIL program, off any Mac.

The program is loaded through coremltools; compressed weights (`constexpr_*`) become the floats that
they stand for; each operation is computed by NumPy as the MIL specification says (`arithmetic`,
`movement`), or by coremltools' own value inference. All that does not depend on the inputs is
computed once, when the package is loaded.

Types are honoured: where the program says fp16, each result is rounded to fp16. Within one
operation numbers are float32, so that a matrix product is summed in float32 and rounded once. A
device may do otherwise: the Neural Engine may sum in fp16, a GPU or CPU may keep float32 from one
operation to the next, and every one of them sums in its own order. Of equal scores `topk` here
returns the one that stands first.
"""

from collections.abc import Mapping
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from compress.errors import UserError
from export.coreml.package import Package, read_package
from export.coreml.program import UnknownOperationsError, Values, compile_function
from export.quiet import quietly

Array = NDArray[Any]
Shapes = dict[str, tuple[int, ...]]
"""One combination of shapes, by the name of the input."""

_NOT_COMPUTABLE = (IndexError, TypeError, ValueError)
"""What NumPy raises for numbers that do not fit an operation, or parameters that it lacks."""


class Evaluator:
    """A loaded package, ready to answer."""

    def __init__(self, path: str | Path) -> None:
        """Load a package and compute whatever does not depend on its inputs.

        Args:
            path: The `.mlpackage`.

        Raises:
            UserError: It is damaged, or has operations that are not known here: all are named.
        """
        self.path = Path(path)
        package = read_package(self.path)
        program = load_program(package)
        try:
            self._program = compile_function(program.functions["main"])
        except UnknownOperationsError as error:
            raise UserError(
                f"{path}: operations that limbeck's evaluator does not know: {error}; "
                "check the package on a Mac, where Core ML itself runs it"
            ) from error
        except _NOT_COMPUTABLE as error:
            raise UserError(f"{path}: its constants cannot be computed: {error}") from error
        self.shapes = accepted_shapes(package.spec)
        self.metadata = package.metadata

    @property
    def inputs(self) -> tuple[str, ...]:
        """Names of what the package takes."""
        return tuple(self._program.inputs)

    def __call__(self, inputs: Mapping[str, Array]) -> dict[str, Array]:
        """Answer one call.

        Args:
            inputs: By name, in one of the combinations of shapes that are accepted (`shapes`).

        Returns:
            By name, in the types that the program declares.

        Raises:
            UserError: The shapes are not accepted, or the numbers cannot be computed with.
        """
        self._check(inputs)
        values: Values = dict(self._program.constants)
        for name, dtype in self._program.inputs.items():
            values[name] = np.asarray(inputs[name], dtype=dtype)
        with np.errstate(all="ignore"):
            for step in self._program.steps:
                try:
                    step.compute(values)
                except _NOT_COMPUTABLE as error:
                    raise UserError(f"{self.path}: {step.name} failed: {error}") from error
        return {name: values[name] for name in self._program.outputs}

    def _check(self, inputs: Mapping[str, Array]) -> None:
        """Refuse what Core ML would refuse."""
        if missing := [name for name in self._program.inputs if name not in inputs]:
            raise UserError(f"{self.path}: {', '.join(missing)} is not given")
        given = {name: inputs[name].shape for name in self._program.inputs}
        if given not in self.shapes:
            allowed = " or ".join(_written(one) for one in self.shapes)
            raise UserError(f"{self.path}: takes {allowed}, and was given {_written(given)}")


def load_program(package: Package) -> Any:
    """Return the MIL program with its weights, as a coremltools `Program`.

    Raises:
        UserError: The program or the weights are damaged.
    """
    with quietly():
        from coremltools.converters.mil.frontend.milproto.load import load

        try:
            return load(package.spec, package.spec.specificationVersion, str(package.weights))
        except Exception as error:  # coremltools raises any kind of error for a damaged package
            reason = (str(error).splitlines() or [type(error).__name__])[0][:200]
            raise UserError(
                f"{package.path}: its program or weights are damaged ({reason}); write it again"
            ) from error


def accepted_shapes(spec: Any) -> tuple[Shapes, ...]:
    """Return the combinations of shapes that a package takes, smallest first.

    Enumerated shapes of several inputs go together by their rank, as Core ML has it.

    Args:
        spec: A `Model` of Core ML's protobuf format.
    """
    choices: dict[str, list[tuple[int, ...]]] = {}
    for one in spec.description.input:
        kind = one.type.multiArrayType
        enumerated = {tuple(shape.shape) for shape in kind.enumeratedShapes.shapes}
        choices[one.name] = sorted(enumerated) or [tuple(kind.shape)]
    count = max(len(shapes) for shapes in choices.values())
    return tuple(
        {name: shapes[index if len(shapes) > 1 else 0] for name, shapes in choices.items()}
        for index in range(count)
    )


def _written(shapes: Shapes) -> str:
    return ", ".join(f"{name} {list(shape)}" for name, shape in shapes.items())
