"""The inputs that models are asked with, held once and handed out as each call needs them."""

import hashlib
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

Inputs = dict[str, NDArray[Any]]
"""Arrays of one call by the name of the input, each `[B, ...]`."""

_ARRAY, _BYTES, _ENDS, _LENGTHS = "array:", "utf8:", "ends:", "lengths"


@dataclass(frozen=True, eq=False)
class Samples:
    """N examples.

    Texts are object arrays of `str`, whatever they came as: NumPy's own text type pads every text
    to the longest and drops NUL characters from its end.

    Raises:
        ValueError: The arrays are not of the same N examples, or the lengths do not fit them.
    """

    arrays: Mapping[str, NDArray[Any]]
    """By the name of the input, each `[N, ...]`."""
    lengths: NDArray[np.int32] | None = None
    """`[N]`, from 1: how much of each row of `[N, L]` arrays is not padding (on the right).

    None: rows have one length, and nothing is cut off.
    """

    def __post_init__(self) -> None:
        arrays = {name: _plain(name, array) for name, array in self.arrays.items()}
        counts = {name: len(array) for name, array in arrays.items()}
        if self.lengths is not None:
            counts[_LENGTHS] = len(self.lengths)
        if not arrays or len(set(counts.values())) != 1:
            raise ValueError(f"samples need arrays of one number of examples, not {counts}")
        object.__setattr__(self, "arrays", arrays)
        if self.lengths is None:
            return
        object.__setattr__(self, "lengths", np.asarray(self.lengths, dtype=np.int32))
        widths = {array.shape[1] if array.ndim == 2 else 0 for array in arrays.values()}
        shortest = int(self.lengths.min(initial=1))
        if shortest < 1 or int(self.lengths.max(initial=1)) > min(widths):
            raise ValueError(
                "lengths are from 1 to the width of the [N, L] arrays that they belong to"
            )

    def __len__(self) -> int:
        return len(next(iter(self.arrays.values())))

    def row(self, index: int) -> Inputs:
        """One example as an app asks it: a batch of one without padding, nothing copied.

        Args:
            index: 0 ... N - 1.
        """
        rows = slice(index, index + 1)
        if self.lengths is None:
            return {name: array[rows] for name, array in self.arrays.items()}
        length = self.lengths[index]
        return {name: array[rows, :length] for name, array in self.arrays.items()}

    def batch(self, rows: NDArray[np.int64] | slice) -> Inputs:
        """Several examples in one call, padded to the longest of them.

        Args:
            rows: `[B]` their numbers, or a slice.
        """
        if self.lengths is None:
            return {name: np.ascontiguousarray(array[rows]) for name, array in self.arrays.items()}
        length = int(self.lengths[rows].max(initial=1))
        return {
            name: np.ascontiguousarray(array[rows, :length]) for name, array in self.arrays.items()
        }

    def take(self, rows: NDArray[np.int64]) -> "Samples":
        """Some of the examples, in the order of `rows` `[M]`."""
        lengths = None if self.lengths is None else self.lengths[rows]
        return Samples({name: array[rows] for name, array in self.arrays.items()}, lengths)

    def sha256(self) -> str:
        """Hash the examples: names, types, shapes and contents."""
        digest = hashlib.sha256()
        for name, array in sorted(self.arrays.items()):
            is_text = array.dtype == object
            digest.update(f"{name} {array.dtype} {array.shape} ".encode())
            digest.update("\0".join(array.flat).encode() if is_text else array.tobytes())
        if self.lengths is not None:
            digest.update(self.lengths.tobytes())
        return digest.hexdigest()

    def save(self, file: Path) -> None:
        """Write them as `.npz`; a text is its UTF-8 bytes, so that nothing is pickled."""
        stored: dict[str, NDArray[Any]] = {}
        for name, array in self.arrays.items():
            if array.dtype != object:
                stored[_ARRAY + name] = array
                continue
            encoded = [text.encode() for text in array]
            stored[_BYTES + name] = np.frombuffer(b"".join(encoded), dtype=np.uint8)
            stored[_ENDS + name] = np.cumsum([len(one) for one in encoded], dtype=np.int64)
        if self.lengths is not None:
            stored[_LENGTHS] = self.lengths
        with file.open("wb") as stream:
            np.savez_compressed(stream, allow_pickle=False, **stored)

    @classmethod
    def load(cls, file: Path) -> "Samples":
        """Read what `save` wrote."""
        arrays: dict[str, NDArray[Any]] = {}
        with np.load(file, allow_pickle=False) as stored:
            for key in stored.files:
                if key.startswith(_ARRAY):
                    arrays[key.removeprefix(_ARRAY)] = stored[key]
                elif key.startswith(_BYTES):
                    name = key.removeprefix(_BYTES)
                    arrays[name] = _texts(stored[key].tobytes(), stored[_ENDS + name].tolist())
            return cls(arrays, stored[_LENGTHS] if _LENGTHS in stored.files else None)


def _plain(name: str, array: NDArray[Any]) -> NDArray[Any]:
    """Give texts as objects and the rest as it is, rows one after the other."""
    if array.dtype.kind == "U":
        return array.astype(object)
    if array.dtype == object and not all(isinstance(one, str) for one in array.flat):
        raise ValueError(f"{name}: an array of objects must hold texts")
    return np.ascontiguousarray(array)


def _texts(data: bytes, ends: list[int]) -> NDArray[Any]:
    found = np.empty(len(ends), dtype=object)
    start = 0
    for row, end in enumerate(ends):
        found[row] = data[start:end].decode()
        start = end
    return found
