import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from hypothesis.extra import numpy as arrays
from sklearn import metrics as sklearn
from torchmetrics.functional.classification import multiclass_calibration_error

from compress.errors import DataError
from compress.metrics import (
    ClassFigures,
    bootstrap,
    classification_statistics,
    multi_label_statistics,
    paired_difference,
    per_class_table,
)

MEANS = ("macro", "micro")


def one_of(probabilities, targets, groups=None) -> dict[str, float]:
    targets = np.asarray(targets, dtype=np.int64)
    groups = np.arange(len(targets)) if groups is None else np.asarray(groups)
    found = classification_statistics(np.asarray(probabilities, np.float32), targets, groups)
    return {name: statistic.value for name, statistic in found.items()}


def any_of(probabilities, targets, threshold=0.5) -> dict[str, float]:
    found = multi_label_statistics(
        np.asarray(probabilities, np.float32),
        np.asarray(targets, np.float32),
        np.arange(len(targets)),
        threshold,
    )
    return {name: statistic.value for name, statistic in found.items()}


def sure_of(predicted: list[int], classes: int) -> np.ndarray:
    return np.eye(classes, dtype=np.float32)[predicted]


@st.composite
def answers(draw):
    """Probabilities and classes of a few examples; not all classes occur, ties do."""
    examples, classes = draw(st.integers(1, 12)), draw(st.integers(2, 7))
    logits = draw(
        arrays.arrays(np.float32, (examples, classes), elements=st.integers(0, 4).map(float))
    )
    targets = draw(arrays.arrays(np.int64, examples, elements=st.integers(0, classes - 1)))
    exponents = np.exp(logits)
    return exponents / exponents.sum(axis=1, keepdims=True), targets


@st.composite
def multi_hot_answers(draw):
    shape = (draw(st.integers(1, 10)), draw(st.integers(1, 5)))
    tenths = st.integers(0, 10).map(lambda tenth: tenth / 10)
    probabilities = draw(arrays.arrays(np.float64, shape, elements=tenths))
    targets = draw(arrays.arrays(np.int64, shape, elements=st.integers(0, 1)))
    targets[0, 0] = 1
    return probabilities.astype(np.float32), targets


# ------------------------------------------------------------------------- one class an example


def test_figures_of_hand_counted_answers():
    """Truth 0 0 0 1 1, said 0 0 1 1 0: class 0 has 2 of 3, class 1 has 1 of 2, both ways."""
    found = one_of(sure_of([0, 0, 1, 1, 0], 2), [0, 0, 0, 1, 1])
    assert found["accuracy"] == pytest.approx(3 / 5)
    for part in ("precision", "recall", "f1"):
        assert found[f"macro_{part}"] == pytest.approx((2 / 3 + 1 / 2) / 2)
        assert found[f"micro_{part}"] == pytest.approx(3 / 5)


@given(answers())
def test_figures_equal_scikit_learns(case):
    probabilities, targets = case
    found, predicted = one_of(probabilities, targets), probabilities.argmax(axis=1)
    assert found["accuracy"] == pytest.approx(sklearn.accuracy_score(targets, predicted))
    for mean, labels in (("macro", np.unique(targets)), ("micro", range(probabilities.shape[1]))):
        expected = sklearn.precision_recall_fscore_support(
            targets, predicted, labels=labels, average=mean, zero_division=0
        )
        own = [found[f"{mean}_{part}"] for part in ("precision", "recall", "f1")]
        assert own == pytest.approx(expected[:3])


def test_a_class_that_is_absent_in_the_truth_does_not_count_in_macro_means():
    """Class 2 is said once but never true: classes 0 (F1 2/3) and 1 (F1 1) make the mean."""
    found = one_of(sure_of([0, 2, 1], 3), [0, 0, 1])
    assert found["macro_f1"] == pytest.approx((2 / 3 + 1) / 2)
    assert found["macro_precision"] == 1
    assert found["micro_precision"] == pytest.approx(2 / 3)


def test_a_class_that_is_never_predicted_has_precision_and_f1_0():
    found = one_of(sure_of([0, 0], 2), [0, 1])
    assert found["macro_precision"] == pytest.approx((1 / 2 + 0) / 2)
    assert found["macro_f1"] == pytest.approx((2 / 3 + 0) / 2)


@pytest.mark.parametrize(("predicted", "value"), [(1, 1.0), (0, 0.0)])
def test_one_example_is_right_or_wrong(predicted, value):
    found = one_of(sure_of([predicted], 3), [1])
    assert {found[name] for name in found if name.startswith(("acc", "macro", "micro"))} == {value}


def test_top_5_counts_places_and_holds_the_top_1():
    falling = np.array([[0.3, 0.2, 0.17, 0.13, 0.11, 0.09]])
    assert [one_of(falling, [place])["top5_accuracy"] for place in range(6)] == [1, 1, 1, 1, 1, 0]


