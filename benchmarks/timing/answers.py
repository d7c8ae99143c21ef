"""Are the answers that were timed the right ones? A fast wrong answer is no answer."""

from collections.abc import Iterator, Mapping
from typing import Any

import numpy as np
from numpy.typing import NDArray

Answers = Mapping[str, NDArray[Any]]
"""By name, `[M, ...]` each."""

TOP = 10
CLOSE = 0.05
"""Probabilities no further apart than this agree, whichever of them is the largest."""
_ROUNDING = 5e-3
"""How far a probability may be outside of 0...1: fp16's roundings."""


def faults_of(answer: object, examples: int) -> Iterator[str]:
    """Yield what is wrong with the answers of one call in themselves, whatever is right.

    Args:
        answer: What a runner returned.
        examples: B, that it was asked about.
    """
    if not isinstance(answer, dict) or not answer:
        yield "they are not named arrays"
        return
    for name, array in answer.items():
        if not isinstance(array, np.ndarray) or not array.ndim or len(array) != examples:
            yield f"{name} does not have one row an example"
            return
        if array.dtype.kind == "f" and np.isnan(array).any():
            yield f"{name} holds what is no number"
    if "item_ids" in answer:
        yield from _ranking_faults(answer["item_ids"], answer.get("scores"))
    if "probabilities" in answer:
        given = answer["probabilities"]
        if given.dtype.kind != "f" or given.ndim != 2:
            yield f"probabilities are {given.dtype} {given.shape}, not floats [B, C]"
        elif (given < -_ROUNDING).any() or (given > 1 + _ROUNDING).any():
            yield "a probability is not between 0 and 1"
    if "score" in answer and answer["score"].dtype.kind != "f":
        yield f"scores are {answer['score'].dtype}, not floats"


def _ranking_faults(item_ids: NDArray[Any], scores: NDArray[Any] | None) -> Iterator[str]:
    """What `export.signature` forbids of `[B, K]` item codes."""
    if item_ids.dtype.kind != "i" or item_ids.ndim != 2:
        yield f"item_ids are {item_ids.dtype} {item_ids.shape}, not whole numbers [B, K]"
        return
    if (item_ids < 0).any() or (item_ids == 1).any():
        yield "an item id is not one of the catalogue"
    real = item_ids != 0
    ordered = np.sort(np.where(real, item_ids, -np.arange(item_ids.shape[1]) - 1), axis=1)
    if (ordered[:, 1:] == ordered[:, :-1]).any():
        yield "an item is returned twice for one history"
    if scores is None:
        return
    if scores.dtype.kind != "f" or scores.shape != item_ids.shape:
        yield f"scores are {scores.dtype} {scores.shape}, not floats like the item ids"
    elif (np.diff(scores, axis=1) > 0).any():
        yield "scores are not in descending order"


def agreement(given: Answers, right: Answers) -> NDArray[np.float64] | None:
    """Return how far each answer is the right one, `[M]` 0...1; None if nothing can be compared.

    Rankings: the share of the right top 10 that is among the items returned. (An app takes items
    out of the list that were seen before the history that the model is given; the right list may
    come without them.) Classes: 1 if the most probable class is the same, or the set of classes
    above one half where probabilities do not sum to 1, or if no probability is more than `CLOSE`
    away. Scores: 1 if it is within half a standard deviation of the right scores. Arrays of other
    names: 1 if the numbers lie, on average, within a tenth of a standard deviation of the right
    ones; of several arrays the one that agrees least counts.

    Args:
        given: Of M examples.
        right: Of the same ones.
    """
    if "item_ids" in given and "item_ids" in right:
        return _found(given["item_ids"], right["item_ids"][:, :TOP])
    if "probabilities" in given and "probabilities" in right:
        return _same_classes(given["probabilities"], right["probabilities"])
    if "score" in given and "score" in right:
        own, known = given["score"].ravel(), right["score"].ravel()
        if own.shape != known.shape:
            return np.zeros(len(given["score"]))
        allowed = max(0.5 * float(known.std()), 1e-6)
        return np.asarray(np.abs(own - known) <= allowed, dtype=np.float64)
    shared = [name for name in given if name in right and right[name].dtype.kind in "fiub"]
    if not shared:
        return None
    alike = [_same_numbers(given[name], right[name]) for name in shared]
    return np.asarray(np.min(alike, axis=0), dtype=np.float64)


def _found(given: NDArray[Any], right: NDArray[Any]) -> NDArray[np.float64]:
    is_real = right != 0
    is_found = (right[:, :, None] == given[:, None, :]).any(axis=2) & is_real
    wanted = is_real.sum(axis=1)
    return np.where(wanted > 0, is_found.sum(axis=1) / np.maximum(wanted, 1), 1.0)


def _same_numbers(given: NDArray[Any], right: NDArray[Any]) -> NDArray[np.float64]:
    if given.shape != right.shape:
        return np.zeros(len(given))
    own, known = (np.asarray(one, np.float64).reshape(len(one), -1) for one in (given, right))
    if not known.size:
        return np.ones(len(given))
    is_finite = np.isfinite(known)
    allowed = max(0.1 * float(known[is_finite].std()) if is_finite.any() else 0.0, 1e-6)
    apart = np.subtract(own, known, out=np.zeros_like(own), where=own != known)  # inf is inf
    return np.asarray(np.abs(apart).mean(axis=1) <= allowed, dtype=np.float64)


def _same_classes(given: NDArray[Any], right: NDArray[Any]) -> NDArray[np.float64]:
    if given.shape != right.shape:
        return np.zeros(len(given))
    is_one = right.shape[1] > 1 and bool((np.abs(right.sum(axis=1) - 1.0) < 0.02).all())
    if is_one:
        same = given.argmax(axis=1) == right.argmax(axis=1)
    else:
        same = ((given > 0.5) == (right > 0.5)).all(axis=1)
    close = np.abs(given - right).max(axis=1) <= CLOSE
    return np.asarray(same | close, dtype=np.float64)
