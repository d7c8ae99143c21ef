from pathlib import Path

import numpy as np
from hypothesis import given, settings
from hypothesis import strategies as st
from numpy.testing import assert_allclose, assert_array_equal

from compress.teachers.baselines import CoOccurrence, Popularity

# Two users over the catalogue {2, 3, 4}: one chose 2, 3, 4, the other 2, 3.
OFFSETS = np.array([0, 3, 5])
CODES = np.array([2, 3, 4, 2, 3], dtype=np.int32)


def history(*codes: int) -> np.ndarray:
    return np.array([codes], dtype=np.int32)


def test_popularity_counts_training_events() -> None:
    popularity = Popularity.fit(OFFSETS, CODES, items=4)
    histories = np.array([[0, 2], [3, 4]], dtype=np.int32)
    assert_array_equal(popularity.scores(histories), [[2, 2, 1, 0], [2, 2, 1, 0]])


def test_popularity_ignores_the_unknown_code() -> None:
    popularity = Popularity.fit(np.array([0, 3]), np.array([1, 2, 1], dtype=np.int32), items=2)
    assert_array_equal(popularity.scores(history(0, 0)), [[1, 0]])


def test_co_occurrence_by_hand_forward_only() -> None:
    model = CoOccurrence.fit(OFFSETS, CODES, 3, window=2, decay=0.5, backward=0.0, recency=0.5)
    # c[2,3] = 2 (both users), c[3,4] = 1, c[2,4] = 0.5 (distance 2).
    # From: 2 gives 2.5, 3 gives 1. To: 3 receives 2, 4 receives 1.5.
    after_2 = [0.0, 2 / np.sqrt(2.5 * 2), 0.5 / np.sqrt(2.5 * 1.5)]
    after_3 = [0.0, 0.0, 1 / np.sqrt(1 * 1.5)]
    assert_allclose(model.scores(history(0, 2)), [after_2], rtol=1e-6)
    assert_allclose(model.scores(history(0, 3)), [after_3], rtol=1e-6)
    assert_allclose(model.scores(history(0, 4)), [[0.0, 0.0, 0.0]])
    # The last item has age 0, the one before it age 1.
    both = 0.5 * np.array(after_2) + np.array(after_3)
    assert_allclose(model.scores(history(2, 3)), [both], rtol=1e-6)


def test_co_occurrence_by_hand_in_both_directions() -> None:
    model = CoOccurrence.fit(OFFSETS, CODES, 3, window=1, decay=1.0, backward=0.5, recency=1.0)
    # c[2,3] = 2, c[3,2] = 1, c[3,4] = 1, c[4,3] = 0.5: from 2, 2, 0.5; to 1, 2.5, 1.
    assert_allclose(
        model.scores(history(0, 3)), [[1 / np.sqrt(2 * 1), 0.0, 1 / np.sqrt(2 * 1)]], rtol=1e-6
    )
    assert_allclose(model.scores(history(0, 4)), [[0.0, 0.5 / np.sqrt(0.5 * 2.5), 0.0]], rtol=1e-6)


def test_pairs_never_join_two_users() -> None:
    model = CoOccurrence.fit(np.array([0, 1, 2]), np.array([2, 3], dtype=np.int32), 2, window=5)
    assert_array_equal(model.scores(history(2, 3)), [[0.0, 0.0]])


def test_padding_and_unknown_add_nothing() -> None:
    model = CoOccurrence.fit(OFFSETS, CODES, 3)
    assert_array_equal(model.scores(history(0, 1, 0)), [[0.0, 0.0, 0.0]])
    assert_allclose(model.scores(history(1, 0, 3)), model.scores(history(0, 3)))


@settings(deadline=None, max_examples=30)
@given(
    sequences=st.lists(st.lists(st.integers(1, 7), max_size=9), min_size=1, max_size=5),
    window=st.integers(1, 6),
    asked=st.lists(st.integers(0, 7), min_size=4, max_size=4),
)
def test_co_occurrence_agrees_with_plain_loops(
    sequences: list[list[int]], window: int, asked: list[int]
) -> None:
    items, decay, backward, recency = 6, 0.9, 0.3, 0.7
    counts = np.zeros((items, items))
    for sequence in sequences:
        for i, before in enumerate(sequence):
            for j in range(i + 1, min(i + window, len(sequence) - 1) + 1):
                after = sequence[j]
                if before >= 2 and after >= 2:
                    counts[before - 2, after - 2] += decay ** (j - i - 1)
                    counts[after - 2, before - 2] += backward * decay ** (j - i - 1)
    scores = np.zeros(items)
    for age, code in enumerate(reversed(asked)):
        for item in range(items):
            if code >= 2 and counts[code - 2, item] > 0:
                size = counts[code - 2].sum() * counts[:, item].sum()
                scores[item] += recency**age * counts[code - 2, item] / np.sqrt(size)
    offsets = np.cumsum([0, *map(len, sequences)])
    codes = np.array([code for sequence in sequences for code in sequence], dtype=np.int32)
    model = CoOccurrence.fit(
        offsets, codes, items, window=window, decay=decay, backward=backward, recency=recency
    )
    assert_allclose(model.scores(history(*asked)), [scores], rtol=1e-5, atol=1e-7)


def test_saved_baselines_give_the_same_scores(tmp_path: Path) -> None:
    popularity, pairs = Popularity.fit(OFFSETS, CODES, 4), CoOccurrence.fit(OFFSETS, CODES, 4)
    popularity.save(tmp_path / "popularity.npz")
    pairs.save(tmp_path / "pairs.npz")
    asked = history(0, 2, 4)
    assert_array_equal(
        Popularity.load(tmp_path / "popularity.npz").scores(asked), popularity.scores(asked)
    )
    assert_array_equal(CoOccurrence.load(tmp_path / "pairs.npz").scores(asked), pairs.scores(asked))


def test_scores_are_single_precision_for_every_history() -> None:
    asked = np.array([[0, 0], [2, 3], [4, 1]], dtype=np.int32)
    for model in (Popularity.fit(OFFSETS, CODES, 3), CoOccurrence.fit(OFFSETS, CODES, 3)):
        assert model.scores(asked).shape == (3, 3)
        assert model.scores(asked).dtype == np.float32
