"""Classification metrics and agreement against scikit-learn, torchmetrics and scipy.

`test_classification` holds the counted metrics against scikit-learn on random cases; here is what
it leaves: torchmetrics as a second opinion, one-class data, ties, calibration, and agreement.
"""

import numpy as np
import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st
from hypothesis.extra import numpy as arrays
from sklearn import metrics as sklearn
from torchmetrics.functional import classification as library
from torchmetrics.functional.regression import kendall_rank_corrcoef

from compress.metrics import classification_statistics, multi_label_statistics, per_class_table
from compress.metrics.agreement import agreement

PARTS = ("precision", "recall", "f1")
THEIRS = {
    "precision": library.multiclass_precision,
    "recall": library.multiclass_recall,
    "f1": library.multiclass_f1_score,
}


def values(statistics):
    return {name: one.value for name, one in statistics.items()}


def one_of(probabilities, targets):
    targets = np.asarray(targets, dtype=np.int64)
    given = np.asarray(probabilities, dtype=np.float32)
    return values(classification_statistics(given, targets, np.arange(len(targets))))


def any_of(probabilities, targets, threshold=0.5):
    given = np.asarray(probabilities, dtype=np.float32), np.asarray(targets, dtype=np.float32)
    return values(multi_label_statistics(*given, np.arange(len(targets)), threshold))


@st.composite
def answers(draw, least=3):
    """Probabilities without ties, and classes, of which some may not occur."""
    examples, classes = draw(st.integers(1, 20)), draw(st.integers(least, 8))
    random = np.random.default_rng(draw(st.integers(0, 2**32 - 1)))
    probabilities = random.dirichlet(np.full(classes, 0.7), examples).astype(np.float32)
    targets = draw(arrays.arrays(np.int64, examples, elements=st.integers(0, classes - 1)))
    return probabilities, targets


@st.composite
def sets(draw):
    """Probabilities of each class on its own, and a truth that has at least one class."""
    shape = (draw(st.integers(1, 12)), draw(st.integers(2, 5)))
    random = np.random.default_rng(draw(st.integers(0, 2**32 - 1)))
    targets = draw(arrays.arrays(np.int64, shape, elements=st.integers(0, 1)))
    targets[0, 0] = 1
    return random.random(shape).astype(np.float32), targets


# ------------------------------------------------------------------------ one class an example


@settings(deadline=None)
@given(answers())
def test_shares_and_micro_means_equal_torchmetrics(case):
    probabilities, targets = case
    found, classes = one_of(probabilities, targets), probabilities.shape[1]
    tensors = torch.from_numpy(probabilities), torch.from_numpy(targets)
    options = {"num_classes": classes, "average": "micro"}
    for name, top_k in (("accuracy", 1), ("top5_accuracy", min(5, classes))):
        expected = library.multiclass_accuracy(*tensors, top_k=top_k, **options)
        assert found[name] == pytest.approx(float(expected), abs=1e-6)
    for part, metric in THEIRS.items():
        expected = metric(*tensors, **options)
        assert found[f"micro_{part}"] == pytest.approx(float(expected), abs=1e-6)


@settings(deadline=None)
@given(answers())
def test_every_class_of_the_table_equals_torchmetrics(case):
    probabilities, targets = case
    table, classes = per_class_table(probabilities, targets), probabilities.shape[1]
    tensors = torch.from_numpy(probabilities), torch.from_numpy(targets)
    for part, metric in THEIRS.items():
        expected = metric(*tensors, num_classes=classes, average=None).tolist()
        assert [getattr(one, part) for one in table] == pytest.approx(expected, abs=1e-6)


@settings(deadline=None)
@given(answers(least=6))
def test_top_5_equals_scikit_learns_where_no_probabilities_are_equal(case):
    probabilities, targets = case
    classes = probabilities.shape[1]
    expected = sklearn.top_k_accuracy_score(targets, probabilities, k=5, labels=range(classes))
    assert one_of(probabilities, targets)["top5_accuracy"] == pytest.approx(expected)


