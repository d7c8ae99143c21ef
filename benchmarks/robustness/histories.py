"""Damaged histories: int32 `[N, L]` item codes, padded on the left with 0, and again such ones.

What is damaged in a history depends on the seed and on the case alone, neither on the other cases
nor on L; and what 10% loses, 30% loses too. The random items of `noise` stand where `drop` of the
same share has nothing: the difference of the two is what wrong items do beyond missing ones.
"""

import numpy as np
from numpy.typing import NDArray

from benchmarks.robustness.damage import Damage
from benchmarks.robustness.draws import share_of_counts, uniforms
from compress.tasks.item_codes import FIRST_ITEM, PADDING

Codes = NDArray[np.int32]


def damaged_histories(
    histories: Codes, cases: NDArray[np.int64], damage: Damage, *, items: int, seed: int
) -> Codes:
    """Return the histories as a model gets them under a damage.

    Args:
        histories: `[N, L]`.
        cases: `[N]`, a number of each case that stays its own, such as the user's row.
        damage: Of `HISTORY_DAMAGES`, or none.
        items: Size of the catalogue.
        seed: Of the damage.

    Raises:
        ValueError: The damage is one of texts.
    """
    if damage.kind == "none":
        return histories
    if damage.kind == "drop":
        return drop(histories, cases, damage.level, seed)
    if damage.kind == "noise":
        return noise(histories, cases, damage.level, items, seed)
    if damage.kind == "cold":
        return cold(histories, int(damage.level))
    raise ValueError(f"{damage.kind} is no damage of histories")


def drop(histories: Codes, cases: NDArray[np.int64], share: float, seed: int) -> Codes:
    """Leave out a share of each history's events; the rest moves together, in its order.

    Exactly the share of the events goes, as far as it is a whole number of them: how much is
    missing is the same for all users, and only what is missing differs. A history keeps one event
    at least; none at all is `cold` of 0. Older events do not move in from beyond the L.

    Args:
        histories: `[N, L]`.
        cases: `[N]`, see `damaged_histories`.
        share: 0...1.
        seed: Of the choice.
    """
    kept = (histories != PADDING) & ~_chosen(histories, cases, share, seed)
    order = np.argsort(kept, axis=1, kind="stable")
    return np.take_along_axis(np.where(kept, histories, np.int32(PADDING)), order, axis=1)


def noise(histories: Codes, cases: NDArray[np.int64], share: float, items: int, seed: int) -> Codes:
    """Replace a share of each history's events by items drawn uniformly from the catalogue.

    As with `drop`, at least one event stays. Now and then an item is drawn that the history has
    anyway, or the very one that it replaces.

    Args:
        histories: `[N, L]`.
        cases: `[N]`, see `damaged_histories`.
        share: 0...1.
        items: Size of the catalogue, at least 1.
        seed: Of the choice.
    """
    drawn = _from_the_end(uniforms(seed, "random items", cases, histories.shape[1]))
    random = np.minimum((drawn * items).astype(np.int32), items - 1) + np.int32(FIRST_ITEM)
    return np.where(_chosen(histories, cases, share, seed), random, histories)


def cold(histories: Codes, events: int) -> Codes:
    """Leave only the last events, as if the user had just come.

    Args:
        histories: `[N, L]`.
        events: How many, from 0.
    """
    place = np.arange(histories.shape[1])
    return np.where(place >= len(place) - events, histories, np.int32(PADDING))


def _chosen(
    histories: Codes, cases: NDArray[np.int64], share: float, seed: int
) -> NDArray[np.bool_]:
    """Return which events are damaged, `[N, L]`."""
    is_event = histories != PADDING
    events = is_event.sum(axis=1)
    rounding = uniforms(seed, "rounding of events", cases, 1)[:, 0]
    wanted = np.minimum(share_of_counts(events, share, rounding), np.maximum(events - 1, 0))
    keys = _from_the_end(uniforms(seed, "events", cases, histories.shape[1]))
    ranks = np.argsort(np.argsort(np.where(is_event, keys, 2.0), axis=1), axis=1)
    return np.asarray(ranks < wanted[:, None])


def _from_the_end(drawn: NDArray[np.float64]) -> NDArray[np.float64]:
    """Count places from the last event, so that more padding changes nothing."""
    return drawn[:, ::-1]
