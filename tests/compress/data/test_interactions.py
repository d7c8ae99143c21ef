from pathlib import Path

import pytest

from compress.data.catalogue import Catalogue
from compress.data.event_sort import EventSort
from compress.data.interactions import Interactions, read_interactions
from compress.errors import DataError
from compress.recipe import InteractionColumns, Table

CSV = "user,item,time,stars\nb,x,1,5\na,y,2,2\nb,z,3,4\nc,y,4,3\n"


def read(
    folder: Path, catalogue: Catalogue, text: str = CSV, first_users: int | None = None, **more: int
) -> tuple[Interactions, list[list[int]]]:
    path = folder / "i.csv"
    path.write_text(text)
    columns = InteractionColumns(value="stars")
    table = Table(kind="table", interactions=str(path), columns=columns, **more)
    with EventSort(folder) as events:
        found = read_interactions(table, first_users, catalogue, events, lambda line: None)
        parts = list(events.sorted())
    return found, [[*row] for part in parts for row in zip(part.user, part.item, strict=True)]


def test_users_are_numbered_by_their_first_row(tmp_path: Path) -> None:
    found, events = read(tmp_path, Catalogue("id-is-text"))
    assert found.user_ids == ["b", "a", "c"]
    assert events == [[0, 2], [0, 4], [1, 3], [2, 3]]
    assert found.counts["events_read"] == 4
    assert found.time_unit == "given"


def test_rows_below_the_threshold_are_counted_and_add_no_item(tmp_path: Path) -> None:
    catalogue = Catalogue("id-is-text")
    found, events = read(tmp_path, catalogue, minimum_value=4)
    assert events == [[0, 2], [0, 3]]
    assert found.counts["events_below_minimum_value"] == 2
    assert list(catalogue.texts) == ["x", "z"]


def test_users_beyond_the_first_are_counted(tmp_path: Path) -> None:
    found, events = read(tmp_path, Catalogue("id-is-text"), first_users=2)
    assert len(events) == 3
    assert found.counts["users_beyond_first"] == 1
    assert found.counts["events_of_users_beyond_first"] == 1
    assert found.counts["users_read"] == 3


def test_a_rating_that_is_no_number_matters_only_with_a_threshold(tmp_path: Path) -> None:
    text = CSV.replace("4,3", "4,good")
    read(tmp_path, Catalogue("id-is-text"), text)
    with pytest.raises(DataError, match="row 5, column 'stars': 'good' is not a number"):
        read(tmp_path, Catalogue("id-is-text"), text, minimum_value=4)


def test_an_unknown_item_is_named_with_its_row(tmp_path: Path) -> None:
    catalogue = Catalogue("refuse")
    catalogue.add("x", "")
    catalogue.add("y", "")
    with pytest.raises(DataError, match="row 4, column 'item': the items file has no item 'z'"):
        read(tmp_path, catalogue)


def test_one_column_cannot_be_two_things(tmp_path: Path) -> None:
    (tmp_path / "i.csv").write_text(CSV)
    columns = InteractionColumns(user="user", item="user")
    table = Table(kind="table", interactions=str(tmp_path / "i.csv"), columns=columns)
    with EventSort(tmp_path) as events, pytest.raises(DataError, match="the same column"):
        read_interactions(table, None, Catalogue("add"), events, lambda line: None)
