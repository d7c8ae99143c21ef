"""The student's own answers, asked a few at a time."""

from functools import partialmethod

import numpy as np
import pytest

from export.ranking_verification import TOLERANCES, Reference, compare
from export.student_answers import ask_student


def test_it_answers_as_in_one_batch(deploy, histories, reference):
    found = ask_student(deploy(), histories)
    assert found.best is None
    assert found.mask_seen
    np.testing.assert_array_equal(found.item_ids, reference.item_ids)
    np.testing.assert_allclose(found.scores, reference.scores, atol=1e-5)


@pytest.mark.parametrize("mask_seen", [True, False])
def test_of_a_large_catalogue_the_best_are_kept(deploy, histories, monkeypatch, mask_seen):
    whole = ask_student(deploy(mask_seen), histories)
    short = partialmethod(Reference.shortened, 100, 60)
    monkeypatch.setattr(Reference, "shortened", short)
    found = ask_student(deploy(mask_seen), histories)
    assert found.scores.shape == found.best.shape == (260, 60)
    assert found.codes == whole.codes
    scores = whole.scores_of(whole.item_ids)[0]
    check = compare(whole.item_ids, scores, found, TOLERANCES["fp32"])
    assert check.faults == ()
    assert check.agreement == 1.0
