"""Training on texts: labels, soft labels and features; a resume changes nothing."""

import re

import numpy as np
import pytest
import torch
from torch import nn
from transformers import BertConfig, BertForSequenceClassification

from compress.data.pieces import Pieces
from compress.distill.feature_losses import (
    AttentionLoss,
    EmbeddingLoss,
    FeatureShape,
    HiddenStateLoss,
)
from compress.distill.losses import LabelLoss, SoftTargetLoss, WeightedLoss
from compress.distill.soft_labels import SoftLabels, layout, write_soft_labels
from compress.distill.text_objective import TextObjective
from compress.distill.training import train
from compress.errors import UserError
from compress.networks.hugging_face import HuggingFaceModel
from compress.networks.text_model import TextAnswer
from compress.progress import Display, Progress
from compress.recipe import Logging, TextTraining

CLASSES, VOCABULARY = 3, 13
SETTINGS = TextTraining(
    epochs=4, patience=4, batch_size=16, learning_rate=0.02, warmup_steps=5, precision="fp32"
)
LABEL = WeightedLoss(1.0, LabelLoss())
SOFT = WeightedLoss(1.0, SoftTargetLoss())


class BagOfPieces(nn.Module):
    """The mean of the pieces' vectors; a true `TextModel`, and quick."""

    def __init__(self, outputs=CLASSES):
        super().__init__()
        self.outputs = outputs
        self.table = nn.Embedding(VOCABULARY, 8)
        self.dropout = nn.Dropout(0.2)
        self.head = nn.Linear(8, outputs)

    def forward(self, input_ids, attention_mask, token_type_ids, *, features=False):
        mask = attention_mask[..., None].float()
        mean = (self.table(input_ids) * mask).sum(1) / mask.sum(1)
        return TextAnswer(self.head(self.dropout(mean)))


def bert(layers=2, width=16, heads=2, outputs=CLASSES):
    config = BertConfig(
        vocab_size=VOCABULARY,
        hidden_size=width,
        num_hidden_layers=layers,
        num_attention_heads=heads,
        intermediate_size=16,
        max_position_embeddings=16,
        num_labels=outputs,
        attn_implementation="eager",
    )
    return HuggingFaceModel(BertForSequenceClassification(config))


