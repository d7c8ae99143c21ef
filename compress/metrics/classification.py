"""How good probabilities over classes are: one class an example, or any number of them.

Precision of a class is TP / predicted, recall TP / support, F1 2 TP / (predicted + support); 0
where nothing is divided by nothing. *macro* is the mean over the classes that occur in the truth
(a class that nobody could be tested on has no F1), *micro* counts all classes together. In a
resample, the classes of the resample's truth count.
"""

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray
from scipy import sparse  # type: ignore[import-untyped]  # scipy ships no type information

from compress.errors import DataError
from compress.metrics.intervals import Floats, Statistic

BINS = 15
"""Of the calibration error, as in Guo et al. 2017."""
_SLACK = 1e-5  # Float32 sums of probabilities may pass 1 by this much.


@dataclass(frozen=True)
class ClassFigures:
    """How one class fares."""

    precision: float
    recall: float
    f1: float
    support: int
    """Examples that are of the class."""
    predicted: int
    """Examples that were said to be of it."""


def classification_statistics(
    probabilities: NDArray[np.float32], targets: NDArray[np.int64], groups: NDArray[np.int64]
) -> dict[str, Statistic]:
    """Return the metrics of a model that picks one class.

    The predicted class is the most probable one; among equals, in the top 1 as in the top 5, the
    earlier class comes first. `calibration_error` is the mean distance between confidence and
    accuracy over 15 equal-width bins of confidence (Guo et al. 2017, eq. 3); chance adds to it,
    in a resample once more, so the interval of a small error lies above it.

    Args:
        probabilities: `[N, C]`.
        targets: `[N]` classes, 0 to C - 1.
        groups: `[N]`; examples of equal number are resampled together.

    Returns:
        `accuracy`, `top5_accuracy`, `macro_` and `micro_` `precision`, `recall` and `f1`, and
        `calibration_error`, over the groups in order of their number.

    Raises:
        ValueError: There are no examples, the shapes disagree, a probability is not within 0...1,
            or a target is not a class.
    """
    _check(probabilities, targets, (len(probabilities),))
    classes = probabilities.shape[1]
    if targets.min() < 0 or targets.max() >= classes:
        raise ValueError(f"a target is not a class from 0 to {classes - 1}")
    units = _units(groups, len(targets))
    rows = np.arange(len(targets))
    predicted = probabilities.argmax(axis=1)
    own = probabilities[rows, targets][:, None]
    earlier = np.arange(classes) < targets[:, None]
    places = ((probabilities > own) | ((probabilities == own) & earlier)).sum(axis=1)
    right = places == 0
    return {
        "accuracy": _share(right, units),
        "top5_accuracy": _share(places < 5, units),
        **_class_statistics(
            (units[right], targets[right]),
            (units, predicted),
            (units, targets),
            int(units.max()) + 1,
            classes,
        ),
        "calibration_error": _calibration_error(probabilities[rows, predicted], right, units),
    }


def multi_label_statistics(
    probabilities: NDArray[np.float32],
    targets: NDArray[np.float32],
    groups: NDArray[np.int64],
    threshold: float,
) -> dict[str, Statistic]:
    """Return the metrics of a model that says of each class on its own whether it applies.

    `accuracy` is the share of examples with every class right; `calibration_error` compares the
    probability of a class with how often it applies, over all pairs of example and class.

    Args:
        probabilities: `[N, C]`.
        targets: `[N, C]` of 0 and 1.
        groups: `[N]`; examples of equal number are resampled together.
        threshold: Above this probability an example is said to be of a class.

    Returns:
        As `classification_statistics`, without `top5_accuracy`.

    Raises:
        ValueError: As `classification_statistics`, or a target is neither 0 nor 1.
        DataError: No example has any class.
    """
    _check(probabilities, targets, probabilities.shape)
    if not np.isin(targets, (0, 1)).all():
        raise ValueError("a target is neither 0 nor 1")
    if not targets.any():
        raise DataError(
            "no text of the split has any class, so there is nothing to find; give more texts"
        )
    units = _units(groups, len(targets))
    classes = probabilities.shape[1]
    said, true = probabilities > threshold, targets == 1

    def pairs(chosen: NDArray[np.bool_]) -> tuple[NDArray[np.int64], NDArray[np.int64]]:
        row, column = np.nonzero(chosen)
        return units[row], column

    return {
        "accuracy": _share((said == true).all(axis=1), units),
        **_class_statistics(
            pairs(said & true), pairs(said), pairs(true), int(units.max()) + 1, classes
        ),
        "calibration_error": _calibration_error(
            probabilities.ravel(), true.ravel(), np.repeat(units, classes)
        ),
    }


