"""The histories that files are verified on."""

import numpy as np
import pytest

from compress.data.dataset import Dataset
from compress.data.prepare import prepare
from compress.recipe import Data, Table
from export.stages.next_item import real_histories


@pytest.fixture(scope="module")
def dataset(tmp_path_factory):
    folder = tmp_path_factory.mktemp("data")
    rng = np.random.default_rng(0)
    rows = [
        f"u{user},i{item},{time}"
        for user in range(30)
        for time, item in enumerate(rng.integers(0, 40, 3 + user))
    ]
    (folder / "e.csv").write_text("user,item,time\n" + "\n".join(rows) + "\n")
    data = Data(source=Table(kind="table", interactions="e.csv"))
    prepare(data, folder, folder / "set", progress=lambda line: None)
    return Dataset.open(folder / "set")


def test_they_are_what_users_had_done(dataset):
    found = real_histories(dataset, 10, 256)
    assert found.shape == (259, 10)
    assert found.dtype == np.int32
    prefixes = set()
    ends = [*dataset.split.first[1:], len(dataset.events)]
    for first, end in zip(dataset.split.first, ends, strict=True):
        for index in range(first + 1, end):
            items = dataset.events[max(first, index - 10) : index]
            prefixes.add((0,) * (10 - len(items)) + tuple(items.tolist()))
    assert all(tuple(history.tolist()) in prefixes for history in found[3:])


def test_empty_and_full_ones_are_among_them(dataset):
    found = real_histories(dataset, 50, 256)
    assert (found[0] == 0).all()
    assert (found[1] != 0).all()
    assert (found[2, :-1] == found[1, :-1]).all()
    assert found[2, -1] == 1


def test_a_tiny_data_set_gives_as_many(dataset):
    assert len(real_histories(dataset, 10, 5000)) == 5003
