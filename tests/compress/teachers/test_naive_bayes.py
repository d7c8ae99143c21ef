from pathlib import Path

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from numpy.testing import assert_allclose, assert_array_equal
from sklearn.multiclass import OneVsRestClassifier
from sklearn.naive_bayes import ComplementNB, MultinomialNB

from compress.data.pieces import Pieces
from compress.teachers.naive_bayes import NaiveBayes
from compress.teachers.piece_counts import PieceCounter

V = 6
COUNTER = PieceCounter(V)
texts_of_pieces = st.lists(st.lists(st.integers(0, V - 1), max_size=8), min_size=4, max_size=12)


def pieces_of(texts: list[list[int]]) -> Pieces:
    lengths = np.array([len(text) for text in texts])
    flat = np.array([piece for text in texts for piece in text], dtype=np.int32)
    offsets = np.concatenate([[0], np.cumsum(lengths)])
    return Pieces(flat, offsets, lengths.astype(np.int32), padding_id=0)


def table(texts: list[list[int]]) -> np.ndarray:
    return np.array([np.bincount(text, minlength=V) for text in map(np.int64, texts)])


def ask(model: NaiveBayes, texts: list[list[int]]) -> np.ndarray:
    return model.answers(pieces_of(texts).batch(np.arange(len(texts))))


def test_complement_by_hand() -> None:
    """Two classes, two pieces, smoothing 1: class 0 is the text 0 0 0, class 1 the text 1.

    The complement of class 0 has counts 0, 1: shares 1/3, 2/3; that of class 1 has 3, 0: 4/5, 1/5.
    The text 0 so weighs 3 to 5/4.
    """
    model = NaiveBayes.fit(PieceCounter(2), pieces_of([[0, 0, 0], [1]]), np.array([0, 1]), 2)
    assert_allclose(ask(model, [[0]]), [[3 / (3 + 5 / 4), (5 / 4) / (3 + 5 / 4)]], rtol=1e-6)
    assert_allclose(ask(model, [[1]]), [[(3 / 2) / (3 / 2 + 5), 5 / (3 / 2 + 5)]], rtol=1e-6)


def test_each_of_several_classes_by_hand() -> None:
    """Class 0 is had by one text of two, 0 0; the other is 1: odds 1 : 1, times 3/4 / (1/3)."""
    targets = np.array([[1, 0], [0, 1]], dtype=np.float32)
    model = NaiveBayes.fit(PieceCounter(2), pieces_of([[0, 0], [1]]), targets, 2)
    odds = (3 / 4) / (1 / 3)
    assert_allclose(ask(model, [[0]]), [[odds / (1 + odds), 1 / (1 + odds)]], rtol=1e-6)


@given(texts_of_pieces, st.data())
def test_complement_equals_scikit_learns(texts: list[list[int]], data: st.DataObject) -> None:
    targets = np.arange(len(texts)) % 3  # every class has a text
    smoothing = data.draw(st.sampled_from([0.1, 1.0, 3.0]))
    model = NaiveBayes.fit(COUNTER, pieces_of(texts), targets, 3, smoothing=smoothing)
    reference = ComplementNB(alpha=smoothing).fit(table(texts), targets)
    assert_allclose(ask(model, texts), reference.predict_proba(table(texts)), rtol=1e-4, atol=1e-7)


@given(texts_of_pieces, st.data())
def test_any_of_equals_scikit_learns_one_against_the_rest(
    texts: list[list[int]], data: st.DataObject
) -> None:
    flags = st.lists(st.booleans(), min_size=3, max_size=3)
    targets = np.array([data.draw(flags) for _ in texts], dtype=np.float32)
    targets[0], targets[1] = 1, 0  # scikit-learn needs both answers for every class
    model = NaiveBayes.fit(COUNTER, pieces_of(texts), targets, 3)
    reference = OneVsRestClassifier(MultinomialNB()).fit(table(texts), targets.astype(int))
    assert_allclose(ask(model, texts), reference.predict_proba(table(texts)), rtol=1e-4, atol=1e-7)


def test_a_class_without_a_training_text_is_never_answered() -> None:
    model = NaiveBayes.fit(COUNTER, pieces_of([[0, 1], [2]]), np.array([0, 2]), classes=4)
    answers = ask(model, [[0], [5], []])
    assert_array_equal(answers[:, [1, 3]], np.zeros((3, 2)))
    assert_allclose(answers.sum(axis=1), 1.0, rtol=1e-6)


def test_a_class_that_no_text_or_every_text_has_is_certain() -> None:
    targets = np.array([[0, 1, 1], [0, 1, 0]], dtype=np.float32)
    answers = ask(NaiveBayes.fit(COUNTER, pieces_of([[0], [1]]), targets, 3), [[0], []])
    assert_array_equal(answers[:, :2], [[0, 1], [0, 1]])


def test_an_empty_text_says_nothing_of_its_class() -> None:
    model = NaiveBayes.fit(COUNTER, pieces_of([[0, 1], [2]]), np.array([0, 1]), 2)
    assert_allclose(ask(model, [[]]), [[0.5, 0.5]])


def test_small_classes_are_found_beside_a_large_one() -> None:
    """What complement counts are for: 1 text of the small class against 50 of the large one."""
    texts = [[0, 1, 2]] * 50 + [[0, 1, 5]]
    model = NaiveBayes.fit(COUNTER, pieces_of(texts), np.array([0] * 50 + [1]), 2)
    assert ask(model, [[0, 1, 5]]).argmax() == 1


def test_rows_without_a_target_are_not_read() -> None:
    labelled = NaiveBayes.fit(COUNTER, pieces_of([[0], [1]]), np.array([0, 1]), 2)
    more = NaiveBayes.fit(COUNTER, pieces_of([[0], [1], [1, 1, 1]]), np.array([0, 1]), 2)
    assert_array_equal(ask(labelled, [[0, 1]]), ask(more, [[0, 1]]))


@pytest.mark.parametrize("targets", [np.array([0, 1]), np.array([[1, 0], [1, 1]], np.float32)])
def test_saved_and_loaded_it_answers_the_same(targets: np.ndarray, tmp_path: Path) -> None:
    counter = PieceCounter(V, special=(4,), separators=(4,))
    model = NaiveBayes.fit(counter, pieces_of([[0, 4, 1], [2]]), targets, 2)
    model.save(tmp_path / "fitted")
    loaded = NaiveBayes.load(tmp_path / "fitted")
    texts = [[0, 1, 4], [], [2, 2, 3]]
    assert_array_equal(ask(loaded, texts), ask(model, texts))
