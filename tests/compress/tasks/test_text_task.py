"""What logits mean, what classes count, and what answers are held against."""

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from hypothesis.extra import numpy as arrays

from compress.data.prepare_texts import prepare_texts
from compress.data.text_dataset import TextDataset
from compress.errors import DataError, UserError
from compress.recipe import PairData, TextLabel, TextPair
from compress.tasks.text_task import Truth, answers_of, class_weights

LABEL = TextLabel(kind="text-label")
LOGITS = arrays.arrays(np.float32, (4, 3), elements=st.floats(-80, 80, width=32))


@given(LOGITS)
def test_one_of_is_a_softmax_that_does_not_overflow(logits):
    answers = answers_of(logits * 100, "one-of")
    assert np.isfinite(answers).all()
    np.testing.assert_allclose(answers.sum(axis=1), 1, atol=1e-6)


@given(LOGITS)
def test_any_of_is_the_logistic_function(logits):
    answers = answers_of(logits, "any-of")
    np.testing.assert_allclose(answers, 1 / (1 + np.exp(-logits.astype(np.float64))), atol=1e-6)


def test_a_score_is_itself():
    scores = np.array([[2.5], [-1]], np.float32)
    np.testing.assert_array_equal(answers_of(scores, "score"), scores)


def test_balanced_weights_are_inverse_to_the_texts_of_a_class():
    task = TextLabel(kind="text-label", class_weights="balanced")
    targets = np.array([0, 0, 0, 1])
    # N / (classes x texts): 4 / (3 x 3), 4 / (3 x 1); a class without texts weighs nothing anyhow
    np.testing.assert_allclose(class_weights(task, "abc", targets), [4 / 9, 4 / 3, 1])
    several = np.array([[1, 1, 0], [1, 0, 0]], np.float32)
    np.testing.assert_allclose(class_weights(task, "abc", several), [2 / 6, 2 / 3, 1])


def test_given_weights_are_by_name_and_the_rest_is_one():
    task = TextLabel(kind="text-label", class_weights={"b": 3.0})
    np.testing.assert_allclose(class_weights(task, ["a", "b"], np.array([0, 1])), [1, 3])
    assert class_weights(LABEL, ["a"], np.array([0])) is None
    with pytest.raises(UserError, match="no class 'shrits'. Did you mean 'shirts'"):
        class_weights(
            TextLabel(kind="text-label", class_weights={"shrits": 2.0}),
            ["shirts", "shoes"],
            np.array([0]),
        )


def test_macro_f1_is_the_metric_of_labels():
    truth = Truth(LABEL, np.array([0, 0, 1]), np.arange(3))
    answers = np.array([[0.9, 0.1], [0.2, 0.8], [0.3, 0.7]], np.float32)
    # class 0: precision 1, recall 1/2, F1 2/3; class 1: precision 1/2, recall 1, F1 2/3
    assert truth.metric(answers) == pytest.approx(2 / 3)


def test_grades_rank_by_their_expected_gain():
    task = TextPair(kind="text-pair", gains={"bad": 0.0, "good": 1.0})
    truth = Truth(
        task,
        targets=np.array([1, 0, 0, 1]),
        groups=np.array([0, 0, 1, 1]),
        queries=np.array([0, 0, 1, 1]),
        class_gains=(0.0, 1.0),
    )
    answers = np.array([[0.1, 0.9], [0.8, 0.2], [0.4, 0.6], [0.7, 0.3]], np.float32)
    np.testing.assert_allclose(truth.ranking_scores(answers), [0.9, 0.2, 0.6, 0.3], rtol=1e-6)
    found = truth.statistics(answers)
    # the first query is in the best order, the second has its good product in the second place
    assert found["ndcg@10"].value == pytest.approx((1 + 1 / np.log2(3)) / 2)
    assert found["mrr@10"].value == pytest.approx((1 + 1 / 2) / 2)
    assert found["accuracy"].value == pytest.approx(2 / 4)
    assert truth.metric(answers) == found["ndcg@10"].value


def test_scores_rank_by_themselves():
    task = TextPair(kind="text-pair", relevance="score")
    truth = Truth(task, np.array([0.0, 1.0], np.float32), np.arange(2), np.zeros(2, np.int64))
    answers = np.array([[0.2], [0.4]], np.float32)
    assert truth.metric(answers) == 1.0
    assert set(truth.statistics(answers)) == {"ndcg@10", "spearman"}


def test_a_score_is_relevant_from_where_the_recipe_says():
    task = TextPair(kind="text-pair", relevance="score", relevant_from=0.5)
    truth = Truth(task, np.array([0.6, 0.1], np.float32), np.arange(2), np.zeros(2, np.int64))
    assert truth.statistics(np.array([[0.1], [0.2]], np.float32))["mrr@10"].value == 1 / 2


def test_a_score_that_is_just_the_limit_is_relevant():
    """0.7 as the scores are kept, in 32 bits, is below 0.7."""
    task = TextPair(kind="text-pair", relevance="score", relevant_from=0.7)
    truth = Truth(task, np.array([0.7, 0.1], np.float32), np.arange(2), np.zeros(2, np.int64))
    assert truth.statistics(np.array([[0.2], [0.1]], np.float32))["mrr@10"].value == 1.0


def test_a_split_without_the_highest_grade_has_nothing_relevant_in_it():
    """What is relevant is the task's, not whatever is best in the split."""
    task = TextPair(kind="text-pair", gains={"bad": 0.0, "fair": 0.5, "good": 1.0})
    truth = Truth(
        task, np.array([0, 1]), np.arange(2), np.zeros(2, np.int64), class_gains=(0.0, 0.5, 1.0)
    )
    answers = np.full((2, 3), 1 / 3, np.float32)
    with pytest.raises(DataError, match="relevant"):
        truth.statistics(answers)


def test_a_query_is_the_same_however_it_is_written(tmp_path):
    """As for the split: letters' case, white space and forms of a character do not count."""
    queries = ["Red  Dress", "blue", "red dress", "ｒｅｄ dress", "Blue", "red"]
    rows = [
        f'{{"query": "{query}", "product": "p{number}", "relevance": {number % 2}}}'
        for number, query in enumerate(queries)
    ]
    for name in ("train", "validation", "test"):
        (tmp_path / f"{name}.jsonl").write_text("\n".join(rows), encoding="utf-8")
    files = {name: f"{name}.jsonl" for name in ("train", "validation", "test")}
    data = PairData.model_validate({"source": {"kind": "table", **files}})
    task = TextPair(kind="text-pair")
    prepare_texts(data, task, tmp_path, tmp_path / "out", progress=lambda line: None)
    dataset = TextDataset.open(tmp_path / "out")
    queries_of = Truth.of(dataset, task, "test").queries
    assert queries_of.tolist() == [0, 1, 0, 0, 1, 2]
    groups = dataset.split("test").groups
    assert (queries_of[:, None] == queries_of).tolist() == (groups[:, None] == groups).tolist()
