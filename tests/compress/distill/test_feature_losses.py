"""Losses of features, against values computed by hand."""

import math

import pytest
import torch
from torch import nn
from transformers import BertConfig, BertForSequenceClassification

from compress.distill.feature_losses import (
    AttentionLoss,
    EmbeddingLoss,
    FeatureShape,
    HiddenStateLoss,
    layer_pairs,
)
from compress.errors import UserError
from compress.networks.hugging_face import HuggingFaceModel
from compress.networks.text_model import TextAnswer

NO_LOGITS = torch.zeros(1, 1)
TWO_WIDE = FeatureShape(embedding_width=2, widths=(2, 2), heads=(1, 1))


@pytest.mark.parametrize(
    ("student", "teacher", "expected"),
    [
        (3, 12, [3, 7, 11]),
        (2, 6, [2, 5]),
        (4, 6, [1, 2, 4, 5]),  # 1.5, 3, 4.5 and 6 of 6: halves are rounded up
        (1, 6, [5]),
        (6, 6, [0, 1, 2, 3, 4, 5]),
        (6, 2, [0, 0, 0, 0, 1, 1]),
    ],
)
def test_uniform_map_ends_with_the_last_layers(student, teacher, expected):
    assert layer_pairs("uniform", student, teacher) == tuple(enumerate(expected))


def test_last_layers_are_matched_as_far_as_both_have_them():
    assert layer_pairs("last", 3, 12) == ((0, 9), (1, 10), (2, 11))
    assert layer_pairs("last", 4, 2) == ((2, 0), (3, 1))


def test_given_pairs_are_taken_and_must_exist():
    assert layer_pairs(((0, 5), (1, 11)), 2, 12) == ((0, 5), (1, 11))
    with pytest.raises(UserError, match=r"\[1, 12\].*student has layers 0 to 1.*teacher 0 to 11"):
        layer_pairs(((1, 12),), 2, 12)
    with pytest.raises(UserError, match=r"\[2, 0\]"):
        layer_pairs(((2, 0),), 2, 12)


def states(*layers):
    return TextAnswer(NO_LOGITS, hidden_states=tuple(torch.tensor([one]) for one in layers))


MASK = torch.tensor([[1, 1, 0]])


def test_hidden_states_by_hand_padding_left_out():
    """Widths are equal, so the projection is the identity at first."""
    loss = HiddenStateLoss("uniform", student=TWO_WIDE, teacher=TWO_WIDE)
    zero = [[0.0, 0.0]] * 3
    teacher = states(
        zero, [[1.0, 1.0], [0.0, 2.0], [9.0, 9.0]], [[0.0, 0.0], [3.0, 0.0], [9.0, 9.0]]
    )
    first, second = (1 + 2) / 2, (0 + 4.5) / 2  # mean over two pieces of (0.5 a^2 + 0.5 b^2)
    found = loss(states(zero, zero, zero), teacher, MASK)
    assert found.item() == pytest.approx((first + second) / 2)


def test_the_projection_is_learnt_and_changes_the_width():
    narrow = FeatureShape(embedding_width=1, widths=(1,), heads=(1,))
    loss = HiddenStateLoss("last", student=narrow, teacher=TWO_WIDE)
    assert loss.projection.weight.shape == (2, 1)
    loss.projection.weight.data = torch.tensor([[1.0], [2.0]])
    student = states([[0.0]] * 3, [[1.0], [1.0], [5.0]])
    teacher = states([[0.0, 0.0]] * 3, [[0.0, 0.0]] * 3, [[1.0, 2.0], [1.0, 0.0], [0.0, 0.0]])
    found = loss(student, teacher, MASK)
    assert found.item() == pytest.approx((0 + (0 + 4) / 2) / 2)
    found.backward()
    assert loss.projection.weight.grad is not None
    assert loss.projection.weight.grad[1].item() > 0  # 2 is too much for the second piece


