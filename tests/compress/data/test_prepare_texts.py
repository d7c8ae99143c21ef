import csv
import hashlib
import json
import tempfile
import unicodedata
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from compress.data import prepare_texts as prepare_module
from compress.data import text_reading
from compress.data.prepare_texts import prepare_texts
from compress.data.text_dataset import SPLITS, TextDataset
from compress.errors import DataError, DownloadError
from compress.recipe import TextData, TextLabel

Prepare = Callable[..., TextDataset]

ONE_OF = TextLabel(kind="text-label")
ANY_OF = TextLabel(kind="text-label", multi_label=True)
SPLIT = {"kind": "stratified"}


def data_of(rules: dict[str, Any] | None = None, **source: Any) -> TextData:
    return TextData.model_validate({"source": {"kind": "table", **source}, **(rules or {})})


def run(folder: Path, data: TextData, task: TextLabel = ONE_OF) -> TextDataset:
    prepare_texts(data, task, folder, folder / "prepared", progress=lambda line: None)
    return TextDataset.open(folder / "prepared")


def contents(dataset: TextDataset, split: str) -> list[tuple[str, Any, int]]:
    examples = dataset.split(split)
    texts, _ = examples.texts(np.arange(len(examples)))
    return list(zip(texts, examples.targets.tolist(), examples.groups.tolist(), strict=True))


def same(text: str) -> str:
    return " ".join(unicodedata.normalize("NFKC", text).casefold().split())


Row = tuple[str, str, str]  # text, label, group


def reference(
    files: dict[str, list[Row]], keep_empty: bool, remove: bool
) -> dict[str, list[tuple[str, str]]]:
    """The splits in plain Python, of files that give every split."""
    kept = {
        split: [
            (text if text.strip() else "", label)
            for text, label, _ in rows
            if label and (keep_empty or text.strip())
        ]
        for split, rows in files.items()
    }
    measured = {same(text) for split in ("validation", "test") for text, _ in kept[split]}
    if remove:
        kept["train"] = [pair for pair in kept["train"] if same(pair[0]) not in measured]
    return kept


ROW = st.tuples(
    st.sampled_from(["red coat", "Red  coat", "blue", "BLUE", "ｂｌｕｅ", "green", "hat", "", " "]),
    st.sampled_from(["b", "a", "", "c"]),
    st.sampled_from(["g1", "", "g2"]),
)
ROWS = st.one_of(st.lists(ROW, min_size=1, max_size=4), st.lists(ROW, min_size=8, max_size=25))


@settings(max_examples=80, deadline=None)
@given(
    files=st.fixed_dictionaries({split: ROWS for split in SPLITS[:3]}),
    keep_empty=st.booleans(),
    remove=st.booleans(),
    batch_rows=st.integers(1, 9),
)
def test_any_files_are_prepared_as_plain_python_would(
    files: dict[str, list[Row]], keep_empty: bool, remove: bool, batch_rows: int
) -> None:
    expected = reference(files, keep_empty, remove)
    rules = {
        "empty_texts": "keep" if keep_empty else "drop",
        "duplicates": "remove" if remove else "warn",
    }
    usable = all(len(rows) >= 2 for rows in expected.values())
    usable = usable and len({label for _, label in expected["train"]}) >= 2
    with tempfile.TemporaryDirectory() as name, pytest.MonkeyPatch.context() as patch:
        patch.setattr(text_reading, "BATCH_ROWS", batch_rows)
        patch.setattr(prepare_module, "BATCH_ROWS", batch_rows)
        folder = Path(name)
        for split, rows in files.items():
            with (folder / f"{split}.csv").open("w", newline="") as file:
                csv.writer(file).writerows([("text", "label", "group"), *rows])
        paths = {split: f"{split}.csv" for split in files}
        data = data_of(rules, **paths, columns={"group": "group"})
        if not usable:
            with pytest.raises(DataError):
                run(folder, data)
            return
        dataset = run(folder, data)
        found = {split: contents(dataset, split) for split in files}
    for split, rows in expected.items():
        assert [(text, dataset.classes[label]) for text, label, _ in found[split]] == rows
    assert dataset.classes == tuple(
        sorted(
            {
                label
                for rows in files.values()
                for text, label, _ in rows
                if label and (keep_empty or text.strip())
            }
        )
    )
    # One number a group in all splits, and one of its own for each example without a group.
    names: dict[int, set[str]] = {}
    if not remove:
        for split, rows in files.items():
            kept = [row for row in rows if row[1] and (keep_empty or row[0].strip())]
            for (_, _, group), (_, _, number) in zip(kept, found[split], strict=True):
                names.setdefault(number, set()).add(group or f"own {number}")
        assert all(len(group) == 1 for group in names.values())
        assert len({*map(frozenset, names.values())}) == len(names)

    measured = {same(text) for split in ("validation", "test") for text, _ in expected[split]}
    before = reference(files, keep_empty, remove=False)["train"]
    across = sum(same(text) in measured for text, _ in before)
    assert dataset.counts["duplicates_across_splits"] == across
    assert dataset.counts["duplicates_removed"] == (across if remove else 0)


