"""Running a tool's ONNX file with OpenVINO on the CPU, in fp32, for latency."""

from collections.abc import Callable
from functools import partial
from pathlib import Path
from types import TracebackType
from typing import Any, Self

from numpy.typing import NDArray

from compress.errors import MissingExtraError, UserError
from export.peers.description import PeerModel, given_to


class OpenVinoRunner:
    """An ONNX file of a peer as a `Runner`, compiled when it is loaded.

    OpenVINO computes in bfloat16 where a CPU has it, unless it is told: fp32 is asked for, as
    every figure here says. Free axes cost it dearly (half of a small model's time), so a file
    whose batch alone is free is compiled for each batch that it is asked, one example at load:
    what OpenVINO advises its users to do.
    """

    def __init__(self, path: str | Path, threads: int = 1) -> None:
        """Say which file to load; nothing is loaded before `with`.

        Args:
            path: A `PeerModel` on disk.
            threads: Threads of an inference.
        """
        self.path = Path(path)
        self.threads = threads
        self._compile: Callable[[int], Any] = lambda batch: None
        self._models: dict[int, Any] = {}
        self._inputs: tuple[str, ...] = ()
        self._outputs: list[str] = []
        self._about = PeerModel("")

    def __enter__(self) -> Self:
        try:
            import openvino
        except ImportError as error:
            raise MissingExtraError(
                f"{self.path} runs with OpenVINO, which is not installed. "
                "Install it with: pip install 'limbeck[openvino]'"
            ) from error
        self._about = PeerModel.read(self.path)
        file = self.path.parent / self._about.model
        options = {
            "PERFORMANCE_HINT": "LATENCY",
            "INFERENCE_NUM_THREADS": self.threads,
            "INFERENCE_PRECISION_HINT": "f32",
        }
        core = openvino.Core()
        try:
            read = core.read_model(str(file))
            lengths = [list(one.partial_shape)[1:] for one in read.inputs]
            if any(axis.is_dynamic for axes in lengths for axis in axes):
                free = core.compile_model(read, "CPU", options)
                self._compile = lambda batch: free
            else:
                self._compile = partial(_compile_for, core, read, options)
            model = self._models[1] = self._compile(1)
        except RuntimeError as error:
            said = str(error).strip().splitlines() or [type(error).__name__]
            raise UserError(f"{file} cannot be compiled by OpenVINO: {said[-1]}") from error
        self._inputs = tuple(one.get_any_name() for one in model.inputs)
        self._outputs = self._about.outputs([one.get_any_name() for one in model.outputs])
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        traceback: TracebackType | None,
    ) -> None:
        self._models = {}
        self._compile = lambda batch: None

    def __call__(self, inputs: dict[str, NDArray[Any]]) -> dict[str, NDArray[Any]]:
        """See `export.runner.Runner`."""
        given = given_to(inputs, self._inputs)
        batch = len(given[self._inputs[0]])
        if (model := self._models.get(batch)) is None:
            model = self._models[batch] = self._compile(batch)
        found = model(given)
        return self._about.answers(self._outputs, [found[name] for name in self._outputs])


def _compile_for(core: Any, read: Any, options: dict[str, Any], batch: int) -> Any:
    """Compile a model for one batch alone."""
    model = read.clone()
    shapes = {}
    for one in model.inputs:
        _, *rest = one.partial_shape
        shapes[one.get_any_name()] = [batch, *(axis.get_length() for axis in rest)]
    model.reshape(shapes)
    return core.compile_model(model, "CPU", options)
