"""Calling a model the way an app does, whatever runtime it lives in."""

from dataclasses import dataclass
from types import TracebackType
from typing import Literal, Protocol, Self

import numpy as np
from numpy.typing import NDArray

Runtime = Literal["onnx", "pytorch", "baseline"]


class Runner(Protocol):
    """A loaded model: a context manager that is called with histories.

    `__enter__` loads the file, `__exit__` releases what was loaded.
    """

    def __enter__(self) -> Self: ...

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        traceback: TracebackType | None,
    ) -> None: ...

    def __call__(self, history: NDArray[np.int32]) -> tuple[NDArray[np.int32], NDArray[np.float32]]:
        """Rank the catalogue for each history.

        Args:
            history: `[B, L]` item codes, padded on the left with 0.

        Returns:
            Item codes `[B, K]` and their scores `[B, K]`, best first.
        """
        ...


@dataclass(frozen=True)
class RunnerSpec:
    """What a fresh process needs to know to load and call a model."""

    runtime: Runtime
    path: str
    threads: int = 1


def open_runner(spec: RunnerSpec) -> Runner:
    """Return the runner for `spec`, importing only the runtime that it needs."""
    if spec.runtime == "onnx":
        from export.onnx.run import OnnxRunner

        return OnnxRunner(spec.path, threads=spec.threads)
    if spec.runtime == "pytorch":
        from export.pytorch.run import PyTorchRunner

        return PyTorchRunner(spec.path, threads=spec.threads)
    from export.baselines.run import BaselineRunner

    return BaselineRunner(spec.path)
