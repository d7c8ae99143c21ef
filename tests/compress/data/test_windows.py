import numpy as np
from hypothesis import given
from hypothesis import strategies as st

from compress.data.windows import Windows, gather_histories, gather_ranges

EVENTS = np.arange(10, 22, dtype=np.int32)


def test_windows_are_cut_from_the_end() -> None:
    # One user with 6 training events of 8, one with 2 of 4.
    windows = Windows.cut(EVENTS, np.array([0, 8]), np.array([6, 10]), length=3)
    assert windows.start.tolist() == [0, 2, 8]
    assert windows.stop.tolist() == [2, 5, 9]
    assert windows.offsets.tolist() == [0, 2, 5, 6]
    assert (len(windows), windows.positions) == (3, 6)
    inputs, targets = windows.batch(np.array([2, 0, 1]))
    assert inputs.tolist() == [[0, 0, 18], [0, 10, 11], [12, 13, 14]]
    assert targets.tolist() == [[0, 0, 19], [0, 11, 12], [13, 14, 15]]
    assert inputs.dtype == targets.dtype == np.int32


def test_users_without_two_training_events_have_no_window() -> None:
    windows = Windows.cut(EVENTS, np.array([0, 1, 4]), np.array([0, 2, 6]), length=3)
    assert windows.start.tolist() == [4]
    nothing = Windows.cut(EVENTS, np.array([0]), np.array([1]), length=3)
    assert (len(nothing), nothing.positions) == (0, 0)
    assert nothing.batch(np.array([], np.int64))[0].shape == (0, 3)


@given(st.lists(st.tuples(st.integers(0, 12), st.integers(0, 3)), max_size=6), st.integers(1, 7))
def test_every_training_target_is_in_exactly_one_window(
    users: list[tuple[int, int]], length: int
) -> None:
    sizes = np.array([training + rest for training, rest in users], np.int64)
    first = np.cumsum(sizes) - sizes
    train_end = first + np.array([training for training, _ in users], np.int64)
    events = np.arange(2, 2 + sizes.sum(), dtype=np.int32)  # Every event another code.
    windows = Windows.cut(events, first, train_end, length)
    inputs, targets = windows.batch(np.arange(len(windows)))

    expected = [
        int(events[index])
        for begin, end in zip(first, train_end, strict=True)
        for index in range(begin + 1, end)
    ]
    assert targets[targets > 0].tolist() == expected  # Each once, by user, oldest first.
    assert (inputs[targets > 0] == targets[targets > 0] - 1).all()  # The event just before it.
    assert ((inputs > 0) == (targets > 0)).all()
    assert (np.diff((inputs > 0).astype(int), axis=1) >= 0).all()  # Padding only on the left.
    assert np.diff(windows.offsets).tolist() == (inputs > 0).sum(axis=1).tolist()
    assert windows.positions == len(expected)


def test_histories_keep_the_last_items() -> None:
    found = gather_histories(EVENTS, np.array([0, 4, 4]), np.array([1, 9, 4]), length=3)
    assert found.tolist() == [[0, 0, 10], [16, 17, 18], [0, 0, 0]]


def test_ranges_are_complete_and_ragged() -> None:
    offsets, codes = gather_ranges(EVENTS, np.array([0, 4, 4]), np.array([1, 4, 7]))
    assert offsets.tolist() == [0, 1, 1, 4]
    assert codes.tolist() == [10, 14, 15, 16]