def test_equal_probabilities_are_taken_in_order_of_the_classes():
    """A model that says the same of 6 classes names the first, and the first 5."""
    flat = np.full((6, 6), 1 / 6)
    found = one_of(flat, range(6))
    assert found["accuracy"] == pytest.approx(1 / 6)
    assert found["top5_accuracy"] == pytest.approx(5 / 6)


@given(answers())
def test_top_5_equals_a_stable_sort(case):
    probabilities, targets = case
    order = np.argsort(-probabilities, axis=1, kind="stable")[:, :5]
    expected = (order == targets[:, None]).any(axis=1).mean()
    assert one_of(probabilities, targets)["top5_accuracy"] == pytest.approx(expected)


def test_calibration_error_of_hand_counted_bins():
    """Bin (.6, .6667]: 2 answers of .65, 1 right; bin (.9333, 1]: 2 sure answers, both right."""
    probabilities = [[0.65, 0.35], [0.65, 0.35], [1, 0], [0, 1]]
    found = one_of(probabilities, [0, 1, 0, 1])["calibration_error"]
    assert found == pytest.approx(2 / 4 * abs(1 / 2 - 0.65) + 2 / 4 * 0, abs=1e-7)


def test_calibration_error_equals_torchmetrics():
    import torch

    random = np.random.default_rng(1)
    probabilities = random.dirichlet(np.full(6, 0.4), 400).astype(np.float32)
    targets = random.integers(0, 6, 400)
    expected = multiclass_calibration_error(
        torch.from_numpy(probabilities), torch.from_numpy(targets), 6, n_bins=15, norm="l1"
    )
    found = one_of(probabilities, targets)["calibration_error"]
    assert found == pytest.approx(float(expected), abs=1e-6)


# --------------------------------------------------------------------- intervals of these figures


@given(answers(), st.data())
def test_groups_change_no_figure(case, data):
    probabilities, targets = case
    groups = data.draw(
        arrays.arrays(np.int64, len(targets), elements=st.integers(-3, 3)), label="groups"
    )
    assert one_of(probabilities, targets, groups) == pytest.approx(one_of(probabilities, targets))


def test_macro_f1_is_resampled_by_groups_as_if_counted_anew():
    random = np.random.default_rng(2)
    targets, groups = random.integers(0, 4, 60), random.integers(0, 15, 60)
    probabilities = random.dirichlet(np.ones(4), 60).astype(np.float32)
    statistics = classification_statistics(probabilities, targets, groups)
    found = bootstrap({"macro_f1": statistics["macro_f1"]}, 100, seed=5)["macro_f1"]
    plain = []
    for drawn in np.random.default_rng(5).integers(0, 15, (100, 15)):
        rows = np.concatenate([np.flatnonzero(groups == group) for group in drawn])
        truth, said = targets[rows], probabilities[rows].argmax(axis=1)
        plain.append(sklearn.f1_score(truth, said, labels=np.unique(truth), average="macro"))
    assert len(np.unique(groups)) == 15
    assert (found.low, found.high) == pytest.approx(tuple(np.quantile(plain, [0.025, 0.975])))


def test_a_rare_class_does_not_pull_the_interval_away_from_the_figure():
    """A third of the resamples miss the class of one example; a perfect model stays perfect."""
    targets = np.array([0, 0, 0, 1])
    statistics = classification_statistics(
        np.eye(2, dtype=np.float32)[targets], targets, np.arange(4)
    )
    found = bootstrap({"macro_f1": statistics["macro_f1"]}, 200, 1)["macro_f1"]
    assert (found.low, found.high) == (1, 1)


def test_a_model_compared_with_itself_differs_by_nothing():
    random = np.random.default_rng(3)
    probabilities = random.dirichlet(np.ones(20), 300).astype(np.float32)
    targets, groups = random.integers(0, 20, 300), random.integers(0, 90, 300)
    for name in ("macro_f1", "accuracy", "calibration_error"):
        a, b = (classification_statistics(probabilities, targets, groups)[name] for _ in "ab")
        difference = paired_difference(a, b, 200, 1)
        assert (difference.value, difference.low, difference.high) == (0, 0, 0)


# -------------------------------------------------------------------------- any number of classes


def test_each_class_is_counted_on_its_own():
    """Text 1 has class 0, said 0 and 1; text 2 has both, said 1."""
    found = any_of([[0.9, 0.8], [0.2, 0.7]], [[1, 0], [1, 1]])
    assert found["accuracy"] == 0
    assert found["macro_precision"] == pytest.approx((1 + 1 / 2) / 2)
    assert found["macro_recall"] == pytest.approx((1 / 2 + 1) / 2)
    assert found["micro_precision"] == found["micro_recall"] == pytest.approx(2 / 3)