def test_embeddings_are_the_states_below_the_first_layer():
    loss = EmbeddingLoss(student=TWO_WIDE, teacher=TWO_WIDE)
    far, near = [[7.0, 7.0]] * 3, [[1.0, 0.0]] * 3
    found = loss(states(near, far, far), states([[0.0, 0.0]] * 3, far, near), MASK)
    assert found.item() == pytest.approx(0.5)


def attention(*layers):
    """Each layer a list of heads."""
    return TextAnswer(NO_LOGITS, attentions=tuple(torch.tensor([heads]) for heads in layers))


FIRST = [[1.0, 0.0, 0.0]] * 3
SECOND = [[0.0, 1.0, 0.0]] * 3
EVEN = [[0.5, 0.5, 0.0]] * 3


def test_attention_by_hand():
    one = FeatureShape(2, (2,), (2,))
    loss = AttentionLoss("uniform", student=one, teacher=one)
    found = loss(attention([FIRST, FIRST]), attention([FIRST, SECOND]), MASK)
    assert found.item() == pytest.approx((0 + 2) / 2)


def test_attention_of_padding_is_left_out():
    one = FeatureShape(2, (2,), (1,))
    loss = AttentionLoss("uniform", student=one, teacher=one)
    odd = [FIRST[0], FIRST[0], SECOND[0]]
    assert loss(attention([odd]), attention([FIRST]), MASK).item() == 0.0
    assert loss(attention([odd]), attention([FIRST]), torch.ones(1, 3)).item() == pytest.approx(
        2 / 3
    )


def test_other_numbers_of_heads_are_compared_by_their_mean():
    student, teacher = FeatureShape(2, (2,), (1,)), FeatureShape(2, (2,), (2,))
    loss = AttentionLoss("uniform", student=student, teacher=teacher)
    assert loss(attention([EVEN]), attention([FIRST, SECOND]), MASK).item() == pytest.approx(0.0)
    found = loss(attention([FIRST]), attention([FIRST, SECOND]), MASK)
    assert found.item() == pytest.approx(0.5)


def test_attention_difference_does_not_shrink_with_length():
    one = FeatureShape(2, (2,), (1,))
    loss = AttentionLoss("uniform", student=one, teacher=one)
    for length in (4, 64):
        mine, theirs = torch.zeros(2, 1, 1, length, length).unbind()
        mine[..., 0], theirs[..., 1] = 1, 1
        pair = (TextAnswer(NO_LOGITS, attentions=(one,)) for one in (mine, theirs))
        assert loss(*pair, torch.ones(1, length)).item() == pytest.approx(2.0)


def test_networks_are_asked_for_their_shape():
    config = BertConfig(
        vocab_size=5,
        hidden_size=12,
        num_hidden_layers=3,
        num_attention_heads=4,
        intermediate_size=8,
        attn_implementation="eager",
    )
    network = HuggingFaceModel(BertForSequenceClassification(config)).train()
    assert FeatureShape.of(network) == FeatureShape(12, (12, 12, 12), (4, 4, 4))
    assert network.training


def test_a_network_without_layers_is_a_users_error():
    class Flat(nn.Linear):
        def forward(self, input_ids, attention_mask, token_type_ids, *, features=False):
            return TextAnswer(NO_LOGITS)

    with pytest.raises(UserError, match=r"need layers.*student\.kind"):
        FeatureShape.of(Flat(1, 1))
    shape = FeatureShape(2, (2,), ())
    with pytest.raises(UserError, match="does not return"):
        AttentionLoss("uniform", student=shape, teacher=shape)


def test_no_text_but_padding_is_no_division_by_zero():
    loss = EmbeddingLoss(student=TWO_WIDE, teacher=TWO_WIDE)
    answer = states([[1.0, 1.0]] * 3)
    assert math.isfinite(loss(answer, answer, torch.zeros(1, 3)).item())
