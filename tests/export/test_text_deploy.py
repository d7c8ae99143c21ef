"""The module that is traced answers as the saved student does."""

import numpy as np
import pytest
import torch


@pytest.mark.parametrize("kind", ["bert", "mobilebert", "text-cnn", "mean-pooled"])
def test_probabilities_are_the_softmax_of_the_students_logits(
    kind, text_source_of, student_logits, pieces
):
    source = text_source_of(kind)
    names = ("input_ids", "attention_mask")
    given = {name: pieces[name] for name in names}
    with torch.inference_mode():
        (found,) = source.module(*(torch.from_numpy(given[name]) for name in names))
    expected = torch.from_numpy(student_logits(source.student, given)).softmax(dim=1)
    assert found.dtype == torch.float32
    np.testing.assert_allclose(found, expected, atol=1e-6)


def test_any_of_gives_each_class_a_probability_of_its_own(text_source_of, student_logits, pieces):
    source = text_source_of("bert", "any-of")
    given = {name: pieces[name] for name in ("input_ids", "attention_mask")}
    with torch.inference_mode():
        (found,) = source.module(*map(torch.from_numpy, given.values()))
    expected = torch.from_numpy(student_logits(source.student, given)).sigmoid()
    np.testing.assert_allclose(found, expected, atol=1e-6)


def test_a_pair_with_gains_gets_the_gain_of_its_probabilities(
    text_source_of, student_logits, pieces
):
    source = text_source_of("bert", is_pair=True, gains=(0.0, 0.5, 2.0))
    with torch.inference_mode():
        probabilities, score = source.module(*map(torch.from_numpy, pieces.values()))
    expected = torch.from_numpy(student_logits(source.student, pieces, is_pair=True)).softmax(1)
    np.testing.assert_allclose(probabilities, expected, atol=1e-6)
    np.testing.assert_allclose(score, expected @ torch.tensor([0.0, 0.5, 2.0]), atol=1e-6)


def test_a_score_is_one_number_a_text(text_source_of, student_logits, pieces):
    source = text_source_of("mean-pooled", "score")
    given = {name: pieces[name] for name in ("input_ids", "attention_mask")}
    with torch.inference_mode():
        (found,) = source.module(*map(torch.from_numpy, given.values()))
    assert found.shape == (6,)
    np.testing.assert_allclose(found, student_logits(source.student, given)[:, 0], atol=1e-6)
