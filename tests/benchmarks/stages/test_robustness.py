"""The stages of robustness, run on small data with models that answer for real."""

import json
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest

from benchmarks.robustness.data import RobustnessData
from benchmarks.stages.robustness import (
    HISTORY_ROBUSTNESS,
    NO_SHIFT_SPLIT,
    NO_SHIFT_TEXTS,
    ROBUSTNESS,
    TEXT_ROBUSTNESS,
    _cutters,
)
from compress.data.dataset import Dataset
from compress.data.pieces import Pieces, write_pieces
from compress.data.prepare import prepare
from compress.data.prepare_texts import prepare_texts
from compress.data.text_dataset import TextDataset
from compress.errors import CheckFailed
from compress.progress import Display, Progress
from compress.recipe import Data, NextItemRecipe
from compress.recipe_file import parse_recipe
from compress.stage import StageContext
from compress.stages.text.dataset import TOKENIZER
from compress.teachers.text_baselines import fit_text_baselines
from compress.tokenizers.characters import character_tokenizer
from compress.tokenizers.tokenizer import PieceTokenizer
from export.baselines.emit_text import emit_text_baseline
from export.blocked_items import ITEM_MAP
from export.rows import SAMPLES, RowFiles, read_rows, write_artifacts, write_rows
from export.samples import Samples
from export.stages.text import STUDENT_PIECES, TEXTS
from export.text_samples import cut_samples, piece_samples

ITEMS = 30


class Notes(Display):
    def __init__(self):
        self.notes = []

    def stage_advanced(self, note, done):
        self.notes.append(note)


def work(stage, recipe, inputs: dict[str, Path], folder: Path, previous=None):
    """Run a stage; what it published, and what it said it was doing."""
    folder.mkdir()
    notes = Notes()
    stage.work(
        StageContext(
            recipe=recipe,
            recipe_folder=Path(),
            folder=folder,
            inputs=inputs,
            progress=Progress(notes),
            logs=folder,
            version=stage.version,
            previous=previous,
            digests={"dataset": "d"},
        )
    )
    return RobustnessData.model_validate_json((folder / ROBUSTNESS).read_text()), notes.notes


# ---------------------------------------------------------------------------------- histories


def next_item_run(folder: Path, split: dict, model: Path):
    """A prepared data set of 60 users, and an export whose teacher and student are one model."""
    random = np.random.default_rng(0)
    rows = [
        f"u{user},i{item},{1000 * user % 977 + 100 * place}"
        for user in range(60)
        for place, item in enumerate(random.permutation(ITEMS)[:12])
    ]
    (folder / "e.csv").write_text("user,item,time\n" + "\n".join(rows) + "\n")
    given = {"source": {"kind": "table", "interactions": "e.csv"}, "split": split}
    given["minimum_users"] = 5
    prepare(Data.model_validate(given), folder, folder / "dataset", progress=lambda line: None)
    dataset, export = Dataset.open(folder / "dataset"), folder / "export"
    (export / SAMPLES).mkdir(parents=True)
    (export / "model.onnx").write_bytes(model.read_bytes())
    histories = dataset.histories(dataset.cases("test"), 8)
    Samples({"history": histories}).save(export / SAMPLES / "histories.npz")
    write_rows(
        export,
        [
            RowFiles(role, role, "onnx", "model.onnx", 9, "histories.npz", role)
            for role in ("teacher", "student")
        ],
    )
    write_artifacts(export, [], [])
    (export / ITEM_MAP).write_text(json.dumps({"items": dataset.item_ids}))
    recipe = NextItemRecipe.model_validate(
        {
            "name": "r",
            "data": given,
            "task": {"kind": "next-item", "history_length": 8, "top_k": 20},
            "teacher": {"kind": "text-sequence"},
            "student": {"kind": "transformer"},
            "benchmark": {"bootstrap": 100},
        }
    )
    return recipe, {"dataset": folder / "dataset", "export": export}


@pytest.fixture
def by_user(tmp_path, tiny_model):
    return next_item_run(tmp_path, {"kind": "leave-one-out"}, tiny_model)


def test_histories_are_damaged_alike_for_both(by_user, tmp_path):
    data, notes = work(HISTORY_ROBUSTNESS, *by_user, tmp_path / "out")
    assert (data.metric, data.damaged, data.cases, data.of_cases) == ("ndcg@10", "history", 60, 60)
    assert [row.name for row in data.rows] == ["teacher", "student"]
    assert [one.name for one in data.damages][:3] == [
        f"{share}% of events dropped" for share in (10, 30, 50)
    ]
    for damage in data.damages:
        teacher, student = damage.answers
        assert (student.quality, student.kept) == (teacher.quality, teacher.kept)
        assert student.difference is None or student.difference.value == 0.0
    assert notes[0] == "teacher, undamaged: 60 test cases"