def labelled(count: int) -> list[dict[str, Any]]:
    return [
        {"text": f"text {n}", "label": f"c{n % 3}", "score": n / 2, "tags": ["x", f"y{n % 2}"]}
        for n in range(count)
    ]


def test_every_format_gives_the_same_data_set(tmp_path: Path) -> None:
    rows = [{**row, "label": n % 3, "name": row["label"]} for n, row in enumerate(labelled(60))]
    for ending, dialect in (("csv", csv.excel), ("tsv", csv.excel_tab)):
        with (tmp_path / f"t.{ending}").open("w", newline="") as file:
            lines = [list(row.values()) for row in rows]
            csv.writer(file, dialect).writerows([list(rows[0]), *lines])
    (tmp_path / "t.jsonl").write_text("".join(json.dumps(row) + "\n" for row in rows))
    pq.write_table(pa.Table.from_pylist(rows), tmp_path / "t.parquet")
    found = []
    for ending in ("csv", "tsv", "jsonl", "parquet"):
        columns = {"text": ["name", "text"], "joined_by": ": ", "group": "name"}
        dataset = run(tmp_path, data_of({"split": SPLIT}, train=f"t.{ending}", columns=columns))
        assert dataset.classes == ("0", "1", "2")
        found.append([contents(dataset, split) for split in SPLITS[:3]])
    assert found[0] == found[1] == found[2] == found[3]
    assert ("c2: text 5", 2, 2) in [row for split in found[0] for row in split]


def test_lists_and_separated_text_give_the_same_classes(tmp_path: Path) -> None:
    rows = labelled(40)
    (tmp_path / "t.jsonl").write_text("".join(json.dumps(row) + "\n" for row in rows))
    pq.write_table(pa.Table.from_pylist(rows), tmp_path / "t.parquet")
    lines = [f"{row['text']},{'|'.join(row['tags'])}" for row in rows]
    (tmp_path / "t.csv").write_text("text,tags\n" + "\n".join(lines))
    found = []
    for ending, separator in (("jsonl", None), ("parquet", None), ("csv", "|")):
        columns = {"label": "tags", "label_separator": separator}
        dataset = run(tmp_path, data_of(train=f"t.{ending}", columns=columns), ANY_OF)
        assert dataset.classes == ("x", "y0", "y1")
        found.append([contents(dataset, split) for split in SPLITS[:3]])
    assert found[0] == found[1] == found[2]
    assert {tuple(row[1]) for row in found[0][0]} == {(1, 1, 0), (1, 0, 1)}


def test_text_cells_are_no_lists_of_classes_by_themselves(tmp_path: Path) -> None:
    (tmp_path / "t.csv").write_text("text,label\nx,a\n")
    with pytest.raises(DataError, match=r"t\.csv, row 2, column 'label': .*label_separator"):
        run(tmp_path, data_of(train="t.csv"), ANY_OF)


