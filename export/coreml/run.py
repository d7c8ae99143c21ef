"""Running a Core ML package: by Core ML on a Mac, by the reference evaluator elsewhere."""

import platform
from collections.abc import Callable, Mapping
from importlib.metadata import version
from pathlib import Path
from types import TracebackType
from typing import Any, Literal, Self

import numpy as np
from numpy.typing import NDArray

from compress.errors import UserError
from export.coreml.evaluate import Evaluator, Shapes, accepted_shapes
from export.coreml.package import read_package
from export.coreml.tools import import_coremltools

Array = NDArray[Any]
_PADDED_LENGTH = 1
"""Axis of `[1, L]` that shorter texts are padded along."""


class CoreMlRunner:
    """A Core ML package as a `Runner`.

    A package takes one example, of fixed lengths: examples are asked one by one, and texts are
    padded on the right to the shortest length that the package takes and that is long enough.
    """

    def __init__(
        self, path: str | Path, threads: int = 1, *, is_reference: bool | None = None
    ) -> None:
        """Say which package to load; nothing is loaded before `with`.

        Args:
            path: The `.mlpackage`.
            threads: As of other runners; Core ML chooses its own, and the evaluator is not timed.
            is_reference: Whether limbeck's evaluator answers, whose time says nothing of a device;
                None: where there is no Core ML.
        """
        self.path = Path(path)
        self.threads = threads
        self.is_reference = platform.system() != "Darwin" if is_reference is None else is_reference
        self._answer: Callable[[dict[str, Array]], dict[str, Array]] | None = None
        self._shapes: tuple[Shapes, ...] = ()
        self._metadata: dict[str, str] = {}

    @property
    def checked(self) -> Literal["run", "evaluated"]:
        """Whether the package's own runtime answers, or the evaluator in its place."""
        return "evaluated" if self.is_reference else "run"

    @property
    def checked_with(self) -> str:
        """What answers, with its version."""
        if self.is_reference:
            tools = version("coremltools")
            return f"limbeck's evaluator of the MIL program (coremltools {tools})"
        return f"Core ML on macOS {platform.mac_ver()[0]}"

    @property
    def metadata(self) -> dict[str, str]:
        """What limbeck wrote into the package: see `export.signature`."""
        return dict(self._metadata)

    def __enter__(self) -> Self:
        if self.is_reference:
            evaluator = Evaluator(self.path)
            self._answer, self._shapes = evaluator, evaluator.shapes
            self._metadata = evaluator.metadata
        else:
            package = read_package(self.path)
            self._shapes, self._metadata = accepted_shapes(package.spec), package.metadata
            self._answer = _core_ml(self.path)
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        traceback: TracebackType | None,
    ) -> None:
        self._answer = None

    def __call__(self, inputs: dict[str, Array]) -> dict[str, Array]:
        """See `export.runner.Runner`."""
        if self._answer is None:
            raise RuntimeError(f"{self.path} is not loaded: call it inside `with`")
        if missing := [name for name in self._shapes[0] if name not in inputs]:
            raise UserError(f"{self.path}: {', '.join(missing)} is not given")
        given = {name: np.asarray(inputs[name], dtype=np.int32) for name in self._shapes[0]}
        if self._metadata.get("limbeck.task") != "next-item":
            given = self._padded(given)
        count = len(next(iter(given.values())))
        answers = [
            self._answer(
                {
                    name: np.ascontiguousarray(array[index : index + 1])
                    for name, array in given.items()
                }
            )
            for index in range(count)
        ]
        return {name: np.concatenate([one[name] for one in answers]) for name in answers[0]}

    def _padded(self, given: Mapping[str, Array]) -> dict[str, Array]:
        """Pad texts; the mask's zeros say that padding is none of the text."""
        length = max(array.shape[_PADDED_LENGTH] for array in given.values())
        for choice in self._shapes:
            allowed = {shape[_PADDED_LENGTH] for shape in choice.values()}
            if min(allowed) >= length:
                return {
                    name: np.pad(array, ((0, 0), (0, choice[name][1] - array.shape[1])))
                    for name, array in given.items()
                }
        longest = max(shape[_PADDED_LENGTH] for shape in self._shapes[-1].values())
        raise UserError(f"{self.path}: takes {longest} pieces at most, and was given {length}")


def _core_ml(path: Path) -> Callable[[dict[str, Array]], dict[str, Array]]:
    """Core ML's own answers, in the types that limbeck's files have."""
    tools = import_coremltools()
    try:
        model = tools.models.MLModel(str(path), compute_units=tools.ComputeUnit.ALL)
    except Exception as error:  # Core ML's errors come in many types
        reason = (str(error).splitlines() or [type(error).__name__])[0][:200]
        raise UserError(f"{path}: Core ML cannot load it ({reason})") from error

    def answer(inputs: dict[str, Array]) -> dict[str, Array]:
        found = {name: np.asarray(one) for name, one in model.predict(inputs).items()}
        return {
            name: one.astype(np.int32 if np.issubdtype(one.dtype, np.integer) else np.float32)
            for name, one in found.items()
        }

    return answer
