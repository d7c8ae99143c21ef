from pathlib import Path

import pyarrow as pa
import pyarrow.parquet as pq
import pytest

from compress.data.table_file import read_batches
from compress.errors import DataError

ROWS = [("u1", "Ärger", 3), ("u2", 'a "b", c', 1), ("u1", "x", 2)]
FILES = {
    "t.csv": 'user,item,time\nu1,Ärger,3\nu2,"a ""b"", c",1\nu1,x,2\n',
    "bom.csv": '\ufeffuser,item,time\r\nu1,Ärger,3\r\nu2,"a ""b"", c",1\r\n\r\nu1,x,2\r\n\r\n',
    "t.tsv": 'user\titem\ttime\nu1\tÄrger\t3\nu2\t"a ""b"", c"\t1\nu1\tx\t2\n',
    "t.inter": 'user:token\titem:token\ttime:float\nu1\tÄrger\t3\nu2\ta "b", c\t1\nu1\tx\t2\n',
    "t.jsonl": '{"user": "u1", "item": "Ärger", "time": 3}\n'
    '{"item": "a \\"b\\", c", "user": "u2", "time": 1, "more": null}\n\n'
    '{"user": "u1", "item": "x", "time": 2.0}',
}


def read(path: Path, batch_rows: int | None = None) -> list[tuple[str, str, int]]:
    rows = []
    for batch in read_batches(path, ["user", "item", "time"], batch_rows=batch_rows):
        assert len(batch.rows) <= (batch_rows or 100)
        columns = [batch.columns[name].to_pylist() for name in ("user", "item", "time")]
        rows += [(user, item, int(time)) for user, item, time in zip(*columns, strict=True)]
    return rows


@pytest.mark.parametrize("name", FILES)
@pytest.mark.parametrize("batch_rows", [None, 1, 2, 3])
def test_every_text_format_reads_the_same(
    tmp_path: Path, name: str, batch_rows: int | None
) -> None:
    path = tmp_path / name
    path.write_text(FILES[name], encoding="utf-8", newline="")
    assert read(path, batch_rows) == ROWS


@pytest.mark.parametrize("batch_rows", [None, 1, 2])
def test_parquet_reads_the_same(tmp_path: Path, batch_rows: int | None) -> None:
    path = tmp_path / "t.parquet"
    table = pa.table({"user": ["u1", "u2", "u1"], "item": [r[1] for r in ROWS], "time": [3, 1, 2]})
    pq.write_table(table, path, row_group_size=2)
    assert read(path, batch_rows) == ROWS


def test_rows_are_numbered_as_an_editor_shows_them(tmp_path: Path) -> None:
    path = tmp_path / "t.csv"
    path.write_text('user,item,time\n"u\n1",i,1\n\nu2,i,2\n')
    rows = [row for batch in read_batches(path, ["user"]) for row in batch.rows]
    assert rows == [3, 5]  # The first row ends on line 3; line 4 is empty.


@pytest.mark.parametrize(
    ("name", "content", "message"),
    [
        ("t.csv", b"", "t.csv: the file is empty"),
        ("t.csv", b"user,item,time\n", "no rows below its header"),
        ("t.csv", b"user,item,tine\na,b,1\n", "no column 'time'. Did you mean 'tine'"),
        ("t.csv", b"user,item,user,time\na,b,c,1\n", "names 'user' twice"),
        ("t.csv", b"user,item,time\na,b,1\na,b\n", "t.csv, row 3: 2 columns where .* has 3"),
        (
            "t.csv",
            b"user,item,time\na,caf\xe9,1\n",
            r"row 2, column 'item': b'caf\\xe9' is not UTF",
        ),
        ("t.csv", b"us\xe9r,item,time\na,b,1\n", "row 1, column 'header'.*not UTF-8"),
        ("t.csv", b'user,item,time\na,"b"c,1\n', "row 2: .*quote"),
        ("t.csv", b'user,item,time\na,"b,1\n' + b"x,y,2\n" * 40_000, r"row \d+: .*quote"),
        ("t.csv", "user,item,time\na,b,1\n".encode("utf-16"), "not UTF-8"),
        ("t.inter", b"user_id:token\titem:token\ttime:float\na\tb\t1\n", "Did you mean 'user_id'"),
        ("t.jsonl", b'{"user": "a", "item": "b", "time": 1}\n{"user": "a"', "row 2: not JSON"),
        ("t.jsonl", b'{"user": "a", "item": "b", "time": 1}\n[1]\n', "row 2: .* not a JSON object"),
        ("t.jsonl", b'{"user": "a", "item": "b"}\n', "t.jsonl, row 1: there is no column 'time'"),
        ("t.jsonl", b'{"user": {}, "item": "b", "time": 1}\n', "row 1, column 'user': {} is no te"),
        ("t.jsonl", b'{"user": true, "item": "b", "time": 1}\n', "column 'user': true is no text"),
        ("t.jsonl", b'{"user": "\xe9", "item": "b", "time": 1}\n', "row 1, .*not UTF-8"),
        ("t.jsonl", b'{"user": "\\ud800", "item": "b", "time": 1}\n', "row 1, .*not UTF-8"),
        ("t.jsonl", b"\n\n", "no rows"),
        ("t.parquet", b"PAR1 and then nothing", "not readable as Parquet"),
        ("t.xlsx", b"PK", "the ending '.xlsx' is not known"),
    ],
)
def test_faulty_files_say_where_and_what(
    tmp_path: Path, name: str, content: bytes, message: str
) -> None:
    path = tmp_path / name
    path.write_bytes(content)
    with pytest.raises(DataError, match=message):
        list(read_batches(path, ["user", "item", "time"]))


