"""Training for next-item: what it came to before other tasks were trained by the same code."""

import numpy as np
import pytest
import torch

from compress.data.windows import Windows
from compress.distill.losses import LabelLoss, SoftTargetLoss, WeightedLoss
from compress.distill.next_item_answers import PositionAnswers
from compress.distill.next_item_objective import NextItemObjective
from compress.distill.soft_labels import Layout, SoftLabels, write_soft_labels
from compress.distill.training import train
from compress.distill.validation import ValidationSet
from compress.progress import Progress
from compress.recipe import Logging, Training
from compress.students.transformer import TransformerStudent
from compress.tasks.next_item import hide_seen

ITEMS, LENGTH = 12, 6


def walks(starts, length):
    """Users who walk through the catalogue in steps of one."""
    return ((starts[:, None] + np.arange(length)) % ITEMS + 2).astype(np.int32)


@pytest.fixture(scope="module")
def windows():
    events = walks(np.random.default_rng(0).integers(0, ITEMS, 40), 15)
    ends = np.cumsum(np.full(40, 15))
    return Windows.cut(events.ravel(), ends - 15, ends, LENGTH)


@pytest.fixture(scope="module")
def validation():
    """Every third walk ends with another step, which nothing can foresee."""
    cases = walks(np.arange(ITEMS), LENGTH + 1)
    cases[::3, -1] = (cases[::3, -1] - 2 + 3) % ITEMS + 2
    offsets = np.arange(ITEMS + 1) * LENGTH
    return ValidationSet(cases[:, :-1], cases[:, -1], offsets, cases[:, :-1].ravel(), 5)


def trained(objective, folder, averaging):
    torch.manual_seed(0)
    network = TransformerStudent(
        width=8, layers=1, heads=2, dropout=0.2, items=ITEMS, history_length=LENGTH
    )
    settings = Training(
        epochs=4,
        patience=4,
        batch_size=8,
        learning_rate=5e-3,
        weight_decay=0.01,
        warmup_steps=3,
        weight_averaging=averaging,
    )
    curve = train(
        network,
        objective=objective,
        settings=settings,
        logs=Logging(tensorboard=False),
        seed=7,
        folder=folder / "student",
        log_folder=folder / "logs",
        progress=Progress(),
        title="student",
    )
    norm = float(network.table.detach().norm())
    return [epoch["loss"] for epoch in curve], [e["validation_ndcg@10"] for e in curve], norm


def test_training_on_items_comes_to_the_same_as_ever(windows, validation, tmp_path):
    losses = [WeightedLoss(1.0, LabelLoss())]
    objective = NextItemObjective(windows, validation, losses, mask_seen=True)
    loss, ndcg, norm = trained(objective, tmp_path, None)
    assert loss == pytest.approx([1.9899088, 1.6057612, 1.2456300, 0.9527848], rel=1e-4)
    assert ndcg == pytest.approx([0.8102255, 0.8102255, 0.8102255, 0.8065736], abs=1e-5)
    assert norm == pytest.approx(0.5588025, rel=1e-3)


def test_training_on_soft_labels_comes_to_the_same_as_ever(windows, validation, tmp_path):
    table = torch.randn(ITEMS + 2, ITEMS, generator=torch.Generator().manual_seed(1))

    def teacher(history, positions):
        return hide_seen(table[history[positions].long()] * 2, history, positions)

    plan = Layout(windows.positions, ITEMS, 50, None, 1.0)
    write_soft_labels(tmp_path / "soft", plan, PositionAnswers(windows, teacher))
    losses = [WeightedLoss(0.7, SoftTargetLoss(2.0)), WeightedLoss(0.3, LabelLoss())]
    soft = SoftLabels(tmp_path / "soft")
    objective = NextItemObjective(windows, validation, losses, soft, mask_seen=True)
    loss, ndcg, norm = trained(objective, tmp_path, 0.9)
    assert loss == pytest.approx([1.9191447, 1.7225167, 1.5655498, 1.4672940], rel=1e-4)
    assert ndcg == pytest.approx([0.7342169, 0.7602677, 0.7504099, 0.7638745], abs=1e-5)
    assert norm == pytest.approx(1.3526842, rel=1e-3)


def test_a_score_that_is_no_number_is_told_from_a_bad_one(validation, windows):
    network = TransformerStudent(
        width=8, layers=1, heads=2, dropout=0.0, items=ITEMS, history_length=LENGTH
    )
    losses = [WeightedLoss(1.0, LabelLoss())]
    objective = NextItemObjective(windows, validation, losses, mask_seen=True)
    batch = next(iter(objective.validation_batches()))
    with torch.no_grad():
        assert np.isfinite(objective.answers(network, batch)).all()
        network.table.fill_(torch.nan)
        assert np.isnan(objective.answers(network, batch)).all()