@given(multi_hot_answers())
def test_multi_label_figures_equal_scikit_learns(case):
    probabilities, targets = case
    found, said = any_of(probabilities, targets), (probabilities > 0.5).astype(int)
    assert found["accuracy"] == pytest.approx((said == targets).all(axis=1).mean())
    occurring = np.flatnonzero(targets.any(axis=0))
    for mean, columns in (("macro", occurring), ("micro", np.arange(targets.shape[1]))):
        for part in ("precision", "recall", "f1"):
            if mean == "macro" and len(columns) == 1:
                expected = getattr(sklearn, f"{part}_score")(
                    targets[:, columns[0]], said[:, columns[0]], zero_division=0
                )
            elif targets.shape[1] == 1:
                expected = getattr(sklearn, f"{part}_score")(targets, said, zero_division=0)
            else:
                expected = getattr(sklearn, f"{part}_score")(
                    targets[:, columns], said[:, columns], average=mean, zero_division=0
                )
            assert found[f"{mean}_{part}"] == pytest.approx(expected)


def test_the_threshold_itself_is_not_above_the_threshold():
    assert any_of([[0.5, 0.9]], [[0, 1]], threshold=0.5)["accuracy"] == 1
    assert any_of([[0.5, 0.9]], [[0, 1]], threshold=0.4)["accuracy"] == 0


def test_multi_label_calibration_compares_probability_with_frequency():
    """Of 4 pairs that are given .25, 1 applies: calibrated. Given .75 each: off by one half."""
    truth = [[1, 0], [0, 0]]
    assert any_of(np.full((2, 2), 0.25), truth)["calibration_error"] == pytest.approx(0)
    assert any_of(np.full((2, 2), 0.75), truth)["calibration_error"] == pytest.approx(0.5)


def test_texts_without_any_class_are_examples_too():
    found = any_of([[0.1, 0.1], [0.9, 0.1]], [[0, 0], [1, 0]])
    assert found["accuracy"] == found["macro_f1"] == found["micro_f1"] == 1


# -------------------------------------------------------------------------------- table of classes


def test_table_of_hand_counted_classes():
    table = per_class_table(sure_of([0, 0, 1, 1, 0], 3), np.array([0, 0, 0, 1, 1]))
    assert table[0] == ClassFigures(pytest.approx(2 / 3), pytest.approx(2 / 3), 2 / 3, 3, 3)
    assert table[1] == ClassFigures(0.5, 0.5, 0.5, support=2, predicted=2)
    assert table[2] == ClassFigures(0.0, 0.0, 0.0, support=0, predicted=0)


@given(answers())
def test_mean_of_the_table_over_occurring_classes_is_macro_f1(case):
    probabilities, targets = case
    table = per_class_table(probabilities, targets)
    mean = np.mean([one.f1 for one in table if one.support])
    assert one_of(probabilities, targets)["macro_f1"] == pytest.approx(mean)


@given(multi_hot_answers())
def test_multi_label_table_equals_scikit_learns(case):
    probabilities, targets = case
    said = (probabilities > 0.4).astype(int)
    for column, one in enumerate(per_class_table(probabilities, targets.astype(np.float32), 0.4)):
        truth = targets[:, column]
        assert one.f1 == pytest.approx(sklearn.f1_score(truth, said[:, column], zero_division=0))
        assert (one.support, one.predicted) == (truth.sum(), said[:, column].sum())


# ------------------------------------------------------------------------------ what has no answer


@pytest.mark.parametrize(
    ("probabilities", "targets", "groups", "says"),
    [
        (np.zeros((0, 2)), [], [], "no cases"),
        ([[0.5, 0.5]], [0, 1], [0, 1], "do not belong together"),
        ([[np.nan, 1.0]], [0], [0], "within 0...1"),
        ([[-3.0, 4.0]], [0], [0], "within 0...1"),
        ([[0.5, 0.5]], [2], [0], "not a class"),
        ([[0.5, 0.5]], [-1], [0], "not a class"),
        ([[0.5, 0.5]], [1], [0, 1], "groups"),
    ],
)
def test_figures_refuse_what_has_no_answer(probabilities, targets, groups, says):
    with pytest.raises(ValueError, match=says):
        one_of(probabilities, targets, groups)


def test_a_split_without_any_class_is_the_users_to_mend():
    with pytest.raises(DataError, match="no text of the split has any class"):
        any_of([[0.5, 0.5]], [[0, 0]])


def test_multi_label_targets_are_0_or_1():
    with pytest.raises(ValueError, match="neither 0 nor 1"):
        any_of([[0.5, 0.5]], [[0.5, 1]])