def test_the_same_input_gives_the_same_bytes(tmp_path: Path) -> None:
    (tmp_path / "t.jsonl").write_text("".join(json.dumps(row) + "\n" for row in labelled(300)))
    hashes = []
    for name in ("one", "two"):
        data = data_of(train="t.jsonl", columns={"label": "tags"})
        prepare_texts(data, ANY_OF, tmp_path, tmp_path / name, progress=lambda line: None)
        files = sorted((tmp_path / name).iterdir())
        hashes.append([hashlib.sha256(file.read_bytes()).hexdigest() for file in files])
    assert hashes[0] == hashes[1]


@pytest.mark.parametrize("multi_label", [False, True])
@pytest.mark.parametrize("kind", ["stratified", "grouped"])
def test_shares_hold_for_every_class(prepare_rows: Prepare, kind: str, multi_label: bool) -> None:
    rows = []
    for number in range(2000):
        label = "abcd"[min(int(number * 0.618 % 1 * 6), 3)]
        own = [label, "e"] if number % 20 == 0 else [label]
        own = [] if number % 37 == 0 else own
        rows.append(
            {"text": f"t{number}", "label": own if multi_label else label, "item": number // 3}
        )
    dataset = prepare_rows(
        {"train": rows},
        source={"columns": {"group": "item"}},
        rules={"split": {"kind": kind, "validation": 0.2, "test": 0.3}},
        task={"multi_label": multi_label},
    )
    hot = []
    for split in SPLITS[:3]:
        targets = dataset.split(split).targets
        ones = targets if multi_label else np.eye(4)[targets]
        hot.append(np.append(ones.sum(axis=0), len(ones)))
    counts = np.array(hot)
    # Classes d (half of all) to e (one in twenty); the last column is all texts.
    assert counts / counts.sum(axis=0) == pytest.approx(
        np.array([[0.5], [0.2], [0.3]]).repeat(counts.shape[1], axis=1), abs=0.04
    )


def test_a_given_test_leaves_only_validation_to_cut(prepare_rows: Prepare) -> None:
    rows = [{"text": f"t{n}", "label": "ab"[n % 2], "item": n // 4} for n in range(200)]
    test = [{"text": f"x{n}", "label": "ab"[n % 2], "item": 90 + n} for n in range(10)]
    dataset = prepare_rows(
        {"train": rows, "test": test},
        source={"columns": {"group": "item"}},
        rules={"split": {"kind": "grouped", "validation": 0.2, "test": 0.5}},
    )
    assert [text for text, _, _ in contents(dataset, "test")] == [row["text"] for row in test]
    assert dataset.counts["validation_texts"] == 40
    assert dataset.counts["train_texts"] == 160
    assert dataset.counts["groups_across_splits"] == 0
    assert dataset.split_rule == {
        "kind": "grouped",
        "validation": 0.2,
        "test": None,
        "seed": 1,
        "group": "item",
    }


def test_pairs_keep_a_querys_products_together(prepare_rows: Prepare) -> None:
    rows = [
        {"query": f"query {n % 40}", "product": f"p{n}", "relevance": n % 3} for n in range(400)
    ]
    dataset = prepare_rows({"train": rows}, pairs=True)
    assert (dataset.is_pair, dataset.classes, dataset.gains) == (True, ("0", "1", "2"), (0, 1, 2))
    queries, groups = [], []
    for split in SPLITS[:3]:
        examples = dataset.split(split)
        first, second = examples.texts(np.arange(len(examples)))
        assert second is not None
        assert examples.targets.tolist() == [int(text[1:]) % 3 for text in second]
        queries.append(set(first))
        groups += list(zip(first, examples.groups.tolist(), strict=True))
    assert sum(map(len, queries)) == 40
    assert len(set(groups)) == 40


def test_a_chinese_table_is_prepared(tmp_path: Path) -> None:
    words = ["红色连衣裙很漂亮", "牛仔裤质量好", "这件外套太大了🧥"]
    lines = [f"{words[n % 3]}，第{n}件,{'裙裤衣'[n % 3]}" for n in range(60)]
    (tmp_path / "评论.csv").write_text("文本,类别\n" + "\n".join(lines), encoding="utf-8-sig")
    dataset = run(tmp_path, data_of(train="评论.csv", columns={"text": ["文本"], "label": "类别"}))
    assert dataset.classes == ("衣", "裙", "裤")
    text, label, _ = contents(dataset, "train")[0]
    assert (text, dataset.classes[label]) == ("红色连衣裙很漂亮，第0件", "裙")
    assert dataset.name == "评论"


def test_long_texts_are_kept_whole(prepare_rows: Prepare) -> None:
    rows = [{"text": "word " * 20_000 + str(n), "label": "ab"[n % 2]} for n in range(30)]
    dataset = prepare_rows({"train": rows})
    assert len(contents(dataset, "train")[0][0]) > 100_000


def test_a_folder_that_cannot_be_written_is_named(tmp_path: Path) -> None:
    (tmp_path / "t.csv").write_text("text,label\nx,a\n")
    with pytest.raises(DataError, match=r"t\.csv/prepared: could not be written: Not a dir"):
        prepare_texts(
            data_of(train="t.csv"),
            ONE_OF,
            tmp_path,
            tmp_path / "t.csv" / "prepared",
            progress=lambda line: None,
        )


def test_progress_is_told(tmp_path: Path) -> None:
    (tmp_path / "t.jsonl").write_text("".join(json.dumps(row) + "\n" for row in labelled(60)))
    said: list[str] = []
    prepare_texts(data_of(train="t.jsonl"), ONE_OF, tmp_path, tmp_path / "p", progress=said.append)
    assert said[0] == "t.jsonl: 60 rows read so far"
    assert said[-1] == "45 train, 6 validation, 9 test, 0 unlabelled"


def test_womens_clothing_is_whole(tmp_path: Path) -> None:
    data = TextData.model_validate({"source": {"kind": "womens-clothing"}})
    try:
        dataset = run(tmp_path, data)
    except DownloadError as error:
        pytest.skip(f"womens-clothing is not to be had here: {error}")
    counts = dataset.counts
    assert counts["rows_read"] == 23_486
    assert (counts["rows_without_label"], counts["empty_texts_dropped"]) == (14, 843)
    assert len(dataset.classes) == 20
    sizes = [counts[f"{split}_texts"] for split in SPLITS[:3]]
    assert sum(sizes) == 23_486 - 14 - 843
    assert sizes[1] / sum(sizes) == pytest.approx(0.1, abs=0.002)
    assert sizes[2] / sum(sizes) == pytest.approx(0.15, abs=0.002)
    assert counts["groups_across_splits"] == 0
    assert counts["test_texts_of_unseen_classes"] == 0
    # Every class that has a product to spare is in all splits.
    for split in ("validation", "test"):
        assert len(np.unique(dataset.split(split).targets)) == 18
    departments = data.model_copy(
        update={"source": data.source.model_copy(update={"label": "department"})}
    )
    assert len(run(tmp_path, departments).classes) == 6


def test_the_first_womens_reviews(tmp_path: Path) -> None:
    source = {"kind": "womens-clothing", "first_texts": 300, "text": ["Review Text"]}
    try:
        dataset = run(tmp_path, TextData.model_validate({"source": source}))
    except DownloadError as error:
        pytest.skip(f"womens-clothing is not to be had here: {error}")
    assert dataset.counts["rows_beyond_first"] == 23_186
    used = sum(dataset.counts[f"{split}_texts"] for split in SPLITS)
    assert used == 300 - dataset.counts["empty_texts_dropped"]