def test_a_blocked_item_among_the_answers_stops_it(by_user, tmp_path):
    (by_user[1]["export"] / ITEM_MAP).write_text(json.dumps({"blocked": [2, 3, 4, 5]}))
    with pytest.raises(CheckFailed, match="teacher answers .* of the 4 blocked items"):
        work(HISTORY_ROBUSTNESS, *by_user, tmp_path / "out")


def test_the_input_is_damaged_and_what_was_seen_stays_out(by_user, tmp_path):
    data, _ = work(HISTORY_ROBUSTNESS, *by_user, tmp_path / "out")
    changed = {one.name: one.changed for one in data.damages}
    assert changed["50% of events dropped"] == changed["no events"] == 60
    inputs = by_user[1]
    dataset = Dataset.open(inputs["dataset"])
    cases = dataset.cases("test")
    offsets, seen = dataset.seen(cases)
    for file in (tmp_path / "out").glob("*.npz"):
        top = np.load(file)["top"]
        for case in range(len(cases)):
            assert not np.isin(top[case], seen[offsets[case] : offsets[case + 1]]).any(), file.name
    # Asked with nothing, the model has one order of items for all: only what was seen differs.
    one, other = np.load(tmp_path / "out" / "teacher.cold-0.npz")["top"][:2].tolist()
    shared = {*one} & {*other} - {0}
    assert len(shared) > 3
    assert [code for code in one if code in shared] == [code for code in other if code in shared]


def test_a_split_by_user_has_no_popularity_shift_and_says_how_to_get_one(by_user, tmp_path):
    data, _ = work(HISTORY_ROBUSTNESS, *by_user, tmp_path / "out")
    assert data.popularity_shift is None
    assert data.popularity_shift_because == NO_SHIFT_SPLIT
    assert "--set data.split.kind=global-time" in NO_SHIFT_SPLIT


def test_a_split_by_time_has_one(tmp_path, tiny_model):
    split = {"kind": "global-time", "validation": 0.2, "test": 0.4}
    recipe, inputs = next_item_run(tmp_path, split, tiny_model)
    data, _ = work(HISTORY_ROBUSTNESS, recipe, inputs, tmp_path / "out")
    shift, counts = data.popularity_shift, Dataset.open(inputs["dataset"]).counts
    assert data.popularity_shift_because is None
    assert sum(one.cases for one in shift.groups) == data.cases == counts["test_cases"]
    assert shift.training_events == counts["training_events"]
    # 720 events, of which the last 40% are the test period; its first moment may be shared.
    assert 288 <= shift.test_events < 320
    changes = [(one.least, one.greatest) for one in shift.groups]
    assert changes == sorted(changes)


def test_what_was_asked_before_is_not_asked_again(by_user, tmp_path):
    recipe, inputs = by_user
    first, asked = work(HISTORY_ROBUSTNESS, recipe, inputs, tmp_path / "first")
    again, reused = work(HISTORY_ROBUSTNESS, recipe, inputs, tmp_path / "again", tmp_path / "first")
    assert again == first
    assert len(asked) == 2 * 12 + 1
    assert reused == ["intervals"]
    teacher, student = read_rows(inputs["export"])
    write_rows(inputs["export"], [teacher, replace(student, sha256="another")])
    _, anew = work(HISTORY_ROBUSTNESS, recipe, inputs, tmp_path / "third", tmp_path / "first")
    assert {note.partition(",")[0] for note in anew} == {"student", "intervals"}


def test_more_cases_than_needed_are_sampled(by_user, tmp_path, monkeypatch):
    monkeypatch.setattr("benchmarks.stages.robustness.MOST_CASES", 25)
    data, _ = work(HISTORY_ROBUSTNESS, *by_user, tmp_path / "out")
    assert (data.cases, data.of_cases) == (25, 60)


# --------------------------------------------------------------------------------------- texts

WORDS = {
    "red": "crimson scarlet cherry",
    "blue": "navy azure cobalt",
    "green": "olive emerald lime",
}


RECIPE = """
name: tiny
task: {kind: KIND, max_length: 90}
data:
  source: {kind: table, train: train.jsonl, validation: validation.jsonl, test: test.jsonl}
student: {kind: bert}
benchmark: {bootstrap: 100}
"""


