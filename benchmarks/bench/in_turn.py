"""Two models asked in turn: with which examples, which is faster, and whether they answer alike."""

from dataclasses import asdict, replace
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from benchmarks.bench.data import BenchComparisonData
from benchmarks.bench.entrant import Entrant, slug_of
from benchmarks.bench.known_answers import Answers, known_answers
from benchmarks.bench.made_up import made_up_samples
from benchmarks.report.shape import IntervalData
from benchmarks.stages.latency import FULL_TURNS
from benchmarks.timing.answers import agreement
from export.file_inputs import file_inputs
from export.samples import Samples

QUERIES_A_TURN = 64


def compare_in_turns(
    model: Entrant,
    against: Entrant,
    threads: int,
    log_folder: Path,
    known: Answers | None = None,
) -> BenchComparisonData:
    """Ask two models in turn about the same examples, and hold their p90 side by side.

    Args:
        model: Which one.
        against: What it is held against.
        threads: Of both.
        log_folder: Gets a folder of logs.
        known: What the model answers: the other's answers are held against it.

    Raises:
        UserError: One of them cannot be asked.
    """
    from benchmarks.timing.turns import measure_in_turns, percentile_ratio

    theirs_samples = samples_for(against, model)
    own, theirs = measure_in_turns(
        [model.spec, against.spec],
        [model.samples, theirs_samples],
        turns=FULL_TURNS,
        queries=QUERIES_A_TURN,
        threads=threads,
        log_folder=log_folder / slug_of(model.name) / f"in-turn-{threads}t",
    )
    ratio = percentile_ratio(own, theirs)
    is_same = are_same_examples(model, against, theirs_samples)
    return BenchComparisonData(
        name=model.name,
        against=against.name,
        threads=threads,
        p90_ratio=IntervalData.model_validate(asdict(ratio)),
        rounds=FULL_TURNS.total,
        restarts=FULL_TURNS.restarts,
        sha256=model.sha256,
        against_sha256=against.sha256,
        same_examples=is_same,
        agreement=_agreement(against, theirs_samples, known) if is_same else None,
    )


def _agreement(against: Entrant, samples: Samples, known: Answers | None) -> float | None:
    """Return how far a model's answers are those of another one, asked the same."""
    if known is None or known.given is None:
        return None
    as_asked = replace(against, samples=samples, expected=None, verification=None)
    given = known_answers(as_asked).given or {}
    if {len(one) for one in (*given.values(), *known.given.values())} != {len(samples)}:
        return None
    found = agreement(given, known.given)
    return None if found is None else float(found.mean())


def are_same_examples(model: Entrant, against: Entrant, asked: Samples) -> bool:
    """Whether two models are asked the same: of one run, or arrays that are equal but for types."""
    if model.verified_in and model.verified_in == against.verified_in:
        return True
    own, theirs = model.samples.arrays, asked.arrays
    return theirs.keys() <= own.keys() and all(
        np.array_equal(own[name].astype(one.dtype), one) for name, one in theirs.items()
    )


def samples_for(model: Entrant, other: Entrant) -> Samples:
    """Return what a model is asked beside another one: the same examples where it takes them.

    Two models of one run have the same examples, each in its own types. Another file gets the
    other's in its own types, if names, lengths and tables allow; else as many of its own.

    Args:
        model: Which is asked.
        other: Whose examples they are.
    """
    count = len(other.samples)
    if model.verification is not None or model.expected is not None:
        same = model.verified_in == other.verified_in and len(model.samples) == count
        return model.samples if same else _as_many(model.samples, count)
    declared = file_inputs(Path(model.spec.path))
    arrays = other.samples.arrays
    if all(one.name in arrays and _fits(one, arrays[one.name]) for one in declared):
        cast = {
            one.name: arrays[one.name]
            if one.dtype == "string"
            else arrays[one.name].astype(one.dtype)
            for one in declared
        }
        return Samples(cast, other.samples.lengths)
    return _as_many(made_up_samples(declared, model.name, count), count)


def _fits(declared: Any, array: NDArray[Any]) -> bool:
    """Whether a file takes an array as another file does: its sizes, and its ids."""
    sizes = zip(declared.shape[1:], array.shape[1:], strict=False)
    same_rank = len(declared.shape) == array.ndim
    in_table = declared.rows is None or array.dtype.kind != "i" or int(array.max()) < declared.rows
    return same_rank and in_table and all(size in (None, own) for size, own in sizes)


def _as_many(samples: Samples, count: int) -> Samples:
    return samples.take(np.resize(np.arange(len(samples)), count))
