"""Sources of texts seen in another way: several as one, or text by text."""

from collections.abc import Iterator, Sequence

import numpy as np
from numpy.typing import NDArray

from compress.data.pieces import TextRows

_TEXTS_AT_ONCE = 1024


class JoinedTexts:
    """The rows of the first source, then those of the second, and so on."""

    def __init__(self, sources: Sequence[TextRows]) -> None:
        self._sources = sources
        self._ends = np.cumsum([len(source) for source in sources], dtype=np.int64)

    def __len__(self) -> int:
        return int(self._ends[-1]) if len(self._ends) else 0

    def texts(self, rows: NDArray[np.int64]) -> tuple[list[str], list[str] | None]:
        """Return the first texts of some rows and, for pairs, the second; in the order given."""
        first: NDArray[np.object_] = np.empty(len(rows), object)
        second: NDArray[np.object_] = np.empty(len(rows), object)
        is_pair = False
        owner = np.searchsorted(self._ends, rows, side="right")
        for number in np.unique(owner):
            source, places = self._sources[number], np.flatnonzero(owner == number)
            begin = int(self._ends[number]) - len(source)
            own_first, own_second = source.texts(rows[places] - begin)
            first[places] = own_first
            if own_second is not None:
                is_pair = True
                second[places] = own_second
        return first.tolist(), second.tolist() if is_pair else None


class EachText:
    """Every text of a source on its own, of pairs both; read as often as wanted."""

    def __init__(self, source: TextRows) -> None:
        self._source = source

    def __iter__(self) -> Iterator[str]:
        rows = len(self._source)
        for start in range(0, rows, _TEXTS_AT_ONCE):
            some = np.arange(start, min(start + _TEXTS_AT_ONCE, rows))
            first, second = self._source.texts(some)
            yield from first
            yield from second or ()