def test_among_equal_probabilities_ours_takes_the_first_classes_scikit_learn_the_last():
    """Six equal classes: we find the first five of them among the top 5, scikit-learn the last."""
    flat = np.full((6, 6), 1 / 6, dtype=np.float32)
    each = [one_of(flat[:1], [target])["top5_accuracy"] for target in range(6)]
    theirs = [
        sklearn.top_k_accuracy_score([target], flat[:1], k=5, labels=range(6))
        for target in range(6)
    ]
    assert each == [1, 1, 1, 1, 1, 0]
    assert theirs == [0, 1, 1, 1, 1, 1]
    assert np.mean(each) == np.mean(theirs) == one_of(flat, range(6))["top5_accuracy"]


def test_macro_means_leave_out_classes_that_do_not_occur_and_torchmetrics_do_not():
    """Class 2 is said once but never true: its F1 of 0 is in torchmetrics' mean, not in ours."""
    said = np.eye(3, dtype=np.float32)[[0, 2, 1]]
    targets = np.array([0, 0, 1])
    theirs = library.multiclass_f1_score(
        torch.from_numpy(said), torch.from_numpy(targets), num_classes=3, average="macro"
    )
    assert float(theirs) == pytest.approx((2 / 3 + 1 + 0) / 3)
    assert one_of(said, targets)["macro_f1"] == pytest.approx((2 / 3 + 1) / 2)
    occurring = sklearn.f1_score(targets, [0, 2, 1], labels=[0, 1], average="macro")
    assert one_of(said, targets)["macro_f1"] == pytest.approx(occurring)


@pytest.mark.parametrize("said", [[1, 1, 1], [0, 0, 0], [1, 0, 2]])
def test_data_of_one_class_equal_scikit_learns(said):
    targets = [1, 1, 1]
    found = one_of(np.eye(3)[said], targets)
    expected = sklearn.precision_recall_fscore_support(
        targets, said, labels=[1], average="macro", zero_division=0
    )
    assert [found[f"macro_{part}"] for part in PARTS] == pytest.approx(expected[:3])
    assert found["accuracy"] == pytest.approx(sklearn.accuracy_score(targets, said))
    micro = sklearn.f1_score(targets, said, labels=range(3), average="micro")
    assert found["micro_f1"] == pytest.approx(micro)


# ------------------------------------------------------------------------ any number of classes


@settings(deadline=None)
@given(sets(), st.sampled_from([0.25, 0.5, 0.75]))
def test_sets_of_classes_equal_torchmetrics(case, threshold):
    probabilities, targets = case
    found, labels = any_of(probabilities, targets, threshold), targets.shape[1]
    tensors = torch.from_numpy(probabilities), torch.from_numpy(targets)
    options = {"num_labels": labels, "threshold": threshold}
    theirs = {
        "accuracy": library.multilabel_exact_match(*tensors, **options),
        "micro_precision": library.multilabel_precision(*tensors, average="micro", **options),
        "micro_recall": library.multilabel_recall(*tensors, average="micro", **options),
        "micro_f1": library.multilabel_f1_score(*tensors, average="micro", **options),
    }
    for name, expected in theirs.items():
        assert found[name] == pytest.approx(float(expected), abs=1e-6)
    of_each = library.multilabel_f1_score(*tensors, average=None, **options).numpy()
    occurs = targets.any(axis=0)
    assert found["macro_f1"] == pytest.approx(of_each[occurs].mean(), abs=1e-6)
    table = per_class_table(probabilities, targets.astype(np.float32), threshold)
    assert [one.f1 for one in table] == pytest.approx(of_each.tolist(), abs=1e-6)


@settings(deadline=None)
@given(sets(), st.sampled_from([0.25, 0.5]))
def test_sets_of_classes_equal_scikit_learns(case, threshold):
    probabilities, targets = case
    found, said = any_of(probabilities, targets, threshold), probabilities > threshold
    assert found["accuracy"] == pytest.approx(sklearn.accuracy_score(targets, said))
    for mean, labels in (("macro", np.flatnonzero(targets.any(axis=0))), ("micro", None)):
        expected = sklearn.precision_recall_fscore_support(
            targets, said.astype(int), labels=labels, average=mean, zero_division=0
        )
        assert [found[f"{mean}_{part}"] for part in PARTS] == pytest.approx(expected[:3])


