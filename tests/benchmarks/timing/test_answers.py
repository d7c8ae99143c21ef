import numpy as np
import pytest

from benchmarks.timing.answers import agreement, faults_of


def ranking(*rows):
    ids = np.array(rows, np.int32)
    scores = np.tile(-np.arange(ids.shape[1], dtype=np.float32), (len(ids), 1))
    return {"item_ids": ids, "scores": scores}


SOUND = ranking([5, 4, 0, 0], [7, 2, 3, 9])


@pytest.mark.parametrize(
    ("answer", "fault"),
    [
        (None, "not named arrays"),
        ({}, "not named arrays"),
        ({"score": 1.0}, "one row an example"),
        ({"score": np.zeros(3, np.float32)}, "one row an example"),
        ({"score": np.array([0.0, np.nan])}, "what is no number"),
        ({"score": np.array([1, 2])}, "not floats"),
        (ranking([5, 4], [1, 7]), "not one of the catalogue"),
        (ranking([5, 4], [-2, 7]), "not one of the catalogue"),
        (ranking([5, 5], [2, 7]), "returned twice"),
        (SOUND | {"item_ids": SOUND["scores"]}, "not whole numbers"),
        (SOUND | {"scores": -SOUND["scores"]}, "not in descending order"),
        (SOUND | {"scores": SOUND["scores"][:, 1:]}, "not floats like the item ids"),
        ({"probabilities": np.array([[0.5, 0.6], [0.2, 1.2]])}, "not between 0 and 1"),
        ({"probabilities": np.array([[0.5, -0.1], [0.2, 0.2]])}, "not between 0 and 1"),
        ({"probabilities": np.array([0.5, 0.1])}, "not floats [B, C]"),
    ],
)
def test_what_no_answer_can_be_is_a_fault(answer, fault):
    (found,) = faults_of(answer, examples=2)
    assert fault in found


@pytest.mark.parametrize(
    "answer",
    [
        SOUND,
        {"probabilities": np.array([[0.5, 0.5], [0.0, 1.0]])},
        {"score": np.array([3.0, -4.0])},
        {"anything": np.array([["a"], ["b"]])},
    ],
)
def test_what_an_answer_can_be_is_none(answer):
    assert list(faults_of(answer, examples=2)) == []


def test_rankings_agree_by_the_share_of_the_right_top_10_that_is_returned():
    given = {"item_ids": np.arange(2, 22)[None].repeat(3, axis=0)}
    right = {"item_ids": np.array([range(11, 31), range(40, 60), [2, 3, 90, *[0] * 17]])}
    np.testing.assert_allclose(agreement(given, right), [1.0, 0.0, 2 / 3])


def test_an_empty_right_list_asks_for_nothing():
    empty = {"item_ids": np.zeros((1, 20), np.int32)}
    assert agreement({"item_ids": np.ones((1, 20), np.int32) * 2}, empty) == [1.0]


def test_classes_agree_if_the_largest_is_the_same_or_all_are_close():
    right = {"probabilities": np.array([[0.9, 0.1], [0.51, 0.49], [0.9, 0.1], [0.2, 0.8]])}
    given = {"probabilities": np.array([[0.6, 0.4], [0.49, 0.51], [0.4, 0.6], [0.9, 0.1]])}
    assert agreement(given, right).tolist() == [1, 1, 0, 0]


def test_sets_of_classes_agree_if_they_are_the_same():
    right = {"probabilities": np.array([[0.9, 0.8, 0.1], [0.9, 0.8, 0.1]])}
    given = {"probabilities": np.array([[0.6, 0.7, 0.4], [0.9, 0.2, 0.1]])}
    assert agreement(given, right).tolist() == [1, 0]


def test_scores_agree_within_half_a_standard_deviation():
    right = {"score": np.array([[0.0], [2.0], [0.0], [2.0]])}  # of 1
    given = {"score": np.array([0.4, 1.4, -0.6, 2.0])}
    assert agreement(given, right).tolist() == [1, 0, 0, 1]


def test_numbers_of_any_other_name_agree_within_a_tenth_of_a_standard_deviation():
    right = {"vector": np.array([[0.0, 2.0]] * 4), "step": np.array([0, 2, 0, 2])}  # of 1
    near = {"vector": right["vector"] + [[0.0], [0.09], [-0.09], [0.11]], "step": right["step"]}
    assert agreement(near, right).tolist() == [1, 1, 1, 0]
    assert agreement(near | {"step": np.array([2, 2, 0, 2])}, right).tolist() == [0, 1, 1, 0]
    random = np.random.default_rng(0).normal(size=(2, 200, 8))
    assert agreement({"y": random[0]}, {"y": random[1]}).mean() == 0
    assert agreement({"y": np.ones((2, 3))}, {"y": np.ones((2, 4))}).tolist() == [0, 0]


def test_masked_logits_agree_where_they_are_masked_alike():
    right = {"logits": np.array([[0.0, 2.0, -np.inf], [0.0, 2.0, -np.inf]])}
    given = {"logits": np.array([[0.0, 2.0, -np.inf], [0.0, 2.0, 1.0]])}
    assert agreement(given, right).tolist() == [1, 0]


def test_answers_that_share_no_name_cannot_be_compared():
    assert agreement({"other": np.zeros(2)}, {"score": np.zeros(2)}) is None


def test_another_number_of_classes_is_no_agreement():
    found = agreement({"probabilities": np.ones((2, 3))}, {"probabilities": np.ones((2, 4))})
    assert found.tolist() == [0, 0]