def texts(count, seed):
    """Texts of 1 to 9 pieces; the class is which of pieces 1, 2, 3 there are the most of."""
    rng = np.random.default_rng(seed)
    lengths = rng.integers(1, 10, count)
    labels = rng.integers(0, CLASSES, count)
    rows = []
    for length, label in zip(lengths, labels, strict=True):
        row = rng.integers(4, VOCABULARY, length)
        row[: (length + 1) // 2] = label + 1
        rows.append(row)
    offsets = np.concatenate([[0], np.cumsum(lengths)])
    pieces = Pieces(
        np.concatenate(rows).astype(np.int32), offsets, lengths.astype(np.int32), padding_id=0
    )
    return pieces, labels


PIECES, LABELS = texts(200, seed=0)
VALIDATION, VALIDATION_LABELS = texts(60, seed=1)


def accuracy(logits):
    assert logits.shape == (60, CLASSES)
    return float((logits.argmax(axis=1) == VALIDATION_LABELS).mean())


def objective(**changes):
    given = {
        "metric": "accuracy",
        "target": "one-of",
        "pieces": PIECES,
        "rows": len(LABELS),
        "targets": LABELS,
        "losses": [LABEL],
        "validation": VALIDATION,
        "score": accuracy,
    }
    return TextObjective(**{**given, **changes})


def soft_labels(folder, rows=LABELS):
    """Of a teacher that knows every class."""
    logits = torch.nn.functional.one_hot(torch.from_numpy(rows), CLASSES) * 8.0
    plan = layout(len(rows), CLASSES, None, 1.0)
    write_soft_labels(folder, plan, lambda start, stop: logits[start:stop], batch=32)
    return SoftLabels(folder)


@pytest.fixture
def run(tmp_path):
    def run(name="a", make=BagOfPieces, settings=SETTINGS, progress=None, **changes):
        torch.manual_seed(0)
        network = make()
        curve = train(
            network,
            objective=objective(**changes),
            settings=settings,
            logs=Logging(tensorboard=False),
            seed=7,
            folder=tmp_path / name,
            log_folder=tmp_path / "logs" / name,
            progress=progress or Progress(),
            title="student",
        )
        return network, curve

    return run


def best(curve):
    return max(epoch["validation_accuracy"] for epoch in curve)


def test_it_learns_from_labels(run):
    network, curve = run()
    assert set(curve[0]) == {"epoch", "loss", "validation_accuracy", "seconds"}
    assert best(curve) > 0.8
    batch = VALIDATION.batch(np.arange(60))
    with torch.no_grad():
        answer = network(*(torch.from_numpy(array) for array in vars(batch).values()))
    assert accuracy(answer.logits.numpy()) == pytest.approx(best(curve))


def test_it_learns_from_the_teacher_what_no_label_says(run, tmp_path):
    """20 labelled texts, and 180 of which the teacher alone says something."""
    soft = soft_labels(tmp_path / "soft")
    few = {"targets": LABELS[:20], "rows": 20}
    _, alone = run("alone", **few)
    _, taught = run("taught", targets=LABELS[:20], rows=200, losses=[LABEL, SOFT], soft_labels=soft)
    assert best(taught) > 0.8 > best(alone)


def test_all_kinds_of_target_are_learnt(run):
    several = np.eye(CLASSES, dtype=np.float32)[LABELS]
    several[:, 0] = 1
    truth = np.eye(CLASSES, dtype=np.float32)[VALIDATION_LABELS]
    truth[:, 0] = 1
    _, curve = run(
        "any",
        target="any-of",
        targets=several,
        score=lambda logits: float(((logits > 0) == truth).mean()),
    )
    assert best(curve) > 0.8
    _, curve = run(
        "score",
        make=lambda: BagOfPieces(outputs=1),
        target="score",
        targets=LABELS.astype(np.float32),
        score=lambda logits: -float(np.square(logits[:, 0] - VALIDATION_LABELS).mean()),
    )
    assert best(curve) > -0.5 * VALIDATION_LABELS.var()


class KilledAt(Display):
    """Raises at some step of some epoch, as a kill would."""

    def __init__(self, epoch):
        self.epoch = epoch

    def stage_advanced(self, note, done):
        if f"epoch {self.epoch}/" in note:
            raise RuntimeError("killed")


def figures(curve):
    return [{key: epoch[key] for key in epoch if key != "seconds"} for epoch in curve]


def taught_by_features():
    """Everything at once: projections, a frozen teacher, soft labels."""
    torch.manual_seed(3)
    student, teacher = bert(layers=1, width=8), bert()
    shapes = {"student": FeatureShape.of(student), "teacher": FeatureShape.of(teacher)}
    features = (
        HiddenStateLoss("uniform", **shapes),
        AttentionLoss("last", **shapes),
        EmbeddingLoss(**shapes),
    )
    losses = [WeightedLoss(0.5, loss) for loss in features]
    return {"losses": [LABEL, *losses], "teacher": teacher}


@pytest.mark.parametrize("epoch", [1, 3])
@pytest.mark.parametrize("what", ["schedule", "features", "unfreezing", "averaging in bf16"])
def test_a_killed_training_ends_with_the_same_weights(run, monkeypatch, what, epoch):
    monkeypatch.setattr("compress.distill.training_progress.REPORT_EVERY_S", 0.0)
    settings = SETTINGS.model_copy(update={"epochs": 3})
    make = BagOfPieces
    given = dict
    if what == "features":
        make, given = lambda: bert(layers=1, width=8), taught_by_features
    elif what == "unfreezing":
        make = bert

        def given():
            return {"frozen_embeddings": True, "frozen_layers": 2, "unfreeze_every": 1}

    elif what == "averaging in bf16":
        settings = settings.model_copy(update={"precision": "bf16", "weight_averaging": 0.9})
    network, curve = run("straight", make, settings, **given())
    with pytest.raises(RuntimeError, match="killed"):
        run("killed", make, settings, Progress(KilledAt(epoch)), **given())
    resumed, resumed_curve = run("killed", make, settings, **given())
    assert figures(curve) == figures(resumed_curve)
    for name, weight in network.state_dict().items():
        assert torch.equal(weight, resumed.state_dict()[name]), name


def test_frozen_parts_stay_and_are_unfrozen_from_the_top(run):
    def changed(epochs, **frozen):
        torch.manual_seed(0)
        start = bert().state_dict()
        settings = SETTINGS.model_copy(update={"epochs": epochs, "weight_decay": 0.1})
        network, curve = run(f"{epochs} {frozen}", bert, settings, **frozen)
        return {
            part: any(
                not torch.equal(weight, start[name])
                for name, weight in network.state_dict().items()
                if part in name
            )
            for part in ("embeddings", "layer.0", "layer.1", "classifier")
        }, curve

    frozen = {"frozen_embeddings": True, "frozen_layers": 2}
    assert changed(1, **frozen)[0] == {
        "embeddings": False,
        "layer.0": False,
        "layer.1": False,
        "classifier": True,
    }
    # The best epoch is what is kept, so that the last one may have changed no weight of it.
    found, curve = changed(2, **frozen, unfreeze_every=1)
    last_is_best = curve[1]["validation_accuracy"] > curve[0]["validation_accuracy"]
    assert found["layer.1"] == last_is_best
    assert not found["layer.0"]
    network = bert()
    gradual = objective(**frozen, unfreeze_every=2)
    for epoch, expected in enumerate([[0, 0, 0], [0, 0, 0], [0, 0, 1], [0, 0, 1], [0, 1, 1]]):
        gradual.epoch_begins(network, epoch)
        parts = [network.embeddings(), *network.layers()]
        trained = [all(one.requires_grad for one in part.parameters()) for part in parts]
        assert trained == [bool(one) for one in expected], epoch


def test_features_bring_the_student_closer_to_the_teacher(run):
    """By matching alone, and through pieces that the student numbers in its own way."""
    torch.manual_seed(3)
    teacher, order = bert(layers=1), np.random.default_rng(0).permutation(VOCABULARY)
    theirs = Pieces(order[PIECES.pieces].astype(np.int32), PIECES.offsets, PIECES.seconds, 0)
    shape = FeatureShape.of(teacher)
    losses = [WeightedLoss(1.0, EmbeddingLoss(student=shape, teacher=shape))]
    back = np.argsort(order)
    _, curve = run(
        make=lambda: bert(layers=1), losses=losses, pieces=theirs, teacher=teacher, teacher_ids=back
    )
    assert curve[-1]["loss"] < 0.5 * curve[0]["loss"]
    assert all(parameter.grad is None for parameter in teacher.parameters())


def test_a_piece_that_the_teacher_does_not_know_is_refused():
    shape = FeatureShape.of(bert())
    losses = [WeightedLoss(1.0, EmbeddingLoss(student=shape, teacher=shape))]
    with pytest.raises(ValueError, match="does not know"):
        objective(losses=losses, teacher=bert(), teacher_ids=np.array([0, -1, 2]))
    with pytest.raises(ValueError, match="need the teacher"):
        objective(losses=losses)


def test_rows_that_do_not_fit_are_refused(tmp_path):
    with pytest.raises(ValueError, match="soft labels"):
        objective(losses=[SOFT])
    with pytest.raises(ValueError, match="200 texts, but 199 rows"):
        objective(losses=[SOFT], soft_labels=soft_labels(tmp_path, LABELS[:199]))
    with pytest.raises(ValueError, match="180 texts have no label"):
        objective(targets=LABELS[:20], rows=200)


def test_validation_logits_come_in_the_order_of_the_texts():
    """They are asked for in the order of their lengths."""
    found = []
    one = objective(score=lambda logits: found.append(logits) or 0.5)
    network = BagOfPieces().eval()
    with torch.no_grad():
        answers = [one.answers(network, batch) for batch in one.validation_batches()]
        batch = VALIDATION.batch(np.arange(60))
        expected = network(*(torch.from_numpy(array) for array in vars(batch).values())).logits
    assert one.score(answers) == 0.5
    assert np.allclose(found[0], expected.numpy(), atol=1e-6)
    assert [len(answer) for answer in answers] == [60]


def test_divergence_is_a_users_error(run):
    wild = SETTINGS.model_copy(
        update={"learning_rate": 1.0, "warmup_steps": 0, "gradient_clip": 1e30}
    )

    def make():
        network = BagOfPieces()
        network.head.weight.data.fill_(1e38)
        return network

    with pytest.raises(UserError, match=r"diverged in epoch 1.*Lower training\.learning_rate"):
        run(make=make, settings=wild)


class Said(Display):
    """Keeps what was said."""

    def __init__(self):
        self.messages = []

    def said(self, message):
        self.messages.append(message)


def test_the_choice_of_precision_is_told(run):
    said = Said()
    settings = SETTINGS.model_copy(update={"epochs": 1, "precision": "auto"})
    run(settings=settings, progress=Progress(said))
    assert len(said.messages) == 1
    assert re.fullmatch(r"student: training in (fp32|bf16), as the .*", said.messages[0])


def test_a_warmup_that_is_shortened_is_told(run):
    said = Said()
    settings = SETTINGS.model_copy(update={"epochs": 1, "warmup_steps": 14})
    run(settings=settings, progress=Progress(said))
    assert said.messages == [
        "student: the training has 13 steps at most, so its warm-up takes 6 of them, not 14 "
        "(training.warmup_steps)."
    ]
