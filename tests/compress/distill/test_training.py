"""Training: the best weights, early stopping, and a resume that changes nothing."""

import json
import re

import numpy as np
import pytest
import torch

from compress.data.windows import Windows
from compress.distill.losses import LabelLoss, SoftTargetLoss, WeightedLoss
from compress.distill.next_item_answers import PositionAnswers
from compress.distill.next_item_objective import NextItemObjective
from compress.distill.soft_labels import Layout, SoftLabels, write_soft_labels
from compress.distill.training import discard_checkpoints, train
from compress.distill.validation import ValidationSet
from compress.errors import UserError
from compress.progress import Display, Progress
from compress.recipe import Logging, Training, WandB
from compress.students.transformer import TransformerStudent

ITEMS, LENGTH = 12, 6
SETTINGS = Training(epochs=4, patience=4, batch_size=8, learning_rate=5e-3, warmup_steps=3)


@pytest.fixture(scope="module")
def windows():
    """Users who walk through the catalogue in steps of one: easy to learn."""
    rng = np.random.default_rng(0)
    starts = rng.integers(0, ITEMS, 40)
    events = ((starts[:, None] + np.arange(15)) % ITEMS + 2).astype(np.int32)
    ends = np.cumsum(np.full(40, 15))
    return Windows.cut(events.ravel(), ends - 15, ends, LENGTH)


@pytest.fixture(scope="module")
def validation():
    """The same walks; every third ends with another step, which nothing can foresee."""
    starts = np.arange(ITEMS)
    walks = ((starts[:, None] + np.arange(LENGTH + 1)) % ITEMS + 2).astype(np.int32)
    walks[::3, -1] = (walks[::3, -1] - 2 + 3) % ITEMS + 2
    offsets = np.arange(ITEMS + 1) * LENGTH
    return ValidationSet(walks[:, :-1], walks[:, -1], offsets, walks[:, :-1].ravel(), 5)


@pytest.fixture
def run(windows, validation, tmp_path):
    def run(name="a", settings=SETTINGS, progress=None, logs=None, losses=None, soft=None):
        torch.manual_seed(0)
        network = TransformerStudent(
            width=8, layers=1, heads=2, dropout=0.2, items=ITEMS, history_length=LENGTH
        )
        curve = train(
            network,
            objective=NextItemObjective(
                windows,
                validation,
                losses or [WeightedLoss(1.0, LabelLoss())],
                soft,
                mask_seen=True,
            ),
            settings=settings,
            logs=logs or Logging(tensorboard=False),
            seed=7,
            folder=tmp_path / name,
            log_folder=tmp_path / "logs" / name,
            progress=progress or Progress(),
            title="student",
        )
        return network, curve

    return run


class Notes(Display):
    """Keeps what was told."""

    def __init__(self) -> None:
        self.notes: list[str] = []

    def stage_advanced(self, note, done):
        self.notes.append(note)


def test_progress_tells_epoch_loss_validation_and_time_left(run, monkeypatch):
    monkeypatch.setattr("compress.distill.training_progress.REPORT_EVERY_S", 0.0)
    notes = Notes()
    run(progress=Progress(notes))
    assert notes.notes[0].startswith("student: epoch 1/4  loss ")
    last = r"student: epoch 4/4, at most \d+ s left  loss \d\.\d+  validation NDCG@10 \d\.\d+"
    assert re.fullmatch(last, notes.notes[-1])


class KilledAt(Display):
    """Raises at some step of some epoch, as a kill would; notes the epochs that it saw."""

    def __init__(self, epoch: int) -> None:
        self.epoch = epoch
        self.seen: set[int] = set()

    def stage_advanced(self, note, done):
        self.seen.add(int(re.search(r"epoch (\d+)/", note)[1]))
        if f"epoch {self.epoch}/" in note:
            raise RuntimeError("killed")


def same_weights(one, other):
    pairs = zip(one.state_dict().items(), other.state_dict().items(), strict=True)
    return all(a == b and torch.equal(x, y) for (a, x), (b, y) in pairs)


def figures(curve):
    return [{key: epoch[key] for key in epoch if key != "seconds"} for epoch in curve]


@pytest.mark.parametrize("averaging", [None, 0.9])
@pytest.mark.parametrize("epoch", [1, 3])
def test_a_killed_training_ends_with_the_same_weights(run, monkeypatch, averaging, epoch):
    monkeypatch.setattr("compress.distill.training_progress.REPORT_EVERY_S", 0.0)
    settings = SETTINGS.model_copy(update={"weight_averaging": averaging})
    network, curve = run("straight", settings)
    with pytest.raises(RuntimeError, match="killed"):
        run("killed", settings, Progress(KilledAt(epoch)))
    resumed, resumed_curve = run("killed", settings)
    assert same_weights(network, resumed)
    assert figures(curve) == figures(resumed_curve)
    assert [entry["epoch"] for entry in curve] == [1, 2, 3, 4]


def test_it_learns_and_keeps_the_best_epoch(run, validation):
    """What was validated is what comes back, also in a fresh network: buffers are not averaged."""
    network, curve = run(settings=SETTINGS.model_copy(update={"epochs": 12, "patience": 12}))
    assert curve[-1]["loss"] < curve[0]["loss"] * 0.8
    fresh = TransformerStudent(
        width=8, layers=1, heads=2, dropout=0.2, items=ITEMS, history_length=LENGTH
    ).eval()
    fresh.load_state_dict(network.state_dict())

    def score(histories):
        table, bias = fresh.head()
        with torch.inference_mode():
            return (fresh.last_state(torch.from_numpy(histories)) @ table.T + bias).numpy()

    best = max(entry["validation_ndcg@10"] for entry in curve)
    assert 0.3 < best < 0.999
    assert validation.mean_ndcg(score) == pytest.approx(best, abs=1e-6)
    assert not network.training
    for (name, kept), (_, made) in zip(network.named_buffers(), fresh.named_buffers(), strict=True):
        assert torch.equal(kept, made), name


