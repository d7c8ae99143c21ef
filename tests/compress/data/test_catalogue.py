import hashlib
from pathlib import Path

import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq
import pytest
from hypothesis import given
from hypothesis import strategies as st

from compress.data.catalogue import Catalogue, item_map_sha256, read_catalogue, read_items
from compress.data.columns import Column
from compress.errors import DataError
from compress.recipe import ItemColumns

COLUMNS = ItemColumns(item="item", text=("title", "year"))


def ids(*values: str) -> Column:
    return Column(Path("t.csv"), "item", pa.array(values), np.arange(2, 2 + len(values)))


def test_texts_are_joined_in_the_order_of_the_columns(tmp_path: Path) -> None:
    path = tmp_path / "items.csv"
    path.write_text("year,item,title\n1995,b,Heat \n,a,Big\n,c,\n")
    catalogue = read_catalogue(path, COLUMNS, "refuse")
    assert catalogue.texts == {"b": "Heat, 1995", "a": "Big", "c": ""}
    assert catalogue.codes(ids("a", "b", "c", "a")).tolist() == [3, 2, 4, 3]


def test_numbers_lists_and_gaps_in_parquet_become_text(tmp_path: Path) -> None:
    table = pa.table(
        {"item": [7, 8, 9], "title": [["a", "b"], None, ["c"]], "year": [1995.0, float("nan"), 2.5]}
    )
    pq.write_table(table, tmp_path / "items.parquet")
    catalogue = read_catalogue(tmp_path / "items.parquet", COLUMNS, "refuse")
    assert catalogue.texts == {"7": "a, b, 1995", "8": "", "9": "c, 2.5"}


def test_an_item_given_twice_names_both_rows(tmp_path: Path) -> None:
    path = tmp_path / "items.csv"
    path.write_text("item,title,year\na,A,1\nb,B,2\na,C,3\n")
    with pytest.raises(DataError, match="items.csv, row 4, column 'item': item 'a' .* row 2"):
        read_catalogue(path, COLUMNS, "refuse")


def test_text_that_is_no_text_is_named(tmp_path: Path) -> None:
    table = pa.table({"item": ["a"], "title": [{"en": "A"}], "year": [1]})
    pq.write_table(table, tmp_path / "items.parquet")
    with pytest.raises(DataError, match="row 1, column 'title': a dict is no text"):
        read_catalogue(tmp_path / "items.parquet", COLUMNS, "refuse")


def test_unknown_items_are_refused_added_or_named_by_their_id() -> None:
    refusing = Catalogue("refuse")
    refusing.add("a", "A")
    with pytest.raises(DataError, match="row 3, column 'item': the items file has no item 'z'"):
        refusing.codes(ids("a", "z", "y", "z"))

    adding = Catalogue("add")
    adding.add("a", "A")
    assert adding.codes(ids("z", "a", "y", "z")).tolist() == [3, 2, 4, 3]
    assert adding.texts == {"a": "A", "z": "", "y": ""}

    without_file = Catalogue("id-is-text")
    assert without_file.codes(ids("z", "y")).tolist() == [2, 3]
    assert without_file.texts == {"z": "z", "y": "y"}


def test_the_written_catalogue_reads_back(tmp_path: Path) -> None:
    catalogue = Catalogue("add")
    catalogue.add("b", "Ü")
    catalogue.add("a", "")
    catalogue.write(tmp_path / "items.parquet")
    assert read_items(tmp_path / "items.parquet") == (["b", "a"], ["Ü", ""])


def test_item_map_hash_is_the_documented_bytes() -> None:
    by_hand = b"\x01\x00\x00\x00a" + b"\x02\x00\x00\x00\xc3\x9c"
    assert item_map_sha256(["a", "Ü"]) == hashlib.sha256(by_hand).hexdigest()


@given(st.lists(st.text(max_size=3), max_size=4), st.lists(st.text(max_size=3), max_size=4))
def test_item_map_hash_tells_any_two_catalogues_apart(one: list[str], other: list[str]) -> None:
    assert (item_map_sha256(one) == item_map_sha256(other)) == (one == other)