def test_a_missing_file_is_named(tmp_path: Path) -> None:
    with pytest.raises(DataError, match="gone.csv: there is no such file"):
        list(read_batches(tmp_path / "gone.csv", ["user"]))


def test_a_folder_is_no_table(tmp_path: Path) -> None:
    (tmp_path / "folder.csv").mkdir()
    with pytest.raises(DataError, match="folder.csv: could not be read"):
        list(read_batches(tmp_path / "folder.csv", ["user"]))


def test_a_broken_parquet_page_is_found_while_reading(tmp_path: Path) -> None:
    path = tmp_path / "t.parquet"
    pq.write_table(pa.table({"user": [str(n) for n in range(10_000)]}), path, compression="gzip")
    content = bytearray(path.read_bytes())
    content[1000:2000] = bytes(1000)
    path.write_bytes(content)
    with pytest.raises(DataError, match=r"t\.parquet"):
        list(read_batches(path, ["user"]))


def test_parquet_lists_its_columns_when_one_is_missing(tmp_path: Path) -> None:
    path = tmp_path / "t.parquet"
    pq.write_table(pa.table({"userId": ["a"], "when": [1]}), path)
    with pytest.raises(DataError, match="Did you mean 'userId'.*'userId', 'when'"):
        list(read_batches(path, ["user"]))


def test_sparse_columns_may_miss_in_some_json_lines_but_not_in_all(tmp_path: Path) -> None:
    path = tmp_path / "t.jsonl"
    path.write_text('{"item": "a"}\n{"item": "b", "title": "B"}\n')
    batch = next(read_batches(path, ["item"], sparse=["title"]))
    assert batch.columns["title"].to_pylist() == [None, "B"]
    with pytest.raises(DataError, match="no column 'titel'. Did you mean 'title'"):
        list(read_batches(path, ["item"], sparse=["titel"]))


def test_parquet_may_say_its_compression_behind_its_ending(tmp_path: Path) -> None:
    path = tmp_path / "t.parquet.brotli"
    pq.write_table(pa.table({"user": ["a", "b"]}), path, compression="brotli")
    assert next(read_batches(path, ["user"])).columns["user"].to_pylist() == ["a", "b"]
    other = tmp_path / "t.csv.gzip"
    other.write_bytes(b"user\na\n")
    with pytest.raises(DataError, match=r"the ending '\.gzip' is not known"):
        list(read_batches(other, ["user"]))


def test_json_lists_stay_lists_where_lists_are_wanted(tmp_path: Path) -> None:
    path = tmp_path / "t.jsonl"
    lines = ['["a, b", 1]', "[]", "null", '[null, "c"]']
    path.write_text("".join(f'{{"tags": {line}, "other": ["x", "y"]}}\n' for line in lines))
    batch = next(read_batches(path, ["other"], ["tags"], lists={"tags": None}))
    assert batch.columns["tags"].to_pylist() == [["a, b", "1"], [], None, ["", "c"]]
    assert batch.columns["other"].to_pylist() == ["x, y"] * 4


def test_json_text_is_split_into_lists_only_by_a_separator(tmp_path: Path) -> None:
    path = tmp_path / "t.jsonl"
    path.write_text('{"tags": ["a|b"]}\n{"tags": "a|b"}\n{"tags": 3}\n')
    batch = next(read_batches(path, ["tags"], lists={"tags": "|"}))
    assert batch.columns["tags"].to_pylist() == [["a|b"], ["a", "b"], ["3"]]
    with pytest.raises(DataError, match="row 2, column 'tags': 'a|b' is no list.*label_sep"):
        list(read_batches(path, ["tags"], lists={"tags": None}))


def test_faults_in_json_lists_are_named(tmp_path: Path) -> None:
    path = tmp_path / "t.jsonl"
    path.write_bytes(b'{"tags": ["a"]}\n{"tags": ["\xff"]}\n')
    with pytest.raises(DataError, match="row 2, column 'tags': .*not UTF-8"):
        list(read_batches(path, ["tags"], lists={"tags": None}))
    path.write_text('{"tags": ["a"]}\n{"tags": [{}]}\n')
    with pytest.raises(DataError, match="row 2, column 'tags': {} is no text or number"):
        list(read_batches(path, ["tags"], lists={"tags": None}))
