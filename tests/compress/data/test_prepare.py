import csv
import hashlib
import itertools
import json
import math
import tempfile
from collections import defaultdict
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pyarrow.parquet as pq
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from compress.data import event_sort, table_file
from compress.data.dataset import Dataset
from compress.data.prepare import fingerprint, prepare
from compress.errors import DataError
from compress.recipe import Data

Row = tuple[str, str, int, int]  # user, item, time, value
PREPARED = {"dataset.json", "events.npy", "items.parquet", "times.npy", "users.parquet"}


def data_of(split: str = "leave-one-out", minimum_users: int = 1, **source: Any) -> Data:
    source = {"kind": "table", "interactions": "i.csv"} | source
    shares = {"validation": 0.2, "test": 0.3} if split == "global-time" else {}
    return Data.model_validate(
        {"source": source, "split": {"kind": split, **shares}, "minimum_users": minimum_users}
    )


def write_csv(folder: Path, rows: list[Row]) -> None:
    with (folder / "i.csv").open("w", newline="") as file:
        csv.writer(file).writerows([("user", "item", "time", "value"), *rows])


def run(folder: Path, data: Data) -> Dataset:
    prepare(data, folder, folder / "prepared", progress=lambda line: None)
    return Dataset.open(folder / "prepared")


def reference(rows: list[Row], drop: bool, minimum: int, split: str) -> dict[str, Any]:
    """The same in plain Python: histories, cuts and targets by user."""
    rows = [row for row in rows if row[3] >= minimum]
    items = {item: code for code, item in enumerate(dict.fromkeys(row[1] for row in rows), 2)}
    rows = list(dict.fromkeys(row[:3] for row in rows)) if drop else [row[:3] for row in rows]
    histories: dict[str, list[tuple[int, str]]] = defaultdict(list)
    for user, item, time in rows:
        histories[user].append((time, item))
    kept = {
        user: sorted(history, key=lambda event: event[0])
        for user, history in histories.items()
        if len(history) >= 3
    }
    times = sorted(time for history in kept.values() for time, _ in history)
    training, validation, test = {}, {}, {}
    for user, history in kept.items():
        if split == "leave-one-out":
            training[user], validation[user], test[user] = history[:-2], history[:-2], history[:-1]
            continue
        cut_validation = times[math.floor(round(len(times) * 0.5, 6))]
        cut_test = times[math.floor(round(len(times) * 0.7, 6))]
        training[user] = [event for event in history if event[0] < cut_validation]
        if training[user] and any(cut_validation <= time < cut_test for time, _ in history):
            validation[user] = training[user]
        before_test = [event for event in history if event[0] < cut_test]
        if before_test and len(before_test) < len(history):
            test[user] = before_test
    return {
        "items": items,
        "histories": kept,
        "training": training,
        "validation": validation,
        "test": test,
        "usable": bool(validation and test and any(len(part) > 1 for part in training.values())),
    }


ROW = st.tuples(
    st.sampled_from(["u3", "u1", "ü"]),
    st.sampled_from("bacd"),
    st.integers(0, 12),
    st.sampled_from([1, 2, 2, 3]),
)
# Mostly tables that are large enough to be split, or most examples would only be refused.
ROWS = st.one_of(
    st.lists(ROW, min_size=1, max_size=12),
    st.lists(ROW, min_size=25, max_size=60),
    st.lists(ROW, min_size=40, max_size=60),
)


