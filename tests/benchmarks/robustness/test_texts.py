"""What damage does to texts, and what it never does."""

import re
from collections import Counter

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from benchmarks.robustness.damage import HISTORY_DAMAGES, TEXT_DAMAGES, Damage
from benchmarks.robustness.texts import damaged_texts, drop_words, first_words, misspell

TEXT = "Lovely dress, but the sleeves run short; I ordered a size up and it fits."
texts = st.lists(st.text(alphabet="abcdefgh ,.é1", max_size=40), min_size=1, max_size=6)
shares = st.sampled_from([0.1, 0.3, 0.5])
seeds = st.integers(0, 1000)


@given(texts, shares, seeds)
def test_dropped_words_leave_the_others_in_order(given_texts, share, seed):
    found = drop_words(given_texts, np.arange(len(given_texts)), share, seed)
    for before, after in zip(given_texts, found, strict=True):
        words, kept = before.split(), after.split()
        remaining = iter(words)
        assert all(word in remaining for word in kept)  # in this order
        assert len(words) - len(kept) in (int(share * len(words)), int(share * len(words)) + 1)
        assert bool(kept) == bool(words)
        if kept == words:
            assert after == before


@given(texts, shares, seeds)
def test_a_slip_changes_only_the_inside_of_long_words(given_texts, share, seed):
    found = misspell(given_texts, np.arange(len(given_texts)), share, seed)
    long_word = re.compile(r"[^\W\d_]{4,}")
    for before, after in zip(given_texts, found, strict=True):
        places = [match.span() for match in long_word.finditer(before)]
        outside, at = [], 0
        for start, end in places:
            outside.append(before[at : start + 1])  # with the word's first letter
            at = end - 1
        outside.append(before[at:])
        pattern = "(.*)".join(re.escape(part) for part in outside)
        assert re.fullmatch(pattern, after, flags=re.DOTALL)
        assert len(before) - len(after) <= len(places)


@pytest.mark.parametrize("seed", range(20))
def test_a_slip_swaps_two_inner_letters_or_leaves_one_out(seed):
    (found,) = misspell(["sleeve"], np.array([seed]), 0.999, seed)
    swapped = {"seleve", "slevee", "sleeve"}
    missing = {"seeve", "sleve", "sleee"}
    assert found in (swapped | missing) - {"sleeve"}


def test_both_kinds_of_slips_occur():
    words = ["bonfire"] * 200
    found = Counter(map(len, misspell(words, np.arange(200), 0.999, 1)))
    assert found[7] > 60 and found[6] > 60


def test_the_share_of_long_words_is_met_on_average():
    """Of 7 long words 30% are 2 or 3: over 400 texts 840."""
    text = "long words with short ones inside them"
    found = misspell([text] * 400, np.arange(400), 0.3, 1)
    changed = sum(
        one != was for after in found for one, was in zip(after.split(), text.split(), strict=True)
    )
    assert changed == pytest.approx(840, rel=0.05)


@given(texts, st.sampled_from(TEXT_DAMAGES), seeds)
def test_a_text_is_damaged_alike_in_any_order_and_batch(given_texts, damage, seed):
    rows = np.arange(len(given_texts)) + 7
    whole = damaged_texts(given_texts, rows, damage, seed=seed)
    order = np.random.default_rng(seed).permutation(len(rows))
    shuffled = damaged_texts([given_texts[i] for i in order], rows[order], damage, seed=seed)
    assert shuffled == [whole[i] for i in order]
    assert damaged_texts(given_texts[:1], rows[:1], damage, seed=seed) == whole[:1]


def test_what_a_small_share_misspells_a_larger_one_misspells_too():
    little, much = (misspell([TEXT], np.array([3]), share, 1)[0] for share in (0.1, 0.5))
    for was, one, other in zip(TEXT.split(), little.split(), much.split(), strict=True):
        assert one == was or other == one


@pytest.mark.parametrize(
    ("count", "left"),
    [(1, "a"), (2, "a big"), (3, " a  big dress"), (9, " a  big dress")],
)
def test_short_texts_are_the_first_words(count, left):
    assert first_words(" a  big dress", count) == left


def test_empty_texts_stay_empty():
    for damage in TEXT_DAMAGES:
        assert damaged_texts(["", "  "], np.arange(2), damage, seed=1) == ["", "  "]


def test_seeds_differ():
    one, other = (drop_words([TEXT] * 9, np.arange(9), 0.5, seed) for seed in (1, 2))
    assert one != other
    assert len(set(one)) > 1


@pytest.mark.parametrize("damage", [Damage("drop", 0.5), HISTORY_DAMAGES[-1]])
def test_damages_of_histories_are_refused(damage):
    with pytest.raises(ValueError, match="no damage of texts"):
        damaged_texts(["a"], np.zeros(1, np.int64), damage, seed=1)
