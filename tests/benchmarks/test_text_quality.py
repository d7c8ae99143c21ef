"""How well models answer the test texts."""

import numpy as np
import pytest

from benchmarks.text_quality import TextEvaluation, evaluate_texts
from compress.recipe import TextLabel, TextPair
from compress.tasks.text_task import Truth
from export.samples import Samples

CLASSES = ("dress", "hat")
LABEL = TextLabel(kind="text-label")
SETS = TextLabel(kind="text-label", multi_label=True, threshold=0.7)
PAIR = TextPair(kind="text-pair")
NUMBER = TextPair(kind="text-pair", relevance="score")


class Table:
    """A runner that answers from a table: the first piece of a text is the row."""

    def __init__(self, **answers):
        self.answers = {name: np.array(rows, np.float32) for name, rows in answers.items()}
        self.shapes = []
        self.loaded = False

    def __enter__(self):
        self.loaded = True
        return self

    def __exit__(self, *_):
        self.loaded = False

    def __call__(self, inputs):
        assert self.loaded
        ids = inputs["input_ids"]
        self.shapes.append(ids.shape)
        return {name: array[ids[:, 0]] for name, array in self.answers.items()}


def samples(*lengths):
    """Text number n begins with piece n and has the n-th length."""
    ids = np.zeros((len(lengths), max(lengths)), np.int32)
    ids[:, 0] = np.arange(len(lengths))
    return Samples({"input_ids": ids}, np.array(lengths, np.int32))


def truth(targets, task=LABEL, **more):
    targets = np.array(targets)
    return Truth(task, targets, np.arange(len(targets)), **more)


def evaluation(answers, targets, task=LABEL, classes=CLASSES, **more):
    return TextEvaluation(np.array(answers, np.float32), truth(targets, task, **more), classes)


def test_files_are_asked_one_text_at_a_time_as_it_is():
    runner = Table(probabilities=[[0.9, 0.1], [0.2, 0.8], [0.6, 0.4]])
    found = evaluate_texts(
        runner, samples=samples(3, 5, 1), truth=truth([0, 1, 1]), classes=CLASSES, batch_size=1
    )
    assert runner.shapes == [(1, 3), (1, 5), (1, 1)]
    assert not runner.loaded
    assert found.answers.tolist() == runner.answers["probabilities"].tolist()
    assert found.statistics()["accuracy"].value == pytest.approx(2 / 3)


def test_in_batches_texts_of_like_length_stand_together_and_answers_in_their_own_order():
    runner = Table(probabilities=[[0.1 * at, 1 - 0.1 * at] for at in range(5)])
    found = evaluate_texts(
        runner,
        samples=samples(9, 1, 8, 2, 7),
        truth=truth([1, 1, 1, 0, 0]),
        classes=CLASSES,
        batch_size=2,
    )
    assert runner.shapes == [(2, 2), (2, 8), (1, 9)]
    assert found.answers[:, 0].tolist() == pytest.approx([0.0, 0.1, 0.2, 0.3, 0.4])


def test_progress_ends_at_all():
    told = []
    evaluate_texts(
        Table(score=[1.0, 2.0, 3.0]),
        samples=samples(1, 1, 1),
        truth=truth([1.0, 2.0, 3.0], NUMBER),
        classes=(),
        batch_size=2,
        progress=told.append,
    )
    assert told == pytest.approx([2 / 3, 1.0])


def test_scores_are_one_column_and_have_no_classes():
    found = evaluate_texts(
        Table(score=[3.0, 1.0]),
        samples=samples(1, 1),
        truth=truth([2.0, 1.0], NUMBER, queries=np.array([0, 0])),
        classes=(),
    )
    assert found.answers.tolist() == [[3.0], [1.0]]
    assert found.per_class() is None
    assert found.statistics()["spearman"].value == pytest.approx(1.0)


def test_every_class_has_its_figures_by_name():
    found = evaluation([[0.9, 0.1], [0.8, 0.2], [0.3, 0.7]], [0, 1, 1]).per_class()
    assert list(found) == ["dress", "hat"]
    assert (found["dress"].precision, found["dress"].recall) == (0.5, 1.0)
    assert (found["hat"].support, found["hat"].predicted) == (2, 1)


def test_sets_of_classes_take_the_tasks_threshold():
    answers, targets = [[0.9, 0.6], [0.6, 0.8]], np.array([[1, 0], [0, 1]], np.float32)
    found = evaluation(answers, targets, SETS)
    assert found.statistics()["accuracy"].value == 1.0
    assert found.per_class()["dress"].predicted == 1
    assert found.agreement(evaluation([[0.9, 0.4], [0.69, 0.8]], targets, SETS)) == 1.0
    assert found.agreement(evaluation([[0.9, 0.4], [0.71, 0.8]], targets, SETS)) == 0.5


def test_agreement_and_difference_are_with_another_model_not_with_the_truth():
    own = evaluation([[0.9, 0.1], [0.2, 0.8]], [1, 1])
    other = evaluation([[0.6, 0.4], [0.7, 0.3]], [0, 0])
    assert own.agreement(other) == 0.5
    assert own.max_abs_difference(other) == pytest.approx(0.5)
    scores = evaluation([[1.0], [2.0]], [1.0, 2.0], NUMBER, ())
    assert scores.agreement(evaluation([[5.0], [9.0]], [1.0, 2.0], NUMBER, ())) == 1.0


def test_quality_has_intervals_and_classes():
    quality = evaluation([[0.9, 0.1], [0.2, 0.8], [0.6, 0.4]] * 10, [0, 1, 1] * 10).quality(200, 1)
    macro = quality.metrics["macro_f1"]
    assert macro.low < macro.value < macro.high
    assert quality.cases == 30
    assert quality.classes["dress"].support == 10
    assert quality.unmasked is quality.coverage is quality.short_lists is None


@pytest.mark.parametrize(
    ("task", "more"),
    [
        (LABEL, {}),
        (SETS, {}),
        (PAIR, {"queries": np.array([0, 0, 1]), "class_gains": (0.0, 2.5)}),
        (NUMBER, {"queries": np.array([0, 0, 1])}),
    ],
)
def test_an_evaluation_read_back_has_the_same_metrics(tmp_path, task, more):
    targets = {"one-of": [0, 1, 1], "any-of": np.eye(3, 2), "score": [0.5, 2.0, 1.0]}[task.target]
    answers = [[0.9, 0.1], [0.2, 0.8], [0.6, 0.4]]
    if task is NUMBER:
        answers = [[0.4], [1.8], [1.1]]
    own = evaluation(answers, targets, task, () if task is NUMBER else CLASSES, **more)
    own.save(tmp_path / "row.npz")
    back = TextEvaluation.load(tmp_path / "row.npz")
    assert back.classes == own.classes
    assert back.truth.task == task
    assert {name: one.value for name, one in back.statistics().items()} == {
        name: one.value for name, one in own.statistics().items()
    }


def test_other_numbers_of_texts_than_of_truths_are_refused():
    for count, targets in ((2, [0]), (1, [0, 1])):
        with pytest.raises(ValueError, match="cannot be evaluated"):
            evaluate_texts(
                Table(probabilities=[[1, 0], [1, 0]]),
                samples=samples(*[1] * count),
                truth=truth(targets),
                classes=CLASSES,
            )
