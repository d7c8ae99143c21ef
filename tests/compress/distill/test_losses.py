"""The losses, against values computed by hand."""

import math

import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st

from compress.distill.losses import LabelLoss, SoftTargetLoss, SoftTargets
from compress.tasks.next_item import hide_seen

LN2, LN3 = math.log(2), math.log(3)
LABELS = torch.tensor([0])
TEACHER = torch.tensor([[LN3, 0.0]])  # probabilities 3/4 and 1/4
STUDENT = torch.tensor([[0.0, 0.0]])  # 1/2 and 1/2


def test_label_loss_is_minus_log_probability_of_the_label():
    assert LabelLoss()(STUDENT, LABELS, None).item() == pytest.approx(LN2)


def test_forward_kl_by_hand():
    expected = 3 / 4 * math.log(3 / 2) + 1 / 4 * math.log(1 / 2)
    assert SoftTargetLoss()(STUDENT, LABELS, SoftTargets(TEACHER)).item() == pytest.approx(expected)


def test_reverse_kl_by_hand():
    expected = 1 / 2 * math.log(2 / 3) + 1 / 2 * math.log(2)
    loss = SoftTargetLoss(divergence="reverse-kl")
    assert loss(STUDENT, LABELS, SoftTargets(TEACHER)).item() == pytest.approx(expected)


def test_jensen_shannon_by_hand():
    p, q, m = (3 / 4, 1 / 4), (1 / 2, 1 / 2), (5 / 8, 3 / 8)
    kl = [sum(a * math.log(a / b) for a, b in zip(x, m, strict=True)) for x in (p, q)]
    loss = SoftTargetLoss(divergence="jensen-shannon")
    assert loss(STUDENT, LABELS, SoftTargets(TEACHER)).item() == pytest.approx(sum(kl) / 2)


def test_temperature_softens_both_and_scales_by_its_square():
    p = math.sqrt(3) / (math.sqrt(3) + 1)  # softmax of (ln 3) / 2
    expected = 4 * (p * math.log(2 * p) + (1 - p) * math.log(2 * (1 - p)))
    loss = SoftTargetLoss(temperature=2.0)
    assert loss(STUDENT, LABELS, SoftTargets(TEACHER)).item() == pytest.approx(expected)


@pytest.mark.parametrize("divergence", ["forward-kl", "reverse-kl", "jensen-shannon"])
def test_gradient_moves_the_student_towards_the_teacher(divergence):
    """A loss read as CE(teacher) - CE(student) would have the opposite sign."""
    student = STUDENT.clone().requires_grad_()
    SoftTargetLoss(divergence=divergence)(student, LABELS, SoftTargets(TEACHER)).backward()
    assert student.grad is not None
    assert student.grad[0, 0] < 0 < student.grad[0, 1]


def test_forward_kl_gradient_is_difference_of_probabilities():
    student = STUDENT.clone().requires_grad_()
    SoftTargetLoss()(student, LABELS, SoftTargets(TEACHER)).backward()
    assert torch.allclose(student.grad, torch.tensor([[-0.25, 0.25]]), atol=1e-6)


def test_losses_are_means_over_positions():
    soft = SoftTargets(TEACHER.repeat(5, 1))
    many = SoftTargetLoss()(STUDENT.repeat(5, 1), LABELS.repeat(5), soft)
    one = SoftTargetLoss()(STUDENT, LABELS, SoftTargets(TEACHER))
    assert many.item() == pytest.approx(one.item())


def test_soft_targets_are_needed():
    with pytest.raises(ValueError, match="soft labels"):
        SoftTargetLoss()(STUDENT, LABELS, None)


def top_k(logits: torch.Tensor, k: int, temperature: float) -> SoftTargets:
    top = logits.topk(k)
    lse = torch.logsumexp(logits / temperature, dim=-1)
    return SoftTargets(top.values, top.indices, lse, temperature)


def test_tail_bucket_makes_topk_kl_exact():
    """Top-2 of 4 classes: KL over (a, b, rest), the rest being one bucket of exact mass."""
    p = torch.tensor([[0.4, 0.3, 0.2, 0.1]], dtype=torch.float64)
    q = torch.tensor([[0.1, 0.2, 0.3, 0.4]], dtype=torch.float64)
    expected = 0.4 * math.log(4) + 0.3 * math.log(1.5) + 0.3 * math.log(0.3 / 0.7)
    # Any constant may be added to logits; the log-sum-exp takes it out again.
    loss = SoftTargetLoss()(q.log() + 5, LABELS, top_k(p.log() + 3, 2, 1.0))
    assert loss.item() == pytest.approx(expected)


@settings(max_examples=50, deadline=None)
@given(
    st.integers(0, 10_000),
    st.integers(1, 7),
    st.floats(0.5, 4),
    st.sampled_from(["forward-kl", "reverse-kl", "jensen-shannon"]),
)
def test_topk_divergence_is_at_most_the_full_one(seed, k, temperature, divergence):
    """Merging classes into one bucket never adds information (data processing inequality)."""
    generator = torch.Generator().manual_seed(seed)
    teacher, student = torch.randn(2, 3, 8, generator=generator, dtype=torch.float64) * 2
    labels = torch.zeros(3, dtype=torch.long)
    loss = SoftTargetLoss(temperature, divergence)
    merged = loss(student, labels, top_k(teacher, k, temperature))
    full = loss(student, labels, SoftTargets(teacher))
    assert -1e-9 <= merged.item() <= full.item() + 1e-9
    if k == 7:  # the tail is one class
        assert merged.item() == pytest.approx(full.item(), abs=1e-9)


def test_tail_of_another_temperature_is_refused():
    with pytest.raises(ValueError, match=r"temperature 1\.0, not at 2\.0"):
        SoftTargetLoss(2.0)(STUDENT, LABELS, top_k(TEACHER, 1, 1.0))


def test_classes_that_are_no_candidates_add_nothing():
    far = torch.tensor([[-1e4]])
    wide = SoftTargetLoss()(
        torch.cat([STUDENT, far], 1), LABELS, SoftTargets(torch.cat([TEACHER, far], 1))
    )
    narrow = SoftTargetLoss()(STUDENT, LABELS, SoftTargets(TEACHER))
    assert wide.item() == pytest.approx(narrow.item())


def test_a_repeated_item_does_not_blow_up_the_reverse_divergence():
    """Teacher and student leave the same items out; the label's own loss does not."""
    history, positions = torch.tensor([[2, 3]]), (torch.tensor([0]), torch.tensor([1]))
    teacher, student = torch.randn(2, 1, 5, generator=torch.Generator().manual_seed(0))
    soft = SoftTargets(hide_seen(teacher, history, positions))
    loss = SoftTargetLoss(divergence="reverse-kl")
    assert loss(hide_seen(student, history, positions), LABELS, soft).item() < 5