# ----------------------------------------------------------------------------- calibration error


@settings(deadline=None)
@given(answers())
def test_calibration_error_equals_torchmetrics(case):
    probabilities, targets = case
    expected = library.multiclass_calibration_error(
        torch.from_numpy(probabilities),
        torch.from_numpy(targets),
        num_classes=probabilities.shape[1],
        n_bins=15,
        norm="l1",
    )
    found = one_of(probabilities, targets)["calibration_error"]
    assert found == pytest.approx(float(expected), abs=1e-5)


@settings(deadline=None)
@given(sets())
def test_calibration_error_of_sets_equals_torchmetrics_over_all_pairs(case):
    probabilities, targets = case
    expected = library.binary_calibration_error(
        torch.from_numpy(probabilities.ravel()),
        torch.from_numpy(targets.ravel()),
        n_bins=15,
        norm="l1",
    )
    found = any_of(probabilities, targets)["calibration_error"]
    assert found == pytest.approx(float(expected), abs=1e-5)


def test_a_sure_answer_is_in_the_last_bin_and_torchmetrics_gives_it_a_bin_of_its_own():
    """Guo et al. have bins (a, b], so .95 (right) and 1 (wrong) share the last one.

    Ours: |(1 - .95) + (0 - 1)| / 2 = .475. torchmetrics: (|1 - .95| + |0 - 1|) / 2 = .525.
    """
    probabilities = np.array([[0.95, 0.05], [1.0, 0.0]], dtype=np.float32)
    theirs = library.multiclass_calibration_error(
        torch.from_numpy(probabilities), torch.tensor([0, 1]), num_classes=2, n_bins=15, norm="l1"
    )
    assert float(theirs) == pytest.approx(0.525)
    assert one_of(probabilities, [0, 1])["calibration_error"] == pytest.approx(0.475)


# ------------------------------------------------------------------------------------- agreement


@settings(deadline=None)
@given(answers(), st.integers(0, 2**32 - 1))
def test_agreement_of_classes_is_scikit_learns_accuracy_of_one_by_the_other(case, seed):
    own, _ = case
    other = np.random.default_rng(seed).dirichlet(np.ones(own.shape[1]), len(own))
    expected = sklearn.accuracy_score(own.argmax(axis=1), other.argmax(axis=1))
    assert agreement(own, other.astype(np.float32), "one-of") == pytest.approx(expected)


@settings(deadline=None)
@given(sets(), st.integers(0, 2**32 - 1), st.sampled_from([0.25, 0.5]))
def test_agreement_of_sets_is_scikit_learns_share_of_equal_rows(case, seed, threshold):
    own, _ = case
    other = np.random.default_rng(seed).random(own.shape).astype(np.float32)
    expected = sklearn.accuracy_score(own > threshold, other > threshold)
    assert agreement(own, other, "any-of", threshold) == pytest.approx(expected)


numbers = arrays.arrays(np.float32, 12, elements=st.integers(0, 6).map(float))
"""Few different ones, so that ties abound."""


@settings(deadline=None)
@given(numbers, numbers)
def test_agreement_of_scores_is_torchmetrics_tau_b(own, other):
    """(1 + tau-b) / 2; where all scores of one are equal, tau-b is undefined, and ours 0.5."""
    found = agreement(own, other, "score")
    if np.ptp(own) == 0 or np.ptp(other) == 0:
        assert found == (1.0 if np.ptp(own) == np.ptp(other) else 0.5)
        return
    tau = kendall_rank_corrcoef(torch.from_numpy(own), torch.from_numpy(other), variant="b")
    assert found == pytest.approx((1 + float(tau)) / 2, abs=1e-6)
