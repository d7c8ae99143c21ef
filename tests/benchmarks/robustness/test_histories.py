"""What damage does to histories, and what it never does."""

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from benchmarks.robustness.damage import HISTORY_DAMAGES, TEXT_DAMAGES, UNDAMAGED, Damage
from benchmarks.robustness.histories import cold, damaged_histories, drop, noise
from compress.tasks.item_codes import FIRST_ITEM

ITEMS = 40


@st.composite
def histories(draw):
    """Histories in which no item occurs twice, so that an event can be told from the others."""
    length = draw(st.integers(1, 12))
    counts = draw(st.lists(st.integers(0, length), min_size=1, max_size=8))
    found = np.zeros((len(counts), length), dtype=np.int32)
    for row, count in enumerate(counts):
        if count:
            found[row, length - count :] = draw(
                st.lists(
                    st.integers(FIRST_ITEM, FIRST_ITEM + ITEMS - 1),
                    min_size=count,
                    max_size=count,
                    unique=True,
                )
            )
    return found


shares = st.sampled_from([0.1, 0.3, 0.5, 0.9])
seeds = st.integers(0, 1000)


def is_left_padded(codes: np.ndarray) -> bool:
    events = codes != 0
    return bool((np.diff(events.astype(int), axis=1) >= 0).all())


@given(histories(), st.sampled_from([UNDAMAGED, *HISTORY_DAMAGES]), seeds)
def test_whatever_the_damage_a_history_stays_one(given_histories, damage, seed):
    cases = np.arange(len(given_histories))
    before = given_histories.copy()
    found = damaged_histories(given_histories, cases, damage, items=ITEMS, seed=seed)
    assert found.shape == before.shape
    assert found.dtype == np.int32
    assert is_left_padded(found)
    codes = found[found != 0]
    assert ((codes >= FIRST_ITEM) & (codes < FIRST_ITEM + ITEMS)).all()
    assert (given_histories == before).all()


@given(histories(), shares, seeds)
def test_a_drop_keeps_the_order_and_invents_nothing(given_histories, share, seed):
    found = drop(given_histories, np.arange(len(given_histories)), share, seed)
    for before, after in zip(given_histories.tolist(), found.tolist(), strict=True):
        events = [code for code in before if code]
        kept = [code for code in after if code]
        places = [events.index(code) for code in kept]  # an invented one would not be there
        assert places == sorted(places)
        gone = len(events) - len(kept)
        assert gone in (int(share * len(events)), int(share * len(events)) + 1)
        assert not events or kept


@given(histories(), seeds)
def test_what_a_small_drop_loses_a_larger_one_loses_too(given_histories, seed):
    cases = np.arange(len(given_histories))
    little, much = (drop(given_histories, cases, share, seed) for share in (0.1, 0.5))
    for some, fewer in zip(little.tolist(), much.tolist(), strict=True):
        assert set(fewer) - {0} <= set(some)


@given(histories(), shares, seeds)
def test_noise_stands_where_the_drop_of_the_same_share_leaves_nothing(given_histories, share, seed):
    cases = np.arange(len(given_histories))
    dropped = drop(given_histories, cases, share, seed)
    noisy = noise(given_histories, cases, share, ITEMS, seed)
    assert ((noisy != 0) == (given_histories != 0)).all()
    for before, less, other in zip(given_histories, dropped, noisy, strict=True):
        gone = (before != 0) & ~np.isin(before, less)
        assert (other[~gone] == before[~gone]).all()


@given(histories(), shares, seeds, st.integers(1, 5))
def test_a_case_is_damaged_alike_in_any_batch_order_and_padding(given_histories, share, seed, more):
    cases = np.arange(len(given_histories)) + 100
    order = np.random.default_rng(seed).permutation(len(cases))
    wider = np.pad(given_histories, ((0, 0), (more, 0)))
    for damage in (Damage("drop", share), Damage("noise", share)):

        def damaged(codes, own, damage=damage):
            return damaged_histories(codes, own, damage, items=ITEMS, seed=seed)

        whole = damaged(given_histories, cases)
        assert (damaged(given_histories[order], cases[order]) == whole[order]).all()
        assert (damaged(given_histories[:1], cases[:1]) == whole[:1]).all()
        assert (damaged(wider, cases)[:, more:] == whole).all()


def test_other_seeds_and_other_cases_lose_other_events():
    histories = np.tile(np.arange(2, 52, dtype=np.int32), (20, 1))
    cases = np.arange(20)
    found = drop(histories, cases, 0.5, seed=1)
    assert len(np.unique(found, axis=0)) == 20
    assert (found != drop(histories, cases, 0.5, seed=2)).any(axis=1).all()


def test_exactly_the_share_goes_where_it_is_whole():
    histories = np.tile(np.arange(2, 52, dtype=np.int32), (20, 1))
    assert ((drop(histories, np.arange(20), 0.3, 1) == 0).sum(axis=1) == 15).all()


def test_random_items_are_drawn_from_the_whole_catalogue():
    """250 draws a case and item of 10: each comes up in about a tenth of them."""
    histories = np.full((500, 10), 999, dtype=np.int32)
    found = noise(histories, np.arange(500), 0.5, 10, seed=1)
    drawn = found[found != 999]
    assert len(drawn) == 2500
    counts = np.bincount(drawn, minlength=12)
    assert counts[:2].tolist() == [0, 0]
    assert counts[2:].min() > 190 and counts[2:].max() < 310  # expected 250, standard error 15


@pytest.mark.parametrize(
    ("events", "left"),
    [
        (0, [[0, 0, 0, 0], [0, 0, 0, 0]]),
        (1, [[0, 0, 0, 5], [0, 0, 0, 6]]),
        (3, [[0, 3, 4, 5], [0, 0, 0, 6]]),
        (9, [[2, 3, 4, 5], [0, 0, 0, 6]]),
    ],
)
def test_cold_users_have_only_their_last_events(events, left):
    histories = np.array([[2, 3, 4, 5], [0, 0, 0, 6]], dtype=np.int32)
    assert cold(histories, events).tolist() == left


def test_one_event_is_never_the_one_that_is_dropped_or_replaced():
    lonely = np.array([[0, 0, 7]] * 30, dtype=np.int32)
    assert (drop(lonely, np.arange(30), 0.5, 1) == lonely).all()
    assert (noise(lonely, np.arange(30), 0.5, 5, 1) == lonely).all()


@pytest.mark.parametrize("damage", TEXT_DAMAGES)
def test_damages_of_texts_are_refused(damage):
    with pytest.raises(ValueError, match="no damage of histories"):
        damaged_histories(np.ones((1, 2), np.int32), np.zeros(1, np.int64), damage, items=3, seed=1)
