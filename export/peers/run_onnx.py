"""Running a tool's ONNX file with ONNX Runtime as it comes: default options, but the threads."""

from pathlib import Path
from types import TracebackType
from typing import Any, Self

from numpy.typing import NDArray

from compress.errors import UserError
from export.peers.description import PeerModel, given_to


class OnnxPeerRunner:
    """A file of a peer as a `Runner`.

    What an app would have to do around the file is part of a call: pieces become int64 if they are
    not, and logits probabilities.
    """

    def __init__(self, path: str | Path, threads: int = 1) -> None:
        """Say which file to load; nothing is loaded before `with`.

        Args:
            path: A `PeerModel` on disk.
            threads: Threads inside an operator.
        """
        self.path = Path(path)
        self.threads = threads
        self._session: Any = None
        self._inputs: tuple[str, ...] = ()
        self._outputs: list[str] = []
        self._about = PeerModel("")

    def __enter__(self) -> Self:
        import onnxruntime

        self._about = PeerModel.read(self.path)
        options = onnxruntime.SessionOptions()
        options.intra_op_num_threads = self.threads
        file = self.path.parent / self._about.model
        try:
            session = onnxruntime.InferenceSession(
                str(file), options, providers=["CPUExecutionProvider"]
            )
        except Exception as error:  # ONNX Runtime's own types share no base but Exception
            said = str(error).splitlines()[0]
            raise UserError(f"{file} cannot be loaded by ONNX Runtime: {said}") from error
        self._inputs = tuple(one.name for one in session.get_inputs())
        self._outputs = self._about.outputs([one.name for one in session.get_outputs()])
        self._session = session
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        traceback: TracebackType | None,
    ) -> None:
        self._session = None

    def __call__(self, inputs: dict[str, NDArray[Any]]) -> dict[str, NDArray[Any]]:
        """See `export.runner.Runner`."""
        answers = self._session.run(self._outputs, given_to(inputs, self._inputs))
        return self._about.answers(self._outputs, answers)
