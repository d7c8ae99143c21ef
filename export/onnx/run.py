"""Running an ONNX file with ONNX Runtime on the CPU."""

from pathlib import Path
from types import TracebackType
from typing import Any, ClassVar, Literal, Self

from numpy.typing import NDArray

from compress.errors import UserError
from export.onnx.session import open_session


class OnnxRunner:
    """An ONNX Runtime session as a `Runner`."""

    kind: ClassVar[Literal["ONNX", "ORT"]] = "ONNX"

    def __init__(self, path: str | Path, threads: int = 1) -> None:
        """Say which file to load; nothing is loaded before `with`.

        Args:
            path: The file.
            threads: Threads inside an operator; operators run one after another.
        """
        self.path = Path(path)
        self.threads = threads
        self._session: Any = None
        self._run: Any = None
        self._inputs: tuple[str, ...] = ()
        self._outputs: list[str] = []
        self._count = 0
        self._takes_texts = False

    def __enter__(self) -> Self:
        self._session = session = open_session(self.path, self.threads, self.kind)
        self._run = session.run
        self._inputs = tuple(one.name for one in session.get_inputs())
        self._count = len(self._inputs)
        self._takes_texts = any(one.type == "tensor(string)" for one in session.get_inputs())
        self._outputs = [one.name for one in session.get_outputs()]
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        traceback: TracebackType | None,
    ) -> None:
        self._session = self._run = None

    def __call__(self, inputs: dict[str, NDArray[Any]]) -> dict[str, NDArray[Any]]:
        """See `export.runner.Runner`."""
        if len(inputs) != self._count:
            inputs = self._chosen(inputs)
        if self._takes_texts:
            inputs = {name: _texts_as_objects(array) for name, array in inputs.items()}
        answers = self._run(self._outputs, inputs)
        return dict(zip(self._outputs, answers))  # noqa: B905  (strict= costs 0.2 us a call)

    def _chosen(self, inputs: dict[str, NDArray[Any]]) -> dict[str, NDArray[Any]]:
        """Leave out what the file does not take, such as the token types of a model without."""
        try:
            return {name: inputs[name] for name in self._inputs}
        except KeyError as error:
            raise UserError(
                f"{self.path} takes {', '.join(self._inputs)}, and was given {', '.join(inputs)}"
            ) from error

    @property
    def inputs(self) -> tuple[str, ...]:
        """Names of what the file takes."""
        return self._inputs

    @property
    def metadata(self) -> dict[str, str]:
        """The file's metadata: see `export.signature`."""
        return dict(self._session.get_modelmeta().custom_metadata_map)

    @property
    def checked_with(self) -> str:
        """What answers."""
        import onnxruntime

        return f"ONNX Runtime {onnxruntime.__version__} on the CPU"


def _texts_as_objects(array: NDArray[Any]) -> NDArray[Any]:
    """Give texts as objects: ONNX Runtime ends NumPy's own texts at their first NUL."""
    return array.astype(object) if array.dtype.kind == "U" else array
