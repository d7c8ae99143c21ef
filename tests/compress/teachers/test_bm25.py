import math
from pathlib import Path

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from numpy.testing import assert_allclose, assert_array_equal
from sklearn.linear_model import LogisticRegression

from compress.data.pieces import Pieces
from compress.teachers.bm25 import Bm25
from compress.teachers.piece_counts import PieceCounter

V, SEPARATOR = 8, 0
COUNTER = PieceCounter(V, special=(SEPARATOR,), separators=(SEPARATOR,))
words = st.lists(st.integers(1, V - 1), min_size=1, max_size=6)
pairs = st.lists(st.tuples(words, words), min_size=1, max_size=10)

Pairs = list[tuple[list[int], list[int]]]


def pieces_of(rows: Pairs) -> Pieces:
    """Query, separator, product, separator: as a tokenizer that gives both the same type."""
    texts = [[*query, SEPARATOR, *product, SEPARATOR] for query, product in rows]
    lengths = np.array([len(text) for text in texts])
    offsets = np.concatenate([[0], np.cumsum(lengths)])
    return Pieces(np.concatenate(texts).astype(np.int32), offsets, lengths.astype(np.int32), 0)


def fit(rows: Pairs, targets: list[int] | None = None, grades: int = 0) -> Bm25:
    return Bm25.fit(COUNTER, pieces_of(rows), np.array(targets or [0] * len(rows)), grades)


def scores(model: Bm25, rows: Pairs) -> np.ndarray:
    return model.scores(pieces_of(rows).batch(np.arange(len(rows))))


def answers(model: Bm25, rows: Pairs) -> np.ndarray:
    return model.answers(pieces_of(rows).batch(np.arange(len(rows))))


def test_score_by_hand() -> None:
    """Products 1 2 2 and 3, mean length 2. Piece 2 is in 1 of 2: idf log(1 + 1.5 / 1.5) = log 2."""
    model = fit([([1], [1, 2, 2]), ([1], [3])])
    saturation = 2 * 2.2 / (2 + 1.2 * (0.25 + 0.75 * 3 / 2))
    assert_allclose(scores(model, [([2], [1, 2, 2])]), [math.log(2) * saturation])


@given(pairs, pairs)
def test_score_equals_its_plain_definition(training: Pairs, asked: Pairs) -> None:
    found = scores(fit(training), asked)
    products = {tuple(sorted(product)) for _, product in training}
    mean = sum(len(product) for product in products) / len(products)
    for (query, product), score in zip(asked, found, strict=True):
        plain = 0.0
        for piece in query:
            having = sum(piece in other for other in products)
            idf = math.log(1 + (len(products) - having + 0.5) / (having + 0.5))
            count = product.count(piece)
            plain += idf * count * 2.2 / (count + 1.2 * (0.25 + 0.75 * len(product) / mean))
        assert score == pytest.approx(plain)


def test_a_product_of_many_pairs_counts_once() -> None:
    once = fit([([1], [4, 5]), ([1], [6])])
    often = fit([([1], [4, 5]), ([2], [4, 5]), ([3], [5, 4]), ([1], [6])])
    assert_array_equal(once.idf, often.idf)
    assert once.mean_length == often.mean_length


def test_nothing_in_common_scores_0() -> None:
    model = fit([([1], [2]), ([2], [3])])
    assert scores(model, [([1], [2, 3]), ([7], [6])]).tolist() == [0, 0]


def test_products_may_be_empty() -> None:
    model = fit([([1], []), ([2], [])])
    assert scores(model, [([1], []), ([1], [1])])[0] == 0


def test_for_scores_it_answers_what_it_ranks_by() -> None:
    model = fit([([1], [1]), ([1], [2])])
    found = answers(model, [([1], [1]), ([1], [2])])
    assert found.shape == (2, 1)
    assert found[0, 0] > found[1, 0] == 0


GRADED: Pairs = [
    ([1, 2], [1, 2]),
    ([1, 2], [1, 3]),
    ([1, 2], [3, 4]),
    ([5], [5, 6]),
    ([5], [6, 7]),
    ([1, 5], [1, 5, 7]),
]
GRADES = [2, 1, 0, 1, 0, 1]


def test_probabilities_of_grades_equal_scikit_learns_logistic_regression() -> None:
    model = fit(GRADED, GRADES, grades=3)
    x = np.log1p(scores(model, GRADED))[:, None]
    # The ridge of 1e-6 on the mean loss is C = 1 / (1e-6 N); its intercept is free, ours is not.
    reference = LogisticRegression(C=1e6 / len(GRADED), tol=1e-10, max_iter=10_000).fit(x, GRADES)
    assert_allclose(answers(model, GRADED), reference.predict_proba(x), atol=2e-3)


def test_expected_grade_keeps_the_order_of_the_scores() -> None:
    model = fit(GRADED, GRADES, grades=3)
    asked = [([1, 2, 5], [1, 2, 5][:length] + [7]) for length in range(4)]
    expected = answers(model, asked) @ np.arange(3)
    assert (np.diff(scores(model, asked)) > 0).all()
    assert (np.diff(expected) > 0).all()


def test_scores_that_say_nothing_leave_the_shares_of_the_grades() -> None:
    rows: Pairs = [([1], [2])] * 4
    assert_allclose(answers(fit(rows, [0, 0, 0, 1], 2), rows)[0], [3 / 4, 1 / 4], atol=1e-4)


def test_a_grade_without_a_training_pair_is_improbable() -> None:
    found = answers(fit(GRADED, [min(grade, 1) for grade in GRADES], 3), GRADED)
    assert (found[:, 2] < 0.01).all()
    assert_allclose(found.sum(axis=1), 1.0, rtol=1e-6)


@pytest.mark.parametrize("grades", [0, 3])
def test_saved_and_loaded_it_answers_the_same(grades: int, tmp_path: Path) -> None:
    model = fit(GRADED, GRADES, grades)
    model.save(tmp_path / "fitted")
    assert_array_equal(answers(Bm25.load(tmp_path / "fitted"), GRADED), answers(model, GRADED))
