import csv
import json

import pytest

from benchmarks.compare.cases import cases_sha256, have_same_cases
from benchmarks.compare.runs import open_run
from compress.data.prepare import prepare
from compress.data.prepare_texts import prepare_texts
from compress.recipe import Data, TextData, TextLabel

from .fabricated import write_run

EVENTS = [
    (f"user {user}", f"item {(user * 3 + step * step) % 11}", step)
    for user in range(5)
    for step in range(4)
]


def next_item_sha256(folder, events):
    folder.mkdir()
    with (folder / "i.csv").open("w", newline="") as file:
        csv.writer(file).writerows([("user", "item", "time"), *events])
    source = {"kind": "table", "interactions": "i.csv"}
    data = Data.model_validate(
        {"source": source, "split": {"kind": "leave-one-out"}, "minimum_users": 1}
    )
    prepare(data, folder, folder / "dataset", progress=lambda line: None)
    return cases_sha256(folder / "dataset", "next-item")


def text_sha256(folder, *, train, test):
    folder.mkdir()
    for split, rows in (("train", train), ("validation", train[:2]), ("test", test)):
        with (folder / f"{split}.csv").open("w", newline="") as file:
            csv.writer(file).writerows([("text", "label"), *rows])
    files = {split: f"{split}.csv" for split in ("train", "validation", "test")}
    data = TextData.model_validate({"source": {"kind": "table", **files}})
    task = TextLabel(kind="text-label")
    prepare_texts(data, task, folder, folder / "dataset", progress=lambda line: None)
    return cases_sha256(folder / "dataset", "text-label")


TRAIN = [("a red shirt", "shirts"), ("blue jeans", "jeans"), ("a white shirt", "shirts")]
TEST = [("a green shirt", "shirts"), ("black jeans", "jeans"), ("a grey shirt", "shirts")]


def test_histories_and_targets_make_the_cases(tmp_path):
    first = next_item_sha256(tmp_path / "first", EVENTS)
    assert first == next_item_sha256(tmp_path / "again", EVENTS)
    other_target = [*EVENTS[:-1], (*EVENTS[-1][:1], "item 1", 3)]
    assert first != next_item_sha256(tmp_path / "target", other_target)
    other_history = [(*EVENTS[0][:1], "item 10", 0), *EVENTS[1:]]
    assert first != next_item_sha256(tmp_path / "history", other_history)


def test_texts_and_their_labels_make_the_cases(tmp_path):
    first = text_sha256(tmp_path / "first", train=TRAIN, test=TEST)
    more = [("old jeans", "jeans"), *TRAIN]
    assert first == text_sha256(tmp_path / "more training", train=more, test=TEST)
    other = [TEST[0], ("black jeans", "shirts"), TEST[2]]
    assert first != text_sha256(tmp_path / "label", train=TRAIN, test=other)
    assert first != text_sha256(tmp_path / "fewer", train=TRAIN, test=TEST[:2])


def test_without_a_data_set_nothing_can_be_told(tmp_path):
    assert cases_sha256(tmp_path, "next-item") is None
    assert cases_sha256(tmp_path, "text-label") is None


@pytest.mark.parametrize(("events", "same"), [(EVENTS, True), (EVENTS[4:], False)])
def test_runs_of_different_data_sets_share_cases_that_are_equal(inputs, tmp_path, events, same):
    runs = []
    for name, own in (("base", EVENTS), ("other", events)):
        next_item_sha256(tmp_path / name, own)
        folder = write_run(tmp_path / f"run {name}", inputs, range(3), cases=5, dataset=name)
        (tmp_path / name / "dataset").rename(folder / "dataset")
        runs.append(open_run(name, folder))
    assert have_same_cases(*runs) is same


def test_a_damaged_note_is_no_proof(inputs, tmp_path):
    runs = []
    for name in ("base", "other"):
        folder = write_run(tmp_path / name, inputs, range(3))
        (folder / "quality" / "stage.json").write_text(json.dumps([]))
        runs.append(open_run(name, folder))
    assert have_same_cases(*runs) is None
