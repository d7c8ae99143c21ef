import tempfile
from pathlib import Path

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from compress.data import event_sort
from compress.data.event_sort import EventSort

EVENT = st.tuples(
    st.integers(0, 4), st.integers(2, 4), st.integers(-3, 3), st.sampled_from([0, 500_000])
)


def append(sort: EventSort, events: list[tuple[int, int, int, int]]) -> None:
    columns = np.array(events, np.int64).reshape(-1, 4).T
    sort.append(
        columns[0].astype(np.int32),
        columns[1].astype(np.int32),
        columns[2],
        columns[3].astype("i4"),
    )


@given(st.lists(EVENT, max_size=40), st.integers(1, 12), st.integers(1, 7), st.integers(1, 20))
def test_any_events_come_sorted_by_user_time_and_row(
    events: list[tuple[int, int, int, int]], bucket: int, chunk: int, batch: int
) -> None:
    found, duplicates = [], []
    with tempfile.TemporaryDirectory() as folder, pytest.MonkeyPatch.context() as patch:
        patch.setattr(event_sort, "BUCKET_EVENTS", bucket)
        patch.setattr(event_sort, "_CHUNK_EVENTS", chunk)
        with EventSort(Path(folder)) as sort:
            for first in range(0, len(events), batch):
                append(sort, events[first : first + batch])
            for part in sort.sorted():
                found += list(zip(part.user, part.time, part.item, strict=True))
                duplicates += part.duplicate.tolist()
            units = sort.units
        assert list(Path(folder).iterdir()) == []

    assert units == (1_000_000 if any(event[3] for event in events) else 1)
    exact = [
        (user, whole * units + (rest if units > 1 else 0), item)
        for user, item, whole, rest in events
    ]
    expected = sorted(exact, key=lambda event: event[:2])  # Python's sort is stable.
    assert found == expected
    assert duplicates == [event in expected[:row] for row, event in enumerate(expected)]


def test_leaving_on_an_error_removes_the_temporary_files(tmp_path: Path) -> None:
    with pytest.raises(RuntimeError), EventSort(tmp_path) as sort:
        append(sort, [(0, 2, 1, 0)])
        raise RuntimeError
    assert list(tmp_path.iterdir()) == []


def test_large_times_overflow_only_beside_fractions(tmp_path: Path) -> None:
    with EventSort(tmp_path) as sort:
        append(sort, [(0, 2, -(2**62), 0)])
        assert not sort.times_overflow
        append(sort, [(0, 2, 1, 500_000)])
        assert sort.times_overflow
