"""Running an engine of TensorRT-RTX or TensorRT on a GPU."""

import ctypes
import sys
from pathlib import Path
from types import TracebackType
from typing import Any, Self

import numpy as np
from numpy.typing import NDArray

from compress.errors import UserError
from export.gpu import gpu_is_present
from export.tensorrt.batches import batches
from export.tensorrt.description import EngineDescription, read_description
from export.tensorrt.library import RTX, TENSORRT, BuildError, own_errors


class TensorRtRunner:
    """An engine as a `Runner`, through Polygraphy."""

    def __init__(self, path: str | Path, threads: int = 1) -> None:
        """Say which engine to load; nothing is loaded before `with`.

        Args:
            path: The engine, its description beside it.
            threads: Not used: the GPU has its own.
        """
        self.path = Path(path)
        self._runner: Any = None
        self._description: EngineDescription | None = None
        self.checked_with = ""

    def __enter__(self) -> Self:
        if not gpu_is_present():
            raise UserError(f"{self.path} takes an NVIDIA GPU to run, and there is none here")
        try:
            description = read_description(self.path)
            engine = self.path.read_bytes()
        except (ValueError, OSError) as error:
            raise UserError(f"{self.path} cannot be loaded: {error}") from error
        library = RTX if description.format == "tensorrt-rtx" else TENSORRT
        try:
            backend, trt = library.polygraphy(), library.load()
            with own_errors():
                runtime = trt.Runtime(backend.get_trt_logger())
                # A version-compatible engine brings the code that loads it.
                runtime.engine_host_code_allowed = description.version_compatible
                loaded = backend.engine_from_bytes(engine, runtime=runtime)
                self._runner = backend.TrtRunner(loaded)
                self._runner.activate()
        except ImportError as error:
            raise UserError(f"{self.path} takes {library.name} to run: {error}") from error
        except BuildError as error:
            raise UserError(f"{library.name} cannot load {self.path}: {error}") from error
        self._description = description
        self.checked_with = f"{library.name} {library.version} on the GPU"
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        traceback: TracebackType | None,
    ) -> None:
        if self._runner is not None:
            self._runner.deactivate()
        self._runner = self._description = None

    def __call__(self, inputs: dict[str, NDArray[Any]]) -> dict[str, NDArray[Any]]:
        """See `export.runner.Runner`; what does not fit into one batch is asked in several."""
        about = self._about
        names = [str(one["name"]) for one in about.inputs]
        if missing := [name for name in names if name not in inputs]:
            raise UserError(f"{self.path} takes {', '.join(missing)}, which was not given")
        given = {name: np.asarray(inputs[name], dtype=np.int32) for name in names}
        parts = []
        for batch, count in batches(given, about.least_batch, about.largest_batch):
            answers = self._runner.infer(batch)
            # Polygraphy answers with the same memory every time.
            parts.append({name: np.array(array[:count]) for name, array in answers.items()})
        return {name: np.concatenate([one[name] for one in parts]) for name in parts[0]}

    @property
    def _about(self) -> EngineDescription:
        if self._description is None:
            raise RuntimeError(f"{self.path} is asked outside of its `with`")
        return self._description

    @property
    def metadata(self) -> dict[str, str]:
        """What the description says: see `export.signature`."""
        return dict(self._about.metadata)

    @property
    def last_gpu_ms(self) -> float:
        """How long the GPU takes for the last inputs, by CUDA events, without copies.

        The engine is run once more on what the last call left on the GPU.
        """
        driver = ctypes.CDLL("nvcuda.dll" if sys.platform == "win32" else "libcuda.so.1")
        stream = ctypes.c_void_p(self._runner.stream.ptr)
        begin, end, milliseconds = ctypes.c_void_p(), ctypes.c_void_p(), ctypes.c_float()
        for event in (begin, end):
            _done(driver.cuEventCreate(ctypes.byref(event), 0))
        _done(driver.cuEventRecord(begin, stream))
        self._runner.context.execute_async_v3(self._runner.stream.ptr)
        _done(driver.cuEventRecord(end, stream))
        _done(driver.cuEventSynchronize(end))
        _done(driver.cuEventElapsedTime(ctypes.byref(milliseconds), begin, end))
        for event in (begin, end):
            _done(driver.cuEventDestroy_v2(event))
        return milliseconds.value


def _done(status: int) -> None:
    if status != 0:
        raise RuntimeError(f"the CUDA driver answered with error {status}")
