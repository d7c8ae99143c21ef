"""Running a LiteRT file with LiteRT on the CPU."""

import os
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from types import TracebackType
from typing import Any, Self

import numpy as np
from numpy.typing import NDArray

from compress.errors import MissingExtraError, UserError


class LiteRtRunner:
    """A LiteRT interpreter as a `Runner`.

    Its interpreter, not its newer `CompiledModel`: on the CPU both compute with XNNPACK, and a
    call of the interpreter costs less.
    """

    def __init__(self, path: str | Path, threads: int = 1) -> None:
        """Say which file to load; nothing is loaded before `with`.

        Args:
            path: The `.tflite` file.
            threads: Threads inside an operator; operators run one after another.
        """
        self.path = Path(path)
        self.threads = threads
        self._interpreter: Any = None
        self._inputs: tuple[tuple[str, int, tuple[int, ...]], ...] = ()
        self._outputs: tuple[tuple[str, int], ...] = ()
        self._types: tuple[str, ...] = ()

    def __enter__(self) -> Self:
        try:
            from ai_edge_litert.interpreter import Interpreter
        except ImportError as error:
            raise MissingExtraError(
                f"{self.path} runs with ai-edge-litert, which is not installed. "
                "Install it with: pip install 'limbeck[litert]'"
            ) from error
        try:
            with _without_native_log():
                interpreter = Interpreter(str(self.path), num_threads=self.threads)
                interpreter.allocate_tensors()
            inputs, outputs = _tensors(interpreter)
        except (ValueError, RuntimeError) as error:
            said = str(error).strip().splitlines() or [type(error).__name__]
            raise UserError(
                f"{self.path} is not a LiteRT file that LiteRT can load: {said[0]}"
            ) from error
        self._inputs = tuple(
            (name, details["index"], tuple(int(size) for size in details["shape"]))
            for name, details in inputs.items()
        )
        self._outputs = tuple((name, details["index"]) for name, details in outputs.items())
        self._types = tuple(np.dtype(one["dtype"]).name for one in inputs.values())
        self._interpreter = interpreter
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        traceback: TracebackType | None,
    ) -> None:
        self._interpreter = None

    def __call__(self, inputs: dict[str, NDArray[Any]]) -> dict[str, NDArray[Any]]:
        """See `export.runner.Runner`; each example is a run of its own."""
        set_tensor = self._interpreter.set_tensor
        fits = True
        for name, index, shape in self._inputs:
            array = inputs.get(name)
            if array is None or array.shape != shape:
                fits = False
                break
            set_tensor(index, array)
        return self._answer() if fits else self._answer_rows(self._padded(inputs))

    def _answer(self) -> dict[str, NDArray[Any]]:
        """Run what has been set."""
        interpreter = self._interpreter
        try:
            interpreter.invoke()
        except RuntimeError as error:  # an item code or piece that its tables do not have
            said = str(error).strip().splitlines() or ["no reason given"]
            raise UserError(f"{self.path} cannot answer: {said[0]}") from error
        return {name: interpreter.get_tensor(index) for name, index in self._outputs}

    def _answer_rows(self, inputs: dict[str, NDArray[Any]]) -> dict[str, NDArray[Any]]:
        """Run rows one by one, all of the file's length."""
        answers = []
        for row in range(len(next(iter(inputs.values())))):
            for name, index, _ in self._inputs:
                self._interpreter.set_tensor(index, inputs[name][row : row + 1])
            answers.append(self._answer())
        return {name: np.concatenate([one[name] for one in answers]) for name, _ in self._outputs}

    def _padded(self, inputs: dict[str, NDArray[Any]]) -> dict[str, NDArray[Any]]:
        """Fill rows up to the file's length with zeros: padding, where the mask is 0."""
        padded = {}
        for name, _, shape in self._inputs:
            array = inputs.get(name)
            if array is None:
                names = ", ".join(one[0] for one in self._inputs)
                raise UserError(f"{self.path} takes {names}, and was given {', '.join(inputs)}")
            missing = shape[1] - array.shape[1]
            if missing < 0 or (missing and name == "history"):
                raise UserError(
                    f"{self.path} takes {name} of length {shape[1]}, and was given {array.shape[1]}"
                )
            padded[name] = np.pad(array, ((0, 0), (0, missing))) if missing else array
        return padded

    @property
    def inputs(self) -> tuple[str, ...]:
        """Names of what the file takes."""
        return tuple(name for name, _, _ in self._inputs)

    @property
    def declared(self) -> tuple[tuple[str, str, tuple[int, ...]], ...]:
        """Name, NumPy type and shape of what the file takes."""
        types = zip(self._inputs, self._types, strict=True)
        return tuple((name, dtype, shape) for (name, _, shape), dtype in types)

    @property
    def metadata(self) -> dict[str, str]:
        """The file's metadata: see `export.signature`."""
        from export.litert.flatbuffer import read_metadata

        try:
            return read_metadata(self.path)
        except ValueError as error:
            raise UserError(f"{self.path}: its metadata cannot be read: {error}") from error

    @property
    def checked_with(self) -> str:
        """What runs it here."""
        from importlib.metadata import version

        return f"LiteRT {version('ai-edge-litert')} on the CPU"


@contextmanager
def _without_native_log() -> Iterator[None]:
    """Keep back what LiteRT writes to the process's error stream; its errors are raised as well.

    It has neither an option nor an environment variable for it.
    """
    kept, nowhere = os.dup(2), os.open(os.devnull, os.O_WRONLY)
    os.dup2(nowhere, 2)
    try:
        yield
    finally:
        os.dup2(kept, 2)
        os.close(nowhere)
        os.close(kept)


def _tensors(interpreter: Any) -> tuple[dict[str, Any], dict[str, Any]]:
    """Return the details of inputs and outputs by name; those of a file's one signature, if any."""
    signatures = list(interpreter.get_signature_list())
    if len(signatures) > 1:
        raise ValueError(f"it has {len(signatures)} signatures ({', '.join(signatures)}), not one")
    if signatures:
        runner = interpreter.get_signature_runner(signatures[0])
        return runner.get_input_details(), runner.get_output_details()
    inputs, outputs = interpreter.get_input_details(), interpreter.get_output_details()
    return {one["name"]: one for one in inputs}, {one["name"]: one for one in outputs}
