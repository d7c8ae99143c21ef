"""The store of the teacher's answers: complete, resumable, exact to fp16."""

import json

import numpy as np
import pytest
import torch

from compress.data.windows import Windows
from compress.distill.next_item_answers import PositionAnswers
from compress.distill.soft_labels import Layout, SoftLabels, layout, write_soft_labels
from compress.errors import RunError

ITEMS = 40


@pytest.fixture
def windows():
    lengths = np.array([5, 9, 3, 14, 7])
    ends = np.cumsum(lengths)
    events = np.random.default_rng(0).integers(2, ITEMS + 2, ends[-1]).astype(np.int32)
    return Windows.cut(events, ends - lengths, ends, 4)


class Teacher:
    """Logits that depend on the item at the position; counts what it was asked."""

    def __init__(self):
        self.table = torch.randn(ITEMS + 2, ITEMS, generator=torch.Generator().manual_seed(1))
        self.asked = 0
        self.killed_after = 10**9

    def __call__(self, history, positions):
        self.asked += len(positions[0])
        if self.asked > self.killed_after:
            raise KeyboardInterrupt
        return self.table[history[positions].long()]


def expected(teacher, windows):
    inputs, targets = windows.batch(np.arange(len(windows)))
    return teacher.table[torch.from_numpy(inputs[targets != 0]).long()]


def write(folder, windows, teacher, plan):
    answers = PositionAnswers(windows, teacher, batch_size=2)
    write_soft_labels(folder, plan, answers, batch=answers.batch_end)
    return SoftLabels(folder)


def test_every_position_of_every_window_has_its_row(tmp_path, windows):
    teacher = Teacher()
    plan = Layout(windows.positions, ITEMS, 7, None, 1.0)
    store = write(tmp_path, windows, teacher, plan)
    assert len(store) == windows.positions == (5 + 9 + 3 + 14 + 7) - 5
    soft = store.read(np.arange(windows.positions))
    assert torch.allclose(soft.logits, expected(teacher, windows), atol=2e-3)


def test_rows_come_back_in_the_order_asked_for(tmp_path, windows):
    store = write(tmp_path, windows, Teacher(), Layout(windows.positions, ITEMS, 7, None, 1.0))
    rows = np.array([20, 0, 13, 13, 6])
    all_rows = store.read(np.arange(windows.positions)).logits
    assert torch.equal(store.read(rows).logits, all_rows[rows])


def test_top_k_keeps_ids_logits_and_the_exact_tail(tmp_path, windows):
    teacher = Teacher()
    store = write(tmp_path, windows, teacher, layout(windows.positions, ITEMS, 5, 2.0))
    soft = store.read(np.arange(windows.positions))
    logits = expected(teacher, windows)
    assert torch.equal(soft.ids, logits.topk(5).indices)
    assert torch.allclose(soft.log_sum_exp, torch.logsumexp(logits / 2, dim=-1))
    tail = soft.log_probabilities(2.0)[:, -1].exp()
    top = torch.softmax(logits / 2, -1).gather(1, soft.ids)
    assert torch.allclose(tail, 1 - top.sum(dim=-1), atol=2e-3)


def test_an_interrupted_computation_goes_on_where_it_was(tmp_path, windows):
    plan = Layout(windows.positions, ITEMS, 7, None, 1.0)
    teacher = Teacher()
    teacher.killed_after = 18
    with pytest.raises(KeyboardInterrupt):
        write(tmp_path, windows, teacher, plan)
    there = json.loads((tmp_path / "soft-labels.json").read_text())["rows_there"]
    assert 0 < there < windows.positions
    with pytest.raises(RunError, match="computed anew"):
        SoftLabels(tmp_path)
    again = Teacher()
    store = write(tmp_path, windows, again, plan)
    assert again.asked < windows.positions - there + 20
    soft = store.read(np.arange(windows.positions))
    assert torch.allclose(soft.logits, expected(again, windows), atol=2e-3)


def test_what_another_plan_left_is_not_taken_up(tmp_path, windows):
    write(tmp_path, windows, Teacher(), Layout(windows.positions, ITEMS, 7, 5, 2.0))
    teacher = Teacher()
    write(tmp_path, windows, teacher, Layout(windows.positions, ITEMS, 7, 5, 1.0))
    assert teacher.asked >= windows.positions


def test_size_is_known_before(tmp_path, windows):
    for top_k in (None, 5):
        plan = Layout(windows.positions, ITEMS, 7, top_k, 1.0)
        write(tmp_path / str(top_k), windows, Teacher(), plan)
        files = list((tmp_path / str(top_k)).glob("*.npy"))
        assert plan.bytes == sum(file.stat().st_size for file in files) - 128 * len(files)


def test_full_logits_up_to_ten_thousand_classes_then_the_top():
    assert layout(100, 10_000, None, 1.0).top_k is None
    assert layout(100, 10_001, None, 1.0).top_k == 256
    assert layout(100, 50, 80, 1.0).top_k is None


def test_scores_are_kept_in_full_precision(tmp_path):
    """fp16 ends at 65,504, and rounds 1,001.3 to 1,001.5."""
    scores = torch.tensor([[1001.3], [1e6], [-0.1]])
    plan = layout(3, 1, None, 1.0)
    write_soft_labels(tmp_path, plan, lambda start, stop: scores[start:stop], batch=2)
    assert torch.equal(SoftLabels(tmp_path).read(np.arange(3)).logits, scores)
    assert plan.bytes == 12


def test_rows_are_asked_for_in_batches_that_end_with_the_shard(tmp_path):
    asked = []

    def answers(start, stop):
        asked.append((start, stop))
        return torch.arange(start, stop)[:, None].repeat(1, 2)

    shares = []
    write_soft_labels(tmp_path, Layout(10, 2, 5, None, 1.0), answers, shares.append, batch=3)
    assert asked == [(0, 3), (3, 5), (5, 8), (8, 10)]
    assert shares == [0.3, 0.5, 0.8, 1.0]
    rows = SoftLabels(tmp_path).read(np.arange(10)).logits[:, 0]
    assert rows.tolist() == list(range(10))


def test_a_kill_costs_no_more_than_some_thousand_answers():
    assert layout(1_000_000, 20, None, 1.0).rows_per_shard == 8192


def test_damaged_store_is_a_clear_error(tmp_path, windows):
    write(tmp_path, windows, Teacher(), Layout(windows.positions, ITEMS, 7, None, 1.0))
    index = json.loads((tmp_path / "soft-labels.json").read_text())
    (tmp_path / "soft-labels.json").write_text(
        json.dumps({**index, "rows": 999, "rows_per_shard": 250})
    )
    with pytest.raises(RunError, match="Remove the folder"):
        SoftLabels(tmp_path)
    (tmp_path / "soft-labels.json").write_text("{}")
    with pytest.raises(RunError, match="Remove the folder"):
        SoftLabels(tmp_path)


def test_rows_are_read_by_memory_map(tmp_path, windows):
    store = write(tmp_path, windows, Teacher(), Layout(windows.positions, ITEMS, 7, None, 1.0))
    assert all(isinstance(field, np.memmap) for field in store._fields.values())
