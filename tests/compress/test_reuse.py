"""Files that come out the same are not made again."""

from pathlib import Path

import pytest

from compress.progress import Progress
from compress.reuse import made_before, note_made
from compress.stage import StageContext


@pytest.fixture
def context(tmp_path):
    def context(folder, previous=None, version=1):
        place = tmp_path / folder
        place.mkdir(exist_ok=True)
        return StageContext(
            recipe=None,
            recipe_folder=Path(),
            folder=place,
            inputs={},
            progress=Progress(),
            logs=tmp_path,
            version=version,
            previous=previous,
        )

    return context


@pytest.fixture
def finished(context):
    """A folder with a file and a package, made under the key `k`."""
    made = context("old")
    (made.folder / "a.onnx").write_text("file")
    (made.folder / "b.mlpackage" / "Data").mkdir(parents=True)
    (made.folder / "b.mlpackage" / "Data" / "weight.bin").write_text("weights")
    note_made(made, "both", "k", ("a.onnx", "b.mlpackage"), {"cases": 3})
    return made.folder


def test_an_earlier_run_of_the_stage_gives_its_files(context, finished):
    now = context("new", finished)
    assert made_before(now, "both", "k") == {"cases": 3}
    assert (now.folder / "a.onnx").read_text() == "file"
    assert (now.folder / "b.mlpackage" / "Data" / "weight.bin").read_text() == "weights"


def test_an_interrupted_stage_goes_on_with_what_it_has(context, finished):
    assert made_before(context("old"), "both", "k") == {"cases": 3}


def test_what_was_copied_is_noted_again(context, finished):
    now = context("new", finished)
    made_before(now, "both", "k")
    assert made_before(context("newer", now.folder), "both", "k") == {"cases": 3}


def test_another_key_is_made_anew(context, finished):
    assert made_before(context("new", finished), "both", "other") is None
    assert not (context("new").folder / "a.onnx").exists()


def test_another_version_of_the_stage_makes_everything_anew(context, finished):
    assert made_before(context("new", finished, version=2), "both", "k") is None


def test_a_damaged_file_is_not_taken(context, finished):
    (finished / "b.mlpackage" / "Data" / "weight.bin").write_text("weighty")
    assert made_before(context("new", finished), "both", "k") is None


def test_a_missing_file_or_a_damaged_record_is_not_taken(context, finished):
    (finished / "a.onnx").unlink()
    assert made_before(context("new", finished), "both", "k") is None
    (finished / ".made-from" / "both.json").write_text("{")
    assert made_before(context("new", finished), "both", "k") is None


def test_nothing_is_found_where_nothing_was_made(context):
    assert made_before(context("new"), "both", "k") is None
