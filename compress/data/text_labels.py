"""What is true of each example: read in batches, kept as flat arrays, written as targets."""

import math
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc
from numpy.typing import NDArray

from compress.data.columns import Column
from compress.data.text_columns import class_lists, class_names, scores
from compress.recipe import Target, TextLabel, TextPair


@dataclass(frozen=True)
class Labels:
    """What is true of N examples.

    Attributes:
        target: The kind of the targets.
        classes: Names in order; empty for scores.
        values: int32 [M], numbers of classes, or float32 [N], scores.
        owners: int64 [M], the example that each value is of, ascending; `one-of` and `score` have
            one value an example.
        count: N.
    """

    target: Target
    classes: tuple[str, ...]
    values: NDArray[np.int32] | NDArray[np.float32]
    owners: NDArray[np.int64]
    count: int

    def class_counts(self, wanted: NDArray[np.bool_]) -> NDArray[np.int64]:
        """Return int64 [C], how many of the wanted examples (bool [N]) have each class."""
        codes = self.values[wanted[self.owners]].astype(np.int64)
        return np.bincount(codes, minlength=len(self.classes))

    def write(self, path: Path, rows: NDArray[np.int64]) -> None:
        """Write the targets of some examples, as `Examples.targets` describes them.

        Args:
            path: A `.npy` file.
            rows: int64 [n], ascending.
        """
        if self.target != "any-of":
            kind = np.int64 if self.target == "one-of" else np.float32
            np.save(path, self.values[rows].astype(kind))
            return
        shape = (len(rows), len(self.classes))
        open_memmap: Any = np.lib.format.open_memmap  # numpy gives it no types
        targets = open_memmap(path, "w+", np.float32, shape)
        place = np.full(self.count, -1)
        place[rows] = np.arange(len(rows))
        wanted = place[self.owners] >= 0
        targets[place[self.owners[wanted]], self.values[wanted]] = 1
        targets.flush()


@dataclass(frozen=True)
class ParsedLabels:
    """The labels of one batch of N rows.

    Attributes:
        values: [M], preliminary numbers of classes, or scores.
        owners: int64 [M], the row of the batch that each is of.
        missing: bool [N], which rows have no label.
    """

    values: NDArray[np.int32] | NDArray[np.float32]
    owners: NDArray[np.int64]
    missing: NDArray[np.bool_]


class LabelReader:
    """Reads the label column batch by batch. Holds 12 bytes a label."""

    def __init__(self, task: TextLabel | TextPair, separator: str | None) -> None:
        self.target: Target = task.target
        self._task = task
        self._separator = separator
        self._codes: dict[str, int] = {}
        self._values: list[NDArray[np.int32] | NDArray[np.float32]] = []
        self._owners: list[NDArray[np.int64]] = []
        self._count = 0

    def parse(self, column: Column) -> ParsedLabels:
        """Read the labels of a batch, without keeping them.

        Raises:
            DataError: A cell is no label of the task; the message names file, row and column.
        """
        if self.target == "score":
            values, missing = scores(column)
            return ParsedLabels(values, np.arange(len(values)), missing)
        if self.target == "any-of":
            names, owners, missing = class_lists(column, self._separator)
            codes = self._number(column, names, owners)
            # A class that a cell names twice counts once.
            pairs = np.unique(np.stack([owners, codes], axis=1), axis=0)
            return ParsedLabels(pairs[:, 1].astype(np.int32), pairs[:, 0], missing)
        names = class_names(column)
        named = pc.is_valid(names).to_numpy(zero_copy_only=False)
        owners = np.flatnonzero(named)
        return ParsedLabels(
            self._number(column, names.filter(pa.array(named)), owners), owners, ~named
        )

    def keep(self, parsed: ParsedLabels, wanted: NDArray[np.bool_]) -> None:
        """Keep the labels of the wanted rows (bool [N]), in order, as the next examples."""
        place = self._count + np.cumsum(wanted) - 1
        kept = wanted[parsed.owners]
        self._values.append(parsed.values[kept])
        self._owners.append(place[parsed.owners[kept]])
        self._count += int(wanted.sum())

    def finish(self) -> tuple[Labels, tuple[str, ...]]:
        """Return the labels of all kept examples, and the classes that none of them has."""
        kind = np.float32 if self.target == "score" else np.int32
        values = np.concatenate([np.zeros(0, kind), *self._values])
        owners = np.concatenate([np.zeros(0, np.int64), *self._owners])
        found = np.bincount(values, minlength=len(self._codes)) if self._codes else np.zeros(0)
        named = [name for name, code in self._codes.items() if found[code]]
        classes = tuple(sorted(named))
        if self.target != "score":
            order = np.full(len(self._codes), -1, np.int32)
            order[[self._codes[name] for name in classes]] = np.arange(len(classes))
            values = order[values]
        without = tuple(sorted(set(self._codes) - set(named)))
        return Labels(self.target, classes, values, owners, self._count), without

    def _number(
        self, column: Column, names: pa.StringArray, owners: NDArray[np.int64]
    ) -> NDArray[np.int32]:
        encoded = names.dictionary_encode()
        places = encoded.indices.to_numpy(zero_copy_only=False)
        codes = []
        for place, name in enumerate(encoded.dictionary.to_pylist()):
            checked = name
            if isinstance(self._task, TextPair):
                checked, problem = checked_grade(name, self._task.gains)
                if problem:
                    row = int(owners[np.flatnonzero(places == place)[0]])
                    raise column.error(row, *problem)
            codes.append(self._codes.setdefault(checked, len(self._codes)))
        numbers: NDArray[np.int32] = np.array(codes, np.int32)[places]
        return numbers


def checked_grade(name: str, gains: dict[str, float] | None) -> tuple[str, tuple[str, str] | None]:
    """Return a grade as it is called, and what is wrong with it: problem and advice, or None.

    Without gains grades are numbers, and 1.0 is called "1".
    """
    if gains is not None:
        if name in gains:
            return name, None
        known = ", ".join(repr(grade) for grade in gains)
        advice = "Say there what it is worth, or correct the cell."
        return name, (f"the grade {name!r} is not in task.gains ({known})", advice)
    try:
        value = float(name)
    except ValueError:
        advice = (
            "Say what every grade is worth with task.gains, such as {Exact: 3, Substitute: 1}; for "
            "numbers on a scale set task.relevance: score."
        )
        return name, (f"the grade {name!r} is not a number", advice)
    if not (0 <= value < math.inf):
        advice = "Say what every grade is worth with task.gains, or set task.relevance: score."
        return name, (f"the grade {name!r} cannot be a gain: it is not 0 or more", advice)
    return (str(int(value)) if value.is_integer() else repr(value)), None


def gains_of(classes: Sequence[str], task: TextLabel | TextPair) -> tuple[float, ...] | None:
    """Return what each grade is worth, in the order of `classes`; None if they are no grades."""
    if not isinstance(task, TextPair) or task.target == "score":
        return None
    gains = task.gains
    return tuple(float(name) if gains is None else float(gains[name]) for name in classes)
