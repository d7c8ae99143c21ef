"""The losses of text tasks, against values computed by hand."""

import math

import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st

from compress.distill.losses import LabelLoss, SoftTargetLoss, SoftTargets, WeightedLoss
from compress.distill.text_losses import TextLosses, label_loss, soft_target_loss
from compress.errors import UserError

LN2, LN3 = math.log(2), math.log(3)
LABEL = WeightedLoss(1.0, LabelLoss())
EVEN = torch.zeros(2, 2)  # two texts, two classes: 1/2 and 1/2
DIVERGENCES = ["forward-kl", "reverse-kl", "jensen-shannon"]


def test_class_weights_weigh_examples_of_the_class():
    logits = torch.tensor([[LN3, 0.0], [LN3, 0.0]])  # 3/4 and 1/4, both
    labels = torch.tensor([0, 1])
    plain = label_loss("one-of", logits, labels)
    assert plain.item() == pytest.approx((math.log(4 / 3) + math.log(4)) / 2)
    weighted = label_loss("one-of", logits, labels, torch.tensor([1.0, 3.0]))
    assert weighted.item() == pytest.approx((math.log(4 / 3) + 3 * math.log(4)) / 4)


def test_several_classes_are_judged_each_on_its_own():
    logits = torch.tensor([[LN3, 0.0, -LN3]])  # sigmoids 3/4, 1/2, 1/4
    has = torch.tensor([[1.0, 1.0, 0.0]])
    by_class = [math.log(4 / 3), LN2, math.log(4 / 3)]
    assert label_loss("any-of", logits, has).item() == pytest.approx(sum(by_class) / 3)
    weighted = label_loss("any-of", logits, has, torch.tensor([1.0, 2.0, 3.0]))
    expected = (by_class[0] + 2 * by_class[1] + 3 * by_class[2]) / 3
    assert weighted.item() == pytest.approx(expected)


def test_a_score_is_off_by_the_square_of_the_difference():
    logits = torch.tensor([[1.0], [2.0]])
    assert label_loss("score", logits, torch.tensor([3.0, 2.0])).item() == pytest.approx(2.0)
    soft = SoftTargets(torch.tensor([[0.0], [5.0]]))
    assert soft_target_loss("score", SoftTargetLoss(), logits, soft).item() == pytest.approx(5.0)


def test_bernoulli_divergence_by_hand():
    """Teacher 3/4 and 1/2, student 1/2 and 1/2: one class differs, and the mean is over both."""
    soft = SoftTargets(torch.tensor([[LN3, 0.0]]))
    kl = 3 / 4 * math.log(3 / 2) + 1 / 4 * math.log(1 / 2)
    value = soft_target_loss("any-of", SoftTargetLoss(), EVEN[:1], soft)
    assert value.item() == pytest.approx(kl / 2)


def test_bernoulli_divergence_is_softened_and_scaled_back():
    soft = SoftTargets(torch.tensor([[2 * LN3, 2 * LN3]]))  # at T = 2: 3/4
    kl = 3 / 4 * math.log(3 / 2) + 1 / 4 * math.log(1 / 2)
    value = soft_target_loss("any-of", SoftTargetLoss(2.0), EVEN[:1], soft)
    assert value.item() == pytest.approx(4 * kl)


@settings(max_examples=40, deadline=None)
@given(st.integers(0, 9999), st.floats(0.5, 4.0), st.sampled_from(DIVERGENCES))
def test_bernoulli_divergence_is_that_of_two_classes(seed, temperature, divergence):
    """A sigmoid of z is the softmax of z and 0."""
    generator = torch.Generator().manual_seed(seed)
    teacher, student = torch.randn(2, 5, 1, generator=generator, dtype=torch.float64) * 3
    loss = SoftTargetLoss(temperature, divergence)
    found = soft_target_loss("any-of", loss, student, SoftTargets(teacher))
    nothing = torch.zeros_like(teacher)
    pairs = SoftTargets(torch.cat([teacher, nothing], 1))
    expected = soft_target_loss("one-of", loss, torch.cat([student, nothing], 1), pairs)
    assert found.item() == pytest.approx(expected.item(), abs=1e-12)
    assert found.item() >= -1e-12


@pytest.mark.parametrize("divergence", DIVERGENCES)
@pytest.mark.parametrize("target", ["one-of", "any-of"])
def test_gradients_move_the_student_towards_the_teacher(target, divergence):
    """One founding article writes CE(teacher) - CE(student), whose gradient has another sign."""
    student = torch.zeros(1, 2, requires_grad=True)
    loss = TextLosses(target, [WeightedLoss(1.0, SoftTargetLoss(1.0, divergence))])
    soft = SoftTargets(torch.tensor([[LN3, -LN3]]))
    nothing = torch.zeros(0, dtype=torch.long)
    loss(student, nothing, nothing, soft).backward()
    assert student.grad is not None
    assert student.grad[0, 0] < 0 < student.grad[0, 1]


def test_gradient_moves_a_score_towards_the_teachers():
    student = torch.zeros(1, 1, requires_grad=True)
    soft_target_loss("score", SoftTargetLoss(), student, SoftTargets(torch.ones(1, 1))).backward()
    assert student.grad is not None
    assert student.grad.item() == pytest.approx(-2.0)


def test_labels_count_where_there_are_any_and_soft_labels_everywhere():
    soft = SoftTargets(torch.tensor([[LN3, 0.0], [0.0, LN3]]))
    losses = TextLosses(
        "one-of", [WeightedLoss(0.7, SoftTargetLoss()), WeightedLoss(0.3, LABEL.loss)]
    )
    kl = 3 / 4 * math.log(3 / 2) + 1 / 4 * math.log(1 / 2)
    logits = torch.tensor([[0.0, 0.0], [LN3, 0.0]])
    other_kl = 1 / 4 * math.log(1 / 3) + 3 / 4 * math.log(3)
    found = losses(logits, torch.tensor([0]), torch.tensor([1]), soft)
    assert found.item() == pytest.approx(0.7 * (kl + other_kl) / 2 + 0.3 * math.log(4 / 3))


def test_a_batch_without_labels_has_no_label_loss():
    logits = torch.randn(2, 2, requires_grad=True)
    nothing = torch.zeros(0, dtype=torch.long)
    value = TextLosses("one-of", [LABEL])(logits, nothing, nothing, None)
    value.backward()
    assert value.item() == 0.0
    assert logits.grad is not None
    assert not logits.grad.any()


def test_what_makes_no_sense_for_scores_is_refused():
    for loss in (SoftTargetLoss(2.0), SoftTargetLoss(divergence="reverse-kl")):
        with pytest.raises(UserError, match=r"task\.relevance: score has none"):
            TextLosses("score", [WeightedLoss(1.0, loss)])
    with pytest.raises(ValueError, match="no classes to weigh"):
        TextLosses("score", [LABEL], torch.ones(1))


def test_top_k_soft_labels_do_not_serve_several_classes():
    soft = SoftTargets(torch.zeros(2, 1), torch.zeros(2, 1, dtype=torch.long), torch.zeros(2))
    with pytest.raises(ValueError, match="any-of"):
        soft_target_loss("any-of", SoftTargetLoss(), EVEN, soft)