@settings(max_examples=150, deadline=None)
@given(
    rows=ROWS,
    drop=st.booleans(),
    minimum=st.integers(1, 2),
    split=st.sampled_from(["leave-one-out", "global-time"]),
    batch_rows=st.integers(1, 20),
    bucket=st.integers(1, 20),
)
def test_any_table_is_prepared_as_plain_python_would(
    rows: list[Row], drop: bool, minimum: int, split: str, batch_rows: int, bucket: int
) -> None:
    expected = reference(rows, drop, minimum, split)
    data = data_of(
        split,
        columns={"value": "value"},
        minimum_value=minimum,
        duplicates="drop" if drop else "keep",
    )
    with tempfile.TemporaryDirectory() as name, pytest.MonkeyPatch.context() as patch:
        patch.setattr(table_file, "BATCH_ROWS", batch_rows)
        patch.setattr(event_sort, "BUCKET_EVENTS", bucket)
        folder = Path(name)
        write_csv(folder, rows)
        if not expected["usable"]:
            with pytest.raises(DataError):
                run(folder, data)
            return
        dataset = run(folder, data)
        times = np.load(folder / "prepared" / "times.npy").tolist()
        users = pq.read_table(folder / "prepared" / "users.parquet")["user"].to_pylist()
        assert {path.name for path in (folder / "prepared").iterdir()} == PREPARED

    items, histories = expected["items"], expected["histories"]
    order = [user for user in dict.fromkeys(row[0] for row in rows) if user in histories]
    assert users == order
    assert dataset.item_ids == list(items)
    flat = [event for user in order for event in histories[user]]
    assert dataset.events.tolist() == [items[item] for _, item in flat]
    assert times == [time for time, _ in flat]
    _, codes = dataset.training_sequences()
    training = [event for user in order for event in expected["training"][user]]
    assert codes.tolist() == [items[item] for _, item in training]
    for name in ("validation", "test"):
        cases = dataset.cases(name)  # type: ignore[arg-type]  # a loop over both literals
        assert [order[user] for user in cases.users] == [u for u in order if u in expected[name]]
        offsets, seen = dataset.seen(cases)
        for case, user in enumerate(order[user] for user in cases.users):
            past = expected[name][user]
            assert seen[offsets[case] : offsets[case + 1]].tolist() == [items[i] for _, i in past]
            assert cases.targets[case] == items[histories[user][len(past)][1]]

    counts = dataset.counts
    assert (
        counts["events_read"]
        == len(rows)
        == sum(
            counts.get(reason, 0)
            for reason in (
                "events_below_minimum_value",
                "events_of_users_beyond_first",
                "duplicate_events_dropped",
                "events_of_short_histories",
                "events_kept",
            )
        )
    )
    assert counts["users_read"] == counts["users_kept"] + counts["users_dropped_short_history"]
    if not drop:
        repeated = sum(len(h) - len(set(h)) for h in histories.values())
        assert counts["duplicate_events_kept"] == repeated
    trained_on = {item for _, item in training}
    assert counts["items_never_seen_in_training"] == len(set(items) - trained_on)
    tied = sum(h[-1][0] == h[-2][0] for h in histories.values())
    assert counts["users_with_tied_last_time"] == tied
    tied_events = sum(len(group) for group in groups_by_time(histories) if len(group) > 1)
    assert counts["events_tied_in_time"] == tied_events
    assert counts["test_cases"] == len(expected["test"])


def groups_by_time(histories: dict[str, list[tuple[int, str]]]) -> list[list[tuple[int, str]]]:
    return [
        list(group)
        for history in histories.values()
        for _, group in itertools.groupby(history, key=lambda event: event[0])
    ]


def users_with_events(counts: dict[str, int]) -> list[Row]:
    return [(user, f"i{n % 7}", n, 1) for user, count in counts.items() for n in range(count)]


def test_the_same_input_gives_the_same_bytes(tmp_path: Path) -> None:
    write_csv(tmp_path, users_with_events({"a": 9, "b": 5}))
    hashes = []
    for name in ("one", "two"):
        prepare(data_of(), tmp_path, tmp_path / name, progress=lambda line: None)
        files = sorted((tmp_path / name).iterdir())
        hashes.append([hashlib.sha256(file.read_bytes()).hexdigest() for file in files])
    assert hashes[0] == hashes[1]


def test_no_future_event_is_in_a_global_time_history(tmp_path: Path) -> None:
    random = np.random.default_rng(3)
    rows = [
        (f"u{random.integers(20)}", f"i{random.integers(9)}", int(random.integers(1000)), 1)
        for _ in range(600)
    ]
    write_csv(tmp_path, rows)
    dataset = run(tmp_path, data_of("global-time"))
    times = np.load(tmp_path / "prepared" / "times.npy")
    moments = dataset.description["times"]
    trained = np.concatenate(
        [
            np.arange(*span)
            for span in zip(dataset.split.first, dataset.split.train_end, strict=True)
        ]
    )
    assert times[trained].max() < moments["validation_from"]
    validation, test = dataset.cases("validation").index, dataset.cases("test").index
    assert (times[validation] >= moments["validation_from"]).all()
    assert (times[validation] < moments["test_from"]).all()
    assert (times[test] >= moments["test_from"]).all()
    assert (times[test - 1] < moments["test_from"]).all()
    assert 0.4 < len(trained) / 600 < 0.6  # The split leaves half of the events to train on.


def test_short_histories_are_dropped_and_counted(tmp_path: Path) -> None:
    write_csv(tmp_path, users_with_events({"a": 4, "b": 2, "c": 5, "d": 1}))
    dataset = run(tmp_path, data_of())
    assert dataset.counts["users_dropped_short_history"] == 2
    assert dataset.counts["events_of_short_histories"] == 3
    assert dataset.counts["users_kept"] == 2


def test_too_few_users_says_how_many_remain_and_why(tmp_path: Path) -> None:
    write_csv(tmp_path, users_with_events({"a": 4, "b": 2, "c": 5, "d": 4, "e": 4}))
    message = r"i\.csv: 4 of 5 users remain \(1 had fewer than 3 events left\).*minimum_users is 30"
    with pytest.raises(DataError, match=message):
        run(tmp_path, data_of(minimum_users=30))


def test_too_few_cases_are_refused(tmp_path: Path) -> None:
    rows = [(user, f"i{n}", n, 1) for user in "abc" for n in range(10)]
    rows += [("d", f"i{n}", n, 1) for n in range(3)]  # Only in the training period.
    write_csv(tmp_path, rows)
    with pytest.raises(DataError, match="only 3 users have a validation case"):
        run(tmp_path, data_of("global-time", minimum_users=4))


