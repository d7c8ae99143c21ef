"""A one-dimensional `.npy` file whose length is known only at the end."""

from pathlib import Path
from types import TracebackType
from typing import Any

import numpy as np
from numpy.typing import NDArray

HEADER_BYTES = 128
"""Where the values begin."""


class NpyWriter:
    """Appends arrays to a `.npy` file (format 1.0) and completes its header on leaving.

    The header has a fixed size, so that it can be written again once the length is known
    (numpy.lib.format: magic, version, length, a dict padded with spaces, a newline).
    """

    def __init__(self, path: Path, dtype: type[np.generic]) -> None:
        self._file = path.open("wb")
        self._dtype = np.dtype(dtype).newbyteorder("<")
        self.length = 0

    def __enter__(self) -> "NpyWriter":
        self._write_header()
        return self

    def append(self, values: NDArray[Any]) -> None:
        """Append the values of a one-dimensional array, cast to the file's type."""
        self._file.write(np.ascontiguousarray(values, dtype=self._dtype).tobytes())
        self.length += len(values)

    def _write_header(self) -> None:
        text = (
            f"{{'descr': '{self._dtype.str}', 'fortran_order': False, 'shape': ({self.length},)}}"
        )
        body = text.encode().ljust(HEADER_BYTES - 11) + b"\n"
        self._file.seek(0)
        self._file.write(b"\x93NUMPY\x01\x00" + len(body).to_bytes(2, "little") + body)

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        traceback: TracebackType | None,
    ) -> None:
        with self._file:
            if kind is None:
                self._write_header()
