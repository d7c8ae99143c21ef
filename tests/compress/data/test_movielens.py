"""Needs pip's index once, unless the cache has the data already."""

import hashlib
from pathlib import Path

import pytest

from compress.data.dataset import Dataset
from compress.data.movielens import movielens_table
from compress.data.prepare import fingerprint, prepare
from compress.errors import DownloadError
from compress.recipe import Data, MovieLens100K


@pytest.fixture(scope="module")
def interactions() -> Path:
    try:
        table = movielens_table(MovieLens100K(kind="movielens-100k"))
    except DownloadError as error:
        pytest.skip(f"MovieLens-100K is not to be had here: {error}")
    return Path(table.interactions)


def prepared(folder: Path, **source: int) -> Dataset:
    data = Data(source=MovieLens100K(kind="movielens-100k", **source))
    prepare(data, Path(), folder, progress=lambda line: None)
    return Dataset.open(folder)


def test_movielens_100k_is_whole(interactions: Path, tmp_path: Path) -> None:
    dataset = prepared(tmp_path)
    assert (dataset.users, dataset.items, len(dataset.events)) == (943, 1682, 100_000)
    assert dataset.counts["users_dropped_short_history"] == 0
    assert dataset.counts["items_without_text"] == 0
    assert dataset.counts["users_with_tied_last_time"] == 415  # 44% of the users.
    assert dataset.item_texts[0] == "Toy Story, 1995, Animation Children's Comedy"
    assert dataset.windows(50).positions == dataset.counts["training_targets"] == 97_171

    rows = [line.split("\t") for line in interactions.read_text().splitlines()[1:]]
    user = rows[0][0]
    history = sorted((row for row in rows if row[0] == user), key=lambda row: int(row[3]))
    ids = [dataset.item_ids[code - 2] for code in dataset.events[: len(history)]]
    assert ids == [row[1] for row in history]


def test_first_users_are_those_that_come_first_in_the_file(
    interactions: Path, tmp_path: Path
) -> None:
    dataset = prepared(tmp_path, first_users=200)
    rows = [line.split("\t")[0] for line in interactions.read_text().splitlines()[1:]]
    first = set(list(dict.fromkeys(rows))[:200])
    assert dataset.users == 200
    assert len(dataset.events) == sum(user in first for user in rows)
    assert dataset.items == 1682
    assert dataset.counts["users_beyond_first"] == 743


def test_the_fingerprint_needs_no_download(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    monkeypatch.setenv("LIMBECK_CACHE", str(tmp_path))
    found = fingerprint(Data(source=MovieLens100K(kind="movielens-100k")), Path())
    assert len(found) == len(hashlib.sha256().hexdigest())
    assert list(tmp_path.iterdir()) == []
