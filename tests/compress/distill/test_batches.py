"""Training batches: every window once an epoch, each position with its soft-label row."""

import numpy as np

from compress.data.windows import Windows
from compress.distill.batches import window_batches


def windows():
    lengths = np.array([5, 9, 3, 14])
    ends = np.cumsum(lengths)
    return Windows.cut(np.arange(2, 33, dtype=np.int32), ends - lengths, ends, 4)


def epoch(loader, number):
    loader.sampler.set_epoch(number)
    return list(loader)


def test_every_position_comes_once_with_its_own_row():
    found = windows()
    rows, targets = [], []
    for _, batch_targets, batch_rows in epoch(window_batches(found, 3, seed=1), 0):
        targets += batch_targets[batch_targets != 0].tolist()
        rows += batch_rows.tolist()
    assert sorted(rows) == list(range(found.positions))
    _, in_order = found.batch(np.arange(len(found)))
    assert dict(zip(rows, targets, strict=True)) == dict(enumerate(in_order[in_order != 0]))


def test_order_depends_on_seed_and_epoch_alone():
    def order(seed, number):
        return [rows.tolist() for *_, rows in epoch(window_batches(windows(), 3, seed), number)]

    assert order(1, 5) == order(1, 5)
    assert order(1, 5) != order(1, 6)
    assert order(1, 5) != order(2, 5)


def test_number_of_batches_counts_the_short_last_one():
    found = windows()
    loader = window_batches(found, 3, seed=1)
    assert len(loader) == len(epoch(loader, 0)) == -(-len(found) // 3)