def text_run(folder: Path, *, pairs: bool):
    """Texts that name colours in other words, and a counting model as teacher and student."""
    random = np.random.default_rng(0)
    colours = list(WORDS)

    def text(colour):
        return " ".join(random.permutation([*WORDS[colour].split(), "dress", "with", "pockets"]))

    def row(number):
        colour = colours[number % 3]
        if not pairs:
            return {"text": text(colour), "label": colour}
        wanted, other = colours[number // 4 % 3], colours[int(random.integers(0, 3))]
        query = f"{WORDS[wanted]} dress {number // 4}"
        return {"query": query, "product": text(other), "relevance": int(wanted == other)}

    for split, count in (("train", 60), ("validation", 24), ("test", 36)):
        lines = "".join(json.dumps(row(number)) + "\n" for number in range(count))
        (folder / f"{split}.jsonl").write_text(lines)
    kind = "text-pair" if pairs else "text-label"
    recipe = parse_recipe(RECIPE.replace("KIND", kind))
    prepare_texts(recipe.data, recipe.task, folder, folder / "dataset", progress=lambda *news: None)
    dataset, export = TextDataset.open(folder / "dataset"), folder / "export"
    train = dataset.split("train")
    first, second = train.texts(np.arange(len(train)))
    tokenizer = character_tokenizer([*first, *(second or [])])
    inputs = {"dataset": dataset.folder, "export": export}
    for whose in ("teacher-pieces", "student-pieces"):
        inputs[whose] = folder / whose
        inputs[whose].mkdir()
        tokenizer.save(inputs[whose] / TOKENIZER)
    write_pieces(folder, "train", tokenizer, train, 90)
    pieces = Pieces.open(folder, "train", tokenizer.padding_id)
    name = "bm25" if pairs else "naive-bayes"
    (export / "rows").mkdir(parents=True)
    fit_text_baselines(dataset, pieces, train.targets, tokenizer)[name].save(export / "m.npz")
    emit_text_baseline(
        export / "rows" / "m.json", export / "m.npz", is_score=False, gains=dataset.gains
    )
    write_rows(
        export,
        [
            RowFiles(role, role, "baseline-text", "rows/m.json", 9, f"{role}-pieces.npz", role)
            for role in ("teacher", "student")
        ],
    )
    write_artifacts(export, [], [])
    return recipe, inputs


def test_texts_are_damaged_before_each_model_cuts_them(tmp_path):
    recipe, inputs = text_run(tmp_path, pairs=False)
    data, notes = work(TEXT_ROBUSTNESS, recipe, inputs, tmp_path / "out")
    assert (data.metric, data.damaged, data.cases, data.of_cases) == ("macro_f1", "text", 36, 36)
    assert [row.quality.value for row in data.rows] == [1.0, 1.0]  # the colours' words tell them
    kept = {one.name: one.answers[0].kept.value for one in data.damages}
    assert kept["first word"] < kept["first 4 words"] <= 1.0
    assert all(one.changed for one in data.damages)
    assert all(a.short_lists is None for one in data.damages for a in one.answers)
    assert data.popularity_shift_because == NO_SHIFT_TEXTS
    assert notes[0] == "teacher, undamaged: 36 test texts"


def test_of_pairs_the_query_alone_is_damaged_and_in_one_way(tmp_path, monkeypatch):
    recipe, inputs = text_run(tmp_path, pairs=True)
    asked = []

    def cut(first, second):
        asked.append((first, second))
        return cut_samples(character_tokenizer(first), first, second, 90)

    monkeypatch.setattr(
        "benchmarks.stages.robustness._cutters", lambda context, wanted: dict.fromkeys(wanted, cut)
    )
    data, _ = work(TEXT_ROBUSTNESS, recipe, inputs, tmp_path / "out")
    assert (data.metric, data.damaged, data.cases) == ("ndcg@10", "query", 36)
    queries, products = asked[0]
    for damaged, beside in asked[1:]:
        assert beside == products
        assert len(set(zip(queries, damaged, strict=True))) == len(set(queries)) == 9
    assert any(damaged != queries for damaged, _ in asked[1:])


def test_undamaged_texts_are_cut_as_they_were_for_every_other_figure(tmp_path):
    recipe, inputs = text_run(tmp_path, pairs=False)
    folder = inputs["student-pieces"]
    tokenizer = PieceTokenizer.load(folder / TOKENIZER)
    test = TextDataset.open(inputs["dataset"]).split("test")
    write_pieces(folder, "test", tokenizer, test, 90)
    pieces = Pieces.open(folder, "test", tokenizer.padding_id)
    context = StageContext(recipe, Path(), tmp_path, inputs, Progress(), tmp_path)
    cutters = _cutters(context, {STUDENT_PIECES, TEXTS})
    found = cutters[STUDENT_PIECES](*test.texts(np.arange(len(test))))
    assert found.sha256() == piece_samples(pieces, is_pair=False).sha256()
    assert cutters[TEXTS](["a b"], None).arrays["text"].tolist() == ["a b"]
