import json
from pathlib import Path

import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq
import pytest

from compress.data.dataset import Dataset
from compress.data.prepare import prepare
from compress.errors import DataError
from compress.recipe import Data, Table

# u1: b a c d, in time order; u2: a b c, whose last two are tied and keep the order of their rows.
CSV = "user,item,time\nu1,a,2\nu1,b,1\nu2,a,5\nu1,c,3\nu2,b,6\nu2,c,6\nu1,d,9\n"


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    (tmp_path / "i.csv").write_text(CSV)
    data = Data(source=Table(kind="table", interactions="i.csv"), minimum_users=1)
    prepare(data, tmp_path, tmp_path / "prepared", progress=lambda line: None)
    return tmp_path / "prepared"


def test_a_prepared_data_set_reads_as_it_was_written(folder: Path) -> None:
    dataset = Dataset.open(folder)
    assert (dataset.name, dataset.users, dataset.items) == ("i", 2, 4)
    assert dataset.item_ids == dataset.item_texts == ["a", "b", "c", "d"]
    assert dataset.events.tolist() == [3, 2, 4, 5, 2, 3, 4]
    assert isinstance(dataset.events, np.memmap)

    cases = dataset.cases("test")
    assert len(cases) == 2
    assert (cases.users.tolist(), cases.targets.tolist()) == ([0, 1], [5, 4])
    assert dataset.histories(cases, 2).tolist() == [[2, 4], [2, 3]]
    assert dataset.histories(cases, 4).tolist() == [[0, 3, 2, 4], [0, 0, 2, 3]]
    offsets, codes = dataset.seen(cases)
    assert (offsets.tolist(), codes.tolist()) == ([0, 3, 5], [3, 2, 4, 2, 3])

    validation = dataset.cases("validation")
    assert validation.targets.tolist() == [4, 3]
    assert dataset.histories(validation, 2).tolist() == [[3, 2], [0, 2]]

    offsets, codes = dataset.training_sequences()
    assert (offsets.tolist(), codes.tolist()) == ([0, 2, 3], [3, 2, 2])
    windows = dataset.windows(50)
    assert [part.tolist() for part in windows.batch(np.array([0]))] == [
        [[0] * 49 + [3]],
        [[0] * 49 + [2]],
    ]


def test_a_missing_file_is_told(folder: Path) -> None:
    (folder / "times.npy").unlink()
    with pytest.raises(DataError, match="prepared: this is not a whole .*times.npy"):
        Dataset.open(folder)


def test_files_of_another_length_are_refused(folder: Path) -> None:
    np.save(folder / "events.npy", np.zeros(3, np.int32))
    with pytest.raises(DataError, match="differ in length"):
        Dataset.open(folder)


def test_items_in_another_order_are_refused(folder: Path) -> None:
    items = pq.read_table(folder / "items.parquet")
    pq.write_table(items.take(pa.array([1, 0, 2, 3])), folder / "items.parquet")
    with pytest.raises(DataError, match="not those that the codes were made from"):
        Dataset.open(folder)


def test_counts_that_disagree_are_refused(folder: Path) -> None:
    description = json.loads((folder / "dataset.json").read_text())
    description["counts"]["users_kept"] = 3
    (folder / "dataset.json").write_text(json.dumps(description))
    with pytest.raises(DataError, match="'users_kept': 3"):
        Dataset.open(folder)


def test_users_that_do_not_fit_the_events_are_refused(folder: Path) -> None:
    users = pq.read_table(folder / "users.parquet")
    shifted = users.set_column(4, "test", pa.array([6, 6], pa.int64()))  # u1's test among u2's.
    pq.write_table(shifted, folder / "users.parquet")
    with pytest.raises(DataError, match="users.parquet does not fit"):
        Dataset.open(folder)


def test_another_layout_is_refused(folder: Path) -> None:
    description = json.loads((folder / "dataset.json").read_text())
    (folder / "dataset.json").write_text(json.dumps(description | {"schema": 99}))
    with pytest.raises(DataError, match="schema 99"):
        Dataset.open(folder)
