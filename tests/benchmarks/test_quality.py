import numpy as np
import pytest

from benchmarks.quality import Evaluation, evaluate
from compress.errors import CheckFailed
from compress.metrics import NOT_FOUND
from export.blocked_items import BlockedItems
from export.runner import RunnerSpec, open_runner
from export.samples import Samples


class Table:
    """A runner that answers from a table: the first code of a history is the row."""

    def __init__(self, answers: list[list[int]]) -> None:
        self.answers = np.array(answers, dtype=np.int32)
        self.loaded = False
        self.batches: list[int] = []

    def __enter__(self):
        self.loaded = True
        return self

    def __exit__(self, *_):
        self.loaded = False

    def __call__(self, inputs):
        assert self.loaded
        history = inputs["history"]
        self.batches.append(len(history))
        rows = self.answers[history[:, 0]]
        return {"item_ids": rows, "scores": np.zeros(rows.shape, np.float32)}


def seen(*lists: list[int]) -> tuple[np.ndarray, np.ndarray]:
    offsets = np.cumsum([0, *(len(one) for one in lists)])
    return offsets, np.array([code for one in lists for code in one], dtype=np.int32)


def cases(count: int) -> Samples:
    return Samples({"history": np.arange(count, dtype=np.int32)[:, None]})


def test_items_seen_before_the_window_do_not_stand_in_the_targets_way():
    """The model masks what it is given; 7, seen long ago, is taken out here: rank 2 becomes 1."""
    answers = evaluate(
        Table([[7, 3, 9]]),
        None,
        samples=cases(1),
        targets=np.array([9], np.int32),
        seen=seen([7]),
        items=10,
    )
    assert answers.ranks.tolist() == [1]
    assert answers.top[0, :3].tolist() == [3, 9, 0]
    assert answers.unmasked_ranks is None


def test_unmasked_figures_come_from_the_twin_and_keep_seen_items():
    runner, twin = Table([[3, 9, 4]]), Table([[7, 8, 3]])
    answers = evaluate(
        runner,
        twin,
        samples=cases(1),
        targets=np.array([3], np.int32),
        seen=seen([7, 8]),
        items=10,
    )
    assert (answers.ranks.tolist(), answers.unmasked_ranks.tolist()) == ([0], [2])
    assert not runner.loaded
    assert not twin.loaded


@pytest.mark.parametrize("lost_by", ["the model", "its twin"])
def test_answers_with_a_blocked_item_are_refused_masked_or_not(lost_by):
    """4 is blocked; the other of the two models keeps to that."""
    answers = ([[3, 9, 4], [2, 3, 9]], [[3, 9, 5], [2, 3, 9]])
    first, second = answers if lost_by == "the model" else answers[::-1]
    asked = {
        "samples": cases(2),
        "targets": np.array([3, 3], np.int32),
        "seen": seen([], [4]),
        "items": 10,
    }
    with pytest.raises(CheckFailed, match=r"answers 1 of 2 test cases with 1 of the 2 .*: 4\)"):
        evaluate(Table(first), Table(second), **asked, blocked=BlockedItems((4, 7), "hash"))
    evaluate(Table(first), Table(second), **asked, blocked=BlockedItems((7,), "hash"))


def test_lists_left_with_fewer_than_20_items_are_counted():
    long, short = list(range(2, 32)), [*range(2, 22)] + [0] * 10
    answers = evaluate(
        Table([long, short, short]),
        None,
        samples=cases(3),
        targets=np.array([5, 5, 5], np.int32),
        seen=seen([2], [], [2]),
        items=40,
    )
    assert answers.quality(100, 1).short_lists == 1


def test_all_cases_are_asked_in_batches():
    runner = Table([[2]] * 600)
    answers = evaluate(
        runner,
        None,
        samples=cases(600),
        targets=np.full(600, 2, np.int32),
        seen=seen(*[[]] * 600),
        items=1,
    )
    assert sum(runner.batches) == len(answers.ranks) == 600
    assert len(runner.batches) > 1


def test_quality_has_every_metric_masked_and_unmasked():
    answers = evaluate(
        Table([[2, 3], [3, 2]]),
        Table([[9, 9], [9, 2]]),
        samples=cases(2),
        targets=np.array([2, 2], np.int32),
        seen=seen([], []),
        items=8,
    )
    quality = answers.quality(100, 1)
    names = {f"{name}@{k}" for name in ("hit", "recall", "ndcg", "mrr") for k in (10, 20)}
    assert set(quality.metrics) == set(quality.unmasked) == names
    assert quality.metrics["mrr@10"].value == pytest.approx(0.75)  # places 1 and 2
    assert quality.unmasked["hit@10"].value == pytest.approx(0.5)
    assert quality.coverage == {"coverage@10": 0.25, "coverage@20": 0.25}
    assert quality.cases == 2


def test_overlap_with_another_model():
    def answers(top: list[int]) -> Evaluation:
        return Evaluation(np.array([top], np.int32), np.array([NOT_FOUND]), None, 10)

    assert answers([2, 3, 4, 5]).agreement(answers([5, 4, 8, 9])) == 0.5


@pytest.mark.parametrize("unmasked", [None, np.array([0, NOT_FOUND])])
def test_evaluations_survive_their_file(unmasked, tmp_path):
    answers = Evaluation(
        np.arange(40, dtype=np.int32).reshape(2, 20), np.array([3, 4]), unmasked, 9
    )
    answers.save(tmp_path / "teacher.npz")
    back = Evaluation.load(tmp_path / "teacher.npz")
    assert np.array_equal(back.top, answers.top)
    assert np.array_equal(back.ranks, answers.ranks)
    assert (back.unmasked_ranks is None) == (unmasked is None)
    assert unmasked is None or np.array_equal(back.unmasked_ranks, unmasked)
    assert back.items == 9


def test_a_real_file_is_evaluated_through_its_runtime(tiny_model):
    histories = np.random.default_rng(2).integers(2, 32, (50, 6)).astype(np.int32)
    with open_runner(RunnerSpec("onnx", str(tiny_model))) as runner:
        best = runner({"history": histories})["item_ids"][:, 0]
    answers = evaluate(
        open_runner(RunnerSpec("onnx", str(tiny_model))),
        None,
        samples=Samples({"history": histories}),
        targets=best,
        seen=seen(*[[]] * 50),
        items=30,
    )
    assert answers.ranks.tolist() == [0] * 50


def test_arrays_of_different_cases_and_no_cases_are_refused():
    with pytest.raises(ValueError, match="not of the same cases"):
        evaluate(
            Table([[2]]),
            None,
            samples=cases(1),
            targets=np.array([2, 3], np.int32),
            seen=seen([]),
            items=5,
        )
    with pytest.raises(ValueError, match="no cases"):
        evaluate(
            Table([[2]]),
            None,
            samples=cases(0),
            targets=np.zeros(0, np.int32),
            seen=seen(),
            items=5,
        )
