from pathlib import Path
from typing import Any

import numpy as np
import pyarrow as pa
import pytest

from compress.data import text_reading
from compress.data.text_reading import ReadTexts, TextReading
from compress.data.text_source import TextSource
from compress.errors import DataError
from compress.recipe import TextLabel, TextPair

LABEL = TextLabel(kind="text-label")


def source_of(folder: Path, **given: Any) -> TextSource:
    defaults = {
        "name": "t",
        "files": (("train", folder / "t.csv"),),
        "first": ("text",),
        "second": None,
        "joined_by": " ",
        "label": "label",
    }
    return TextSource(**{**defaults, **given})


def read(
    folder: Path, source: TextSource, task: TextLabel | TextPair = LABEL, keep_empty: bool = False
) -> tuple[ReadTexts, list[tuple[str, ...]]]:
    found = TextReading(source, task, keep_empty, lambda line: None).read(folder / "x.arrow")
    with pa.memory_map(str(folder / "x.arrow")) as file:
        columns = pa.ipc.open_file(file).read_all().to_pydict().values()
    return found, list(zip(*columns, strict=True))


CSV = "text,label,product\none,a,7\n,b,7\ntwo,,8\nthree,b,\nfour,b,7\n \t,,9\nfive,c,8\n"


def test_rows_without_label_or_text_are_left_out_and_counted(tmp_path: Path) -> None:
    (tmp_path / "t.csv").write_text(CSV)
    found, texts = read(tmp_path, source_of(tmp_path, group="product"))
    assert texts == [("one",), ("three",), ("four",), ("five",)]
    assert found.labels.values.tolist() == [0, 1, 1, 2]
    # 7 first, then 8; row three has no group and is one of its own, numbered after the others.
    assert found.groups.tolist() == [0, 2, 0, 1]
    assert found.counts == {
        "rows_read": 7,
        "rows_beyond_first": 0,
        "rows_without_label": 2,
        "empty_texts": 1,
        "empty_texts_dropped": 1,
        "texts_without_group": 1,
    }


def test_empty_texts_can_be_kept(tmp_path: Path) -> None:
    (tmp_path / "t.csv").write_text(CSV)
    found, texts = read(tmp_path, source_of(tmp_path), keep_empty=True)
    assert texts == [("one",), ("",), ("three",), ("four",), ("five",)]
    assert (found.counts["empty_texts"], found.counts["empty_texts_dropped"]) == (1, 0)
    assert found.groups.tolist() == [0, 1, 2, 3, 4]
    assert not found.has_groups


@pytest.mark.parametrize("batch_rows", [1, 2, 3, 100])
def test_batches_make_no_difference(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, batch_rows: int
) -> None:
    monkeypatch.setattr(text_reading, "BATCH_ROWS", batch_rows)
    (tmp_path / "t.csv").write_text(CSV)
    found, texts = read(tmp_path, source_of(tmp_path, group="product", first_rows=5))
    assert texts == [("one",), ("three",), ("four",)]
    assert found.groups.tolist() == [0, 1, 0]
    assert found.labels.values.tolist() == [0, 1, 1]
    assert found.counts["rows_read"] == 7
    assert found.counts["rows_beyond_first"] == 2


def test_files_follow_each_other_and_unlabelled_ones_need_no_label(tmp_path: Path) -> None:
    (tmp_path / "t.csv").write_text("text,label\none,a\ntwo,b\n")
    (tmp_path / "u.csv").write_text("text\nthree\n\n\none\n")
    files = (("test", tmp_path / "t.csv"), ("unlabelled", tmp_path / "u.csv"))
    found, texts = read(tmp_path, source_of(tmp_path, files=files))
    assert texts == [("one",), ("two",), ("three",), ("one",)]
    assert found.origins.tolist() == [2, 2, 3, 3]
    assert found.labels.count == len(found.groups) == 2
    assert found.hashes[0] == found.hashes[3]
    assert len(set(found.hashes.tolist())) == 3


def test_pairs_belong_together_by_query_and_need_both_texts(tmp_path: Path) -> None:
    (tmp_path / "t.csv").write_text("q,p,r\nshoe,x,1\nSHOE ,y,0\n,z,1\nhat,,1\nhat,x,1\n")
    source = source_of(tmp_path, first=("q",), second=("p",), label="r")
    found, texts = read(tmp_path, source, TextPair(kind="text-pair"))
    assert texts == [("shoe", "x"), ("SHOE ", "y"), ("hat", "x")]
    assert found.has_groups
    assert found.groups.tolist() == [0, 0, 1]
    assert found.counts["empty_texts"] == 2


def test_control_characters_survive(tmp_path: Path) -> None:
    (tmp_path / "t.csv").write_bytes(b'text,label\n"a\x00b\x1b[0m\nc",x\n')
    _, texts = read(tmp_path, source_of(tmp_path))
    assert texts == [("a\x00b\x1b[0m\nc",)]


def test_a_json_line_may_leave_out_what_it_does_not_have(tmp_path: Path) -> None:
    lines = ['{"title": "A", "label": "x"}', '{"text": "b", "label": "y"}', '{"text": "c"}']
    (tmp_path / "t.jsonl").write_text("\n".join(lines))
    files = (("train", tmp_path / "t.jsonl"),)
    found, texts = read(tmp_path, source_of(tmp_path, files=files, first=("title", "text")))
    assert texts == [("A",), ("b",)]
    assert found.counts["rows_without_label"] == 1
    with pytest.raises(DataError, match=r"t\.jsonl: there is no column 'lable'. Did you mean"):
        read(tmp_path, source_of(tmp_path, files=files, label="lable"))


def test_nothing_usable_is_no_examples(tmp_path: Path) -> None:
    (tmp_path / "t.csv").write_text("text,label\n,\n")
    found, texts = read(tmp_path, source_of(tmp_path))
    assert texts == []
    assert found.labels.classes == ()
    assert len(found.groups) == len(found.origins) == len(found.hashes) == 0
    assert found.hashes.dtype == np.uint64
