"""Running an ONNX file with ONNX Runtime on the CPU."""

from pathlib import Path
from types import TracebackType
from typing import Any, Self

import numpy as np
from numpy.typing import NDArray

from compress.errors import UserError


class OnnxRunner:
    """An ONNX Runtime session as a `Runner`."""

    def __init__(self, path: str | Path, threads: int = 1) -> None:
        """Say which file to load; nothing is loaded before `with`.

        Args:
            path: The `.onnx` file.
            threads: Threads inside an operator; operators run one after another.
        """
        self.path = Path(path)
        self.threads = threads
        self._session: Any = None

    def __enter__(self) -> Self:
        import onnxruntime

        options = onnxruntime.SessionOptions()
        options.intra_op_num_threads = self.threads
        options.inter_op_num_threads = 1
        options.execution_mode = onnxruntime.ExecutionMode.ORT_SEQUENTIAL
        options.log_severity_level = 3
        options.add_session_config_entry("session.intra_op.allow_spinning", "0")
        try:
            self._session = onnxruntime.InferenceSession(
                str(self.path), options, providers=["CPUExecutionProvider"]
            )
        except Exception as error:  # ONNX Runtime's own types share no base but Exception
            raise UserError(
                f"{self.path} is not an ONNX file that ONNX Runtime can load: "
                f"{str(error).splitlines()[0]}"
            ) from error
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        traceback: TracebackType | None,
    ) -> None:
        self._session = None

    def __call__(self, history: NDArray[np.int32]) -> tuple[NDArray[np.int32], NDArray[np.float32]]:
        """See `export.runner.Runner`."""
        item_ids, scores = self._session.run(["item_ids", "scores"], {"history": history})
        return item_ids, scores

    @property
    def metadata(self) -> dict[str, str]:
        """The file's metadata: see `export.signature`."""
        return dict(self._session.get_modelmeta().custom_metadata_map)