def test_it_stops_when_validation_no_longer_improves(run, tmp_path):
    still = SETTINGS.model_copy(
        update={"epochs": 50, "patience": 2, "learning_rate": 1e-12, "weight_averaging": None}
    )
    _, curve = run("still", still)
    assert len(curve) == 3
    assert json.loads((tmp_path / "still" / "curve.json").read_text()) == curve


def test_no_finished_epoch_is_trained_again(run, monkeypatch):
    """Also where the best epoch is long past."""
    monkeypatch.setattr("compress.distill.training_progress.REPORT_EVERY_S", 0.0)
    still = SETTINGS.model_copy(
        update={"epochs": 9, "patience": 8, "learning_rate": 1e-12, "weight_averaging": None}
    )
    with pytest.raises(RuntimeError, match="killed"):
        run("again", still, Progress(KilledAt(6)))
    display = KilledAt(100)
    run("again", still, Progress(display))
    assert display.seen == {6, 7, 8, 9}


def test_a_training_that_was_over_when_it_was_killed_does_not_go_on(run, tmp_path):
    """The last checkpoint does not say that early stopping had ended the training."""
    still = SETTINGS.model_copy(update={"epochs": 50, "patience": 2, "learning_rate": 1e-12})
    network, curve = run("over", still)
    again, same_curve = run("over", still)
    assert len(curve) == 3
    assert same_curve == curve
    assert same_weights(network, again)
    discard_checkpoints(tmp_path / "over")
    assert not (tmp_path / "over" / "checkpoints").exists()


@pytest.mark.parametrize("lost", ["best", "last"])
def test_a_kill_while_checkpoints_are_discarded_costs_only_time(run, tmp_path, lost):
    network, _ = run("lost")
    (tmp_path / "lost" / "checkpoints" / f"{lost}.ckpt").unlink()
    again, _ = run("lost")
    assert same_weights(network, again)


def test_a_checkpoint_cut_short_counts_as_none(run, tmp_path):
    network, _ = run("cut")
    (tmp_path / "cut" / "checkpoints" / "last.ckpt").write_bytes(b"")
    again, _ = run("cut")
    assert same_weights(network, again)


def test_soft_labels_are_those_of_the_same_positions(run, windows, tmp_path):
    """A teacher that knows the next item by heart teaches it through the soft labels alone."""

    def teacher(history, positions):
        step = (history[positions].long() - 2 + 1) % ITEMS
        return torch.nn.functional.one_hot(step, ITEMS).float().mul(20).log_softmax(-1)

    plan = Layout(windows.positions, ITEMS, 50, None, 1.0)
    write_soft_labels(tmp_path / "soft", plan, PositionAnswers(windows, teacher))
    settings = SETTINGS.model_copy(update={"epochs": 12})
    losses = [WeightedLoss(1.0, SoftTargetLoss())]
    _, curve = run("soft", settings, losses=losses, soft=SoftLabels(tmp_path / "soft"))
    assert max(entry["validation_ndcg@10"] for entry in curve) > 0.75


@pytest.mark.parametrize("learning_rate", [1e30, 1e36])
def test_divergence_is_a_users_error(run, learning_rate):
    """Also where the loss of the last step was still finite: NaN scores must not rank first."""
    wild = SETTINGS.model_copy(
        update={
            "learning_rate": learning_rate,
            "gradient_clip": 1e30,
            "warmup_steps": 0,
            "weight_averaging": None,
        }
    )
    with pytest.raises(UserError, match=r"diverged in epoch \d+.*Lower training\.learning_rate"):
        run(settings=wild)


def test_tensorboard_and_wandb_logs_are_written_one_run_a_training(run, tmp_path, monkeypatch):
    pytest.importorskip("wandb", reason="the extra 'wandb' is not installed")
    monkeypatch.setenv("WANDB_SILENT", "true")
    logs = Logging(tensorboard=True, wandb=WandB(project="phones", mode="offline"))
    for name in ("one", "two"):
        run(name, SETTINGS.model_copy(update={"epochs": 1}), logs=logs)
        folder = tmp_path / "logs" / name
        assert list((folder / "tensorboard").glob("events.out.tfevents.*"))
        assert len(list(folder.glob("wandb/offline-run-*/*.wandb"))) == 1
        assert not list((tmp_path / name).rglob("*wandb*"))


def test_wandb_without_a_key_is_a_users_error(run, tmp_path, monkeypatch):
    wandb = pytest.importorskip("wandb", reason="the extra 'wandb' is not installed")
    wandb.teardown()  # it remembers the mode of the runs before
    monkeypatch.setenv("WANDB_SILENT", "true")
    monkeypatch.setenv("HOME", str(tmp_path))  # no key is stored there
    for name in ("WANDB_API_KEY", "WANDB_MODE"):
        monkeypatch.delenv(name, raising=False)
    with pytest.raises(UserError, match=r"logging\.wandb: .*mode: offline"):
        run(logs=Logging(wandb=WandB(project="phones", mode="online")))
