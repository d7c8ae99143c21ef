"""Running a tool's ONNX file with OpenVINO on the CPU, in fp32, for latency."""

from pathlib import Path
from types import TracebackType
from typing import Any, Self

from numpy.typing import NDArray

from compress.errors import MissingExtraError, UserError
from export.peers.description import PeerModel, given_to


class OpenVinoRunner:
    """An ONNX file of a peer as a `Runner`, compiled when it is loaded.

    OpenVINO computes in bfloat16 where a CPU has it, unless it is told: fp32 is asked for, as
    every figure here says.
    """

    def __init__(self, path: str | Path, threads: int = 1) -> None:
        """Say which file to load; nothing is loaded before `with`.

        Args:
            path: A `PeerModel` on disk.
            threads: Threads of an inference.
        """
        self.path = Path(path)
        self.threads = threads
        self._model: Any = None
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
        try:
            model = openvino.Core().compile_model(str(file), "CPU", options)
        except RuntimeError as error:
            said = str(error).strip().splitlines() or [type(error).__name__]
            raise UserError(f"{file} cannot be compiled by OpenVINO: {said[-1]}") from error
        self._inputs = tuple(one.get_any_name() for one in model.inputs)
        self._outputs = self._about.outputs([one.get_any_name() for one in model.outputs])
        self._model = model
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        traceback: TracebackType | None,
    ) -> None:
        self._model = None

    def __call__(self, inputs: dict[str, NDArray[Any]]) -> dict[str, NDArray[Any]]:
        """See `export.runner.Runner`."""
        found = self._model(given_to(inputs, self._inputs))
        return self._about.answers(self._outputs, [found[name] for name in self._outputs])
