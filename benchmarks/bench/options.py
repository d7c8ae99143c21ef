"""What a person asks `limbeck bench` for, as words and numbers on a command line."""

from collections.abc import Callable, Sequence
from difflib import get_close_matches
from math import isfinite
from typing import Any, TypeVar, cast, get_args

from benchmarks.bench.plan import Load
from compress.errors import UserError
from compress.recipe import MeasuredOn, ScenarioName

T = TypeVar("T")
_EVERY = "all"


def load_of(
    *,
    targets: Sequence[str],
    scenarios: Sequence[str],
    threads: Sequence[str],
    batches: Sequence[str],
    streams: int,
    seconds: float,
    queries: int,
    rate: float,
    bound_ms: float,
    tries: int = 1,
) -> Load:
    """Read what is given, `1,8` or each on its own.

    Raises:
        UserError: A word is unknown, or a number is none or out of range.
    """
    for name, value in (("seconds", seconds), ("bound-ms", bound_ms), ("rate", rate)):
        if not (value > 0 and isfinite(value)):
            raise UserError(f"--{name} {value:g}: it must be a number above 0.")
    for name, number in (("queries", queries), ("streams", streams), ("tries", tries)):
        if number < 1:
            raise UserError(f"--{name} {number}: it must be at least 1.")
    return Load(
        targets=cast(tuple[MeasuredOn, ...], _words("target", targets, get_args(MeasuredOn))),
        scenarios=cast(
            tuple[ScenarioName, ...], _words("scenario", scenarios, get_args(ScenarioName))
        ),
        threads=_numbers("threads", threads),
        batches=_numbers("batch", batches),
        streams=streams,
        seconds=seconds,
        queries=queries,
        rate=rate,
        bound_ms=bound_ms,
        tries=tries,
    )


def _words(option: str, given: Sequence[str], known: Sequence[str]) -> tuple[str, ...]:
    if _EVERY in given:
        return tuple(known)

    def word(text: str) -> str:
        if text not in known:
            near = get_close_matches(text, known, n=1)
            meant = f" Did you mean {near[0]}?" if near else ""
            raise UserError(
                f"--{option} {text}: it is one of {', '.join(known)}, or {_EVERY}.{meant}"
            )
        return text

    return _each(option, given, word)


def _numbers(option: str, given: Sequence[str]) -> tuple[int, ...]:
    def number(text: str) -> int:
        if not text.isascii() or not text.isdigit() or int(text) < 1:
            raise UserError(f"--{option} {text}: give whole numbers from 1, such as 1,8.")
        return int(text)

    return _each(option, given, number)


def _each(option: str, given: Sequence[Any], read: Callable[[str], T]) -> tuple[T, ...]:
    parts = [part.strip() for one in given for part in one.split(",")]
    found = tuple(dict.fromkeys(read(part) for part in parts if part))
    if not found:
        raise UserError(f"--{option}: nothing is given.")
    return found
