"""The deploy graph's contract."""

import numpy as np
import pytest
import torch

from compress.networks.sequence_model import catalogue_logits
from compress.tasks.item_codes import IMPOSSIBLE
from compress.teachers.ensemble import Ensemble
from export.deploy import EnsembleScorer, NextItemDeploy, StudentScorer


def ask(module, histories):
    with torch.inference_mode():
        item_ids, scores = module(torch.as_tensor(histories, dtype=torch.int32))
    return item_ids.numpy(), scores.numpy()


def test_shapes_types_and_order(deploy, histories):
    item_ids, scores = ask(deploy(), histories)
    assert item_ids.shape == scores.shape == (len(histories), 25)
    assert item_ids.dtype == np.int32
    assert scores.dtype == np.float32
    assert (np.diff(scores, axis=1) <= 0).all()


def test_scores_are_the_students_by_code(deploy, student, histories):
    item_ids, scores = ask(deploy(), histories)
    with torch.inference_mode():
        history = torch.from_numpy(histories).long()
        logits = catalogue_logits(student, student.last_state(history)).numpy()
    own = np.take_along_axis(logits, item_ids - 2, axis=1)
    assert np.allclose(scores, own, atol=1e-5)


def test_seen_items_are_never_returned_unless_asked_for(deploy, histories):
    masked, _ = ask(deploy(mask_seen=True), histories)
    free, _ = ask(deploy(mask_seen=False), histories)
    shown = [set(ids) & set(seen[seen > 1]) for ids, seen in zip(masked, histories, strict=True)]
    assert not any(shown)
    assert any(set(ids) & set(seen) for ids, seen in zip(free, histories, strict=True))


def test_padding_and_unknown_are_never_returned(deploy, histories):
    for mask_seen in (True, False):
        item_ids, _ = ask(deploy(mask_seen=mask_seen), histories)
        assert item_ids.min() >= 2


def test_empty_history_has_an_answer(deploy):
    item_ids, scores = ask(deploy(), np.zeros((1, 12)))
    assert len(set(item_ids[0])) == 25
    assert np.isfinite(scores).all()


def test_where_items_run_out_the_rest_is_zero(deploy, histories):
    """300 items are asked for, 12 of them were seen."""
    item_ids, scores = ask(deploy(top_k=1000), histories[1:2])
    assert item_ids.shape == (1, 300)
    assert (item_ids[0, :288] >= 2).all()
    assert (item_ids[0, 288:] == 0).all()
    assert (scores[0, 288:] == IMPOSSIBLE).all()


def test_ensemble_scores_are_logs_of_mean_probabilities(student, histories):
    module = NextItemDeploy(
        EnsembleScorer(Ensemble([student, student])), items=300, top_k=300, mask_seen=False
    ).eval()
    _, scores = ask(module, histories[3:5])
    assert np.allclose(np.exp(scores).sum(axis=1), 1, atol=1e-5)


# ---------------------------------------------------------------------------- blocked items


@pytest.fixture
def blocking(student):
    """The student or, as an ensemble of one, the teacher, with items blocked."""

    def blocking(blocked, scorer="student", **options):
        made = (
            StudentScorer(student, blocked)
            if scorer == "student"
            else EnsembleScorer(Ensemble([student]), blocked)
        )
        options = {"items": 300, "top_k": 25, "mask_seen": True, **options}
        return NextItemDeploy(made, **options).eval()

    return blocking


@pytest.mark.parametrize("mask_seen", [True, False])
@pytest.mark.parametrize("scorer", ["student", "teacher"])
def test_blocked_items_are_left_out_and_the_rest_keeps_its_order(
    blocking, histories, scorer, mask_seen
):
    whole, _ = ask(blocking((), scorer, top_k=300, mask_seen=mask_seen), histories)
    favourites = np.bincount(whole[:, :25].ravel(), minlength=302).argsort()[-50:]
    item_ids, scores = ask(blocking(tuple(favourites), scorer, mask_seen=mask_seen), histories)
    assert np.isfinite(scores).all()
    for own, before in zip(item_ids, whole, strict=True):
        assert own.tolist() == before[~np.isin(before, favourites)][:25].tolist()


@pytest.mark.parametrize("scorer", ["student", "teacher"])
def test_a_blocked_item_of_the_history_is_blocked_whatever_the_mask(blocking, histories, scorer):
    for mask_seen in (True, False):
        blocked = tuple(range(2, 14))  # all that the second history holds
        item_ids, _ = ask(blocking(blocked, scorer, mask_seen=mask_seen), histories[1:2])
        assert item_ids.min() >= 14


def test_where_blocked_and_seen_items_leave_too_few_the_rest_is_zero(blocking, histories):
    """250 of 300 are left and asked for; 12 of them were seen."""
    item_ids, scores = ask(blocking(range(252, 302), top_k=250), histories[1:2])
    assert (item_ids[0, :238] >= 2).all()
    assert (item_ids[0, 238:] == 0).all()
    assert (scores[0, 238:] == IMPOSSIBLE).all()


def test_a_block_leaves_the_student_as_it_is(student, blocking, histories):
    before, _ = ask(blocking(()), histories)
    blocking(range(2, 100))
    assert np.array_equal(ask(blocking(()), histories)[0], before)
