"""Who belongs together: users' values made into a few groups with names that a person can read."""

import math
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

UNKNOWN = "unknown"
"""The group of those of whom nothing is known."""


@dataclass(frozen=True, eq=False)
class Grouping:
    """Groups by one column.

    Attributes:
        column: What they are groups by.
        names: Of the G groups, in the order in which a reader compares them; `UNKNOWN` last.
        codes: int64 [N], the group of each member, 0 to G - 1.
    """

    column: str
    names: tuple[str, ...]
    codes: NDArray[np.int64]

    def of(self, members: NDArray[np.int64]) -> "Grouping":
        """Return the groups of some of the members, in their order; all names are kept.

        Args:
            members: `[M]` places in `codes`.
        """
        return Grouping(self.column, self.names, self.codes[members])


def group_by_value(column: str, values: Sequence[str | None], bins: int) -> Grouping:
    """Return a group for every value, or groups of neighbours where there are many numbers.

    If all values are numbers and there are more than `bins` of them, they are cut at their
    quantiles into `bins` groups of about equal size; equal values stay together, so there may be
    fewer groups. Such a group is called by its smallest and largest value: "25–34".

    Args:
        column: What the values are.
        values: `[N]`; None, or `unknown`, where it is not known.
        bins: At least 1.
    """
    values = [None if value == UNKNOWN else value for value in values]
    distinct = sorted({value for value in values if value is not None})
    numbers = {value: _number(value) for value in distinct}
    if not all(number is not None for number in numbers.values()):
        return _named(column, values, {value: value for value in distinct}, _alphabetic(distinct))
    exact = {value: number for value, number in numbers.items() if number is not None}
    found = np.unique(list(exact.values()))
    edges = found
    if len(found) > bins:
        given = np.array([exact[value] for value in values if value is not None])
        edges = np.unique(np.quantile(given, np.arange(1, bins) / bins, method="inverted_cdf"))
    # A group ends with its edge, so that equal values never part.
    places = np.searchsorted(edges, found)
    members = [found[places == place] for place in np.unique(places)]
    names = _names([(float(own[0]), float(own[-1])) for own in members])
    called = {
        float(number): name for name, own in zip(names, members, strict=True) for number in own
    }
    return _named(column, values, {one: called[number] for one, number in exact.items()}, names)


def group_by_name(
    column: str, values: Sequence[str | None], names: Mapping[str, str], order: Sequence[str]
) -> Grouping:
    """Return groups whose values and names are known beforehand; empty ones are left out.

    Args:
        column: What the values are.
        values: `[N]`; None, and what has no name, is unknown.
        names: The name of each value's group.
        order: Of the names.
    """
    present = {names.get(value) for value in values if value is not None}
    return _named(column, values, names, [name for name in order if name in present])


def _named(
    column: str, values: Sequence[str | None], names: Mapping[str, str], order: Sequence[str]
) -> Grouping:
    places = {name: place for place, name in enumerate(order)}
    unknown = len(places)
    of_value = {value: places[name] for value, name in names.items() if name in places}
    codes = [unknown if value is None else of_value.get(value, unknown) for value in values]
    last = (UNKNOWN,) if unknown in codes else ()
    return Grouping(column, (*order, *last), np.array(codes, dtype=np.int64))


def _number(text: str) -> float | None:
    try:
        number = float(text)
    except ValueError:
        return None
    return number if math.isfinite(number) else None


def _alphabetic(values: Sequence[str]) -> list[str]:
    return sorted(values, key=lambda value: (value.casefold(), value))


def _names(ranges: Sequence[tuple[float, float]]) -> list[str]:
    """Name ranges by their ends, with as many digits as tell them apart."""

    def named(shown: Callable[[float], str]) -> list[str]:
        ends = [(_shown(low, shown), _shown(high, shown)) for low, high in ranges]
        return [low if low == high else f"{low}–{high}" for low, high in ends]

    short = named("{:.6g}".format)
    return short if len(set(short)) == len(short) else named(repr)


def _shown(number: float, shown: Callable[[float], str]) -> str:
    text = str(int(number)) if number.is_integer() else shown(number)
    return text.replace("-", "−")