def per_class_table(
    probabilities: NDArray[np.float32],
    targets: NDArray[np.int64] | NDArray[np.float32],
    threshold: float | None = None,
) -> tuple[ClassFigures, ...]:
    """Return precision, recall and F1 of every class, in order of the classes.

    Args:
        probabilities: `[N, C]`.
        targets: `[N]` classes; with a threshold, `[N, C]` of 0 and 1.
        threshold: Of a model that says of each class on its own whether it applies.

    Raises:
        ValueError: There are no examples, or the shapes disagree.
    """
    classes = probabilities.shape[1]
    if threshold is None:
        _check(probabilities, targets, (len(probabilities),))
        answers, truth = probabilities.argmax(axis=1), targets.astype(np.int64)
        found, predicted, support = (
            np.bincount(one, minlength=classes) for one in (truth[answers == truth], answers, truth)
        )
    else:
        _check(probabilities, targets, probabilities.shape)
        said, true = probabilities > threshold, targets == 1
        found, predicted, support = (one.sum(axis=0) for one in (said & true, said, true))
    precision = _divide(found, predicted)
    recall = _divide(found, support)
    f1 = _divide(2 * found, predicted + support)
    return tuple(
        ClassFigures(float(p), float(r), float(f), int(s), int(n))
        for p, r, f, s, n in zip(precision, recall, f1, support, predicted, strict=True)
    )


Cells = tuple[NDArray[np.int64], NDArray[np.int64]]
"""Where something was counted: units and classes, `[n]` each."""


def _check(
    probabilities: NDArray[np.float32], targets: NDArray[np.generic], shape: tuple[int, ...]
) -> None:
    if probabilities.ndim != 2 or targets.shape != shape:
        raise ValueError(
            f"probabilities {probabilities.shape} and targets {targets.shape} do not belong "
            "together"
        )
    if not probabilities.size:
        raise ValueError("no cases: a metric needs at least one example")
    if not ((probabilities >= 0) & (probabilities <= 1 + _SLACK)).all():
        raise ValueError("a probability is not within 0...1")


def _units(groups: NDArray[np.int64], examples: int) -> NDArray[np.int64]:
    """Return the place of each example's group among the groups, `[N]`."""
    if groups.shape != (examples,):
        raise ValueError(f"groups {groups.shape} are not of {examples} examples")
    return np.unique(groups, return_inverse=True)[1].astype(np.int64, copy=False)


def _share(right: NDArray[np.bool_], units: NDArray[np.int64]) -> Statistic:
    """Return the share of examples that are right."""

    def measure(sums: Floats) -> Floats:
        return np.asarray(sums[..., 0] / sums[..., 1])

    counts = np.bincount(units)
    return Statistic(np.column_stack([np.bincount(units, right), counts]), measure)


def _class_statistics(
    found: Cells, predicted: Cells, support: Cells, units: int, classes: int
) -> dict[str, Statistic]:
    """Return macro and micro precision, recall and F1; all share one table of counts."""
    kinds = (found, predicted, support)
    rows = np.concatenate([cells[0] for cells in kinds])
    columns = np.concatenate([kind * classes + cells[1] for kind, cells in enumerate(kinds)])
    table = sparse.coo_array(
        (np.ones(len(rows)), (rows, columns)), shape=(units, 3 * classes)
    ).tocsr()
    parts: dict[str, Callable[[Floats, Floats, Floats], Floats]] = {
        "precision": lambda found, predicted, _: _divide(found, predicted),
        "recall": lambda found, _, support: _divide(found, support),
        "f1": lambda found, predicted, support: _divide(2 * found, predicted + support),
    }

    def macro(part: Callable[[Floats, Floats, Floats], Floats]) -> Statistic:
        def measure(sums: Floats) -> Floats:
            counts = _by_kind(sums, classes)
            occurs = counts[2] > 0
            return _mean(np.where(occurs, part(*counts), 0.0).sum(axis=-1), occurs.sum(axis=-1))

        return Statistic(table, measure)

    def micro(part: Callable[[Floats, Floats, Floats], Floats]) -> Statistic:
        def measure(sums: Floats) -> Floats:
            found, predicted, support = (one.sum(axis=-1) for one in _by_kind(sums, classes))
            return np.where(support > 0, part(found, predicted, support), np.nan)

        return Statistic(table, measure)

    return {
        f"{mean}_{name}": of(part)
        for mean, of in (("macro", macro), ("micro", micro))
        for name, part in parts.items()
    }


def _by_kind(sums: Floats, classes: int) -> tuple[Floats, Floats, Floats]:
    """Cut sums `[..., 3 C]` into found, predicted and support, `[..., C]` each."""
    return sums[..., :classes], sums[..., classes : 2 * classes], sums[..., 2 * classes :]


def _calibration_error(
    confidence: NDArray[np.float32], right: NDArray[np.bool_], units: NDArray[np.int64]
) -> Statistic:
    """Return the sum over bins of |right answers - confidence|, by example (Guo et al. 2017)."""

    def measure(sums: Floats) -> Floats:
        return np.asarray(np.abs(sums[..., :BINS]).sum(axis=-1) / sums[..., BINS])

    exact = confidence.astype(np.float64)
    bins = np.clip(np.ceil(exact * BINS).astype(np.int64) - 1, 0, BINS - 1)
    size = int(units.max()) + 1
    distances = np.bincount(units * BINS + bins, right - exact, minlength=size * BINS)
    return Statistic(np.column_stack([distances.reshape(size, BINS), np.bincount(units)]), measure)


def _divide(numerator: NDArray[Any], denominator: NDArray[Any]) -> Floats:
    """Return the quotient, 0 where the denominator is 0."""
    return np.asarray(numerator / np.where(denominator > 0, denominator, 1), dtype=np.float64)


def _mean(total: Floats, number: NDArray[np.int64]) -> Floats:
    """Return the quotient, NaN where the number is 0."""
    return np.where(number > 0, total / np.maximum(number, 1), np.nan)