def test_nothing_to_train_on_is_refused(tmp_path: Path) -> None:
    write_csv(tmp_path, users_with_events({"a": 3, "b": 3}))
    with pytest.raises(DataError, match="no user has two events to train on"):
        run(tmp_path, data_of())


def test_items_files_give_text_order_and_counts(tmp_path: Path) -> None:
    write_csv(tmp_path, users_with_events({"a": 6}))
    items = ["zz", "i3", "i2", "i1", "i0"]
    (tmp_path / "items.csv").write_text("id,title\n" + "".join(f"{i},\n" for i in items))
    source = {"items": "items.csv", "item_columns": {"item": "id", "text": ["title"]}}
    with pytest.raises(DataError, match=r"i\.csv, row 6, column 'item': .* no item 'i4'"):
        run(tmp_path, data_of(**source))
    dataset = run(tmp_path, data_of(unknown_items="add", **source))
    assert dataset.item_ids == [*items, "i4", "i5"]
    assert dataset.counts["items"] == 7
    assert dataset.counts["items_added"] == 2
    assert dataset.counts["items_without_text"] == 7
    assert dataset.counts["items_never_seen_in_training"] == 3  # zz, and the two held-out ones.


@pytest.mark.parametrize(
    ("times", "unit", "stored"),
    [
        (["3", "1", "2"], "given", [1, 2, 3]),
        (["3", "1.5", "2"], "given/1000000", [1_500_000, 2_000_000, 3_000_000]),
        (["1970-01-03", "1970-01-01", "1970-01-02"], "second", [0, 86_400, 172_800]),
        (
            ["1970-01-01T00:00:01", "1970-01-01", "1970-01-01T00:00:00.5"],
            "second/1000000",
            [0, 500_000, 1_000_000],
        ),
    ],
)
def test_times_keep_their_unit_unless_they_have_fractions(
    tmp_path: Path, times: list[str], unit: str, stored: list[int]
) -> None:
    later = ["9" if unit.startswith("given") else "1971-01-01"]
    rows = [f"u,i{n},{time}\n" for n, time in enumerate(times + later)]
    (tmp_path / "i.csv").write_text("user,item,time\n" + "".join(rows))
    dataset = run(tmp_path, data_of())
    assert dataset.description["times"]["unit"] == unit
    assert np.load(tmp_path / "prepared" / "times.npy")[:3].tolist() == stored


def test_fractions_beside_huge_times_are_refused(tmp_path: Path) -> None:
    (tmp_path / "i.csv").write_text("user,item,time\nu,a,1.5\nu,b,1700000000000000\nu,c,2\n")
    with pytest.raises(DataError, match=r"i\.csv, column 'time': the times are too large"):
        run(tmp_path, data_of())


def test_a_threshold_needs_its_column(tmp_path: Path) -> None:
    write_csv(tmp_path, users_with_events({"a": 6}))
    with pytest.raises(DataError, match="needs data.source.columns.value"):
        run(tmp_path, data_of(minimum_value=3))


def test_a_folder_that_cannot_be_written_is_named(tmp_path: Path) -> None:
    write_csv(tmp_path, users_with_events({"a": 6}))
    with pytest.raises(DataError, match=r"i\.csv/prepared: could not be written: Not a dir"):
        prepare(data_of(), tmp_path, tmp_path / "i.csv" / "prepared", progress=lambda line: None)


def test_progress_is_told(tmp_path: Path) -> None:
    write_csv(tmp_path, users_with_events({"a": 6}))
    said: list[str] = []
    prepare(data_of(), tmp_path, tmp_path / "prepared", progress=said.append)
    assert said[-1] == "1 users, 6 items, 6 events"


def edit_interactions(folder: Path) -> None:
    write_csv(folder, users_with_events({"a": 7}))


def edit_items(folder: Path) -> None:
    (folder / "items.csv").write_text("item\nother\n")


@pytest.mark.parametrize("edit", [edit_interactions, edit_items])
def test_the_fingerprint_follows_the_files(tmp_path: Path, edit: Callable[[Path], None]) -> None:
    write_csv(tmp_path, users_with_events({"a": 6}))
    (tmp_path / "items.csv").write_text("item\ni0\n")
    data = data_of(items="items.csv")
    before = fingerprint(data, tmp_path)
    assert fingerprint(data, tmp_path) == before
    edit(tmp_path)
    assert fingerprint(data, tmp_path) != before


def test_the_fingerprint_of_a_missing_file_is_an_error_about_it(tmp_path: Path) -> None:
    with pytest.raises(DataError, match=r"i\.csv: could not be read"):
        fingerprint(data_of(), tmp_path)


def test_the_description_is_plain_json(tmp_path: Path) -> None:
    write_csv(tmp_path, users_with_events({"a": 6}))
    run(tmp_path, data_of())
    description = json.loads((tmp_path / "prepared" / "dataset.json").read_text())
    assert set(description) == {"schema", "name", "split", "item_map_sha256", "counts", "times"}
    assert all(isinstance(value, int) for value in description["counts"].values())
