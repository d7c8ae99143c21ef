"""Every row is asked once; one that is the same as before is not asked again."""

from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest

from benchmarks.stages.quality import measure_rows, rows_to_ask
from compress.progress import Progress
from compress.recipe import NextItemRecipe
from compress.stage import StageContext
from export.artifact import Artifact
from export.rows import SAMPLES, RowFiles, write_artifacts, write_rows
from export.samples import Samples
from export.verification import Check

RECIPE = NextItemRecipe.model_validate(
    {
        "name": "r",
        "data": {"source": {"kind": "movielens-100k"}},
        "teacher": {"kind": "text-sequence"},
        "student": {"kind": "transformer"},
    }
)
TEACHER = RowFiles("teacher", "teacher", "pytorch", "rows/t.json", 7, "histories.npz", "aa")


def artifact(name, sha256, checked="run", agreement=1.0, seconds=0.01):
    check = Check(259, agreement, 0.0, 0.0, (), checked=checked, seconds_per_example=seconds)
    return Artifact(
        *(name, f"{name}.bin", "histories.npz", "onnx", "fp32", "cpu", "onnx", 10, sha256),
        check,
        {},
    )


@pytest.fixture
def exported(tmp_path):
    """Write what an export stage leaves."""

    def exported(*artifacts):
        folder = tmp_path / "export"
        (folder / SAMPLES).mkdir(parents=True, exist_ok=True)
        histories = np.arange(6, dtype=np.int32).reshape(2, 3)
        Samples({"history": histories}).save(folder / SAMPLES / "histories.npz")
        write_rows(folder, [TEACHER])
        write_artifacts(folder, artifacts, [])
        return folder

    return exported


class Answers:
    def save(self, file):
        file.write_text("answers")


@pytest.fixture
def measure(tmp_path):
    """Measure into a folder; the names of the rows that were really asked."""

    def measure(export_folder, folder, previous=None, recipe=RECIPE):
        asked = []
        place = tmp_path / folder
        place.mkdir()
        context = StageContext(
            recipe=recipe,
            recipe_folder=Path(),
            folder=place,
            inputs={"export": export_folder},
            progress=Progress(),
            logs=tmp_path,
            version=1,
            previous=None if previous is None else tmp_path / previous,
            digests={"dataset": "d"},
        )

        def ask(row, samples, advance):
            asked.append(row.name)
            assert len(samples) == 2
            return Answers()

        measure_rows(context, 2, "test cases", ask)
        return asked

    return measure


def test_what_could_only_be_parsed_is_not_asked(exported):
    folder = exported(artifact("a", "1"), artifact("engine", "2", "parsed", None, None))
    assert [row.name for row in rows_to_ask(folder, 100, 60.0)] == ["teacher", "a"]


def test_an_evaluator_that_would_take_too_long_is_left_out_and_a_slow_file_is_not(exported):
    folder = exported(
        artifact("quick", "1", "evaluated", seconds=0.01),
        artifact("slow", "2", "evaluated", seconds=1.0),
        artifact("slow but real", "3", "run", seconds=1.0),
    )
    names = [row.name for row in rows_to_ask(folder, 100, 60.0)]
    assert names == ["teacher", "quick", "slow but real"]


def test_a_file_more_costs_that_file_alone(exported, measure):
    assert measure(exported(artifact("a", "1")), "first") == ["teacher", "a"]
    more = exported(artifact("a", "1"), artifact("b", "2"))
    assert measure(more, "second", "first") == ["b"]


def test_a_file_with_other_contents_is_asked_again(exported, measure):
    measure(exported(artifact("a", "1")), "first")
    assert measure(exported(artifact("a", "other")), "second", "first") == ["a"]


def test_another_task_is_another_measure_of_all_rows(exported, measure):
    folder = exported(artifact("a", "1"))
    measure(folder, "first")
    task = RECIPE.task.model_copy(update={"mask_seen": False})
    other = RECIPE.model_copy(update={"task": task})
    assert measure(folder, "second", "first", recipe=other) == ["teacher", "a"]


def test_other_samples_are_another_measure(exported, measure):
    folder = exported(artifact("a", "1"))
    measure(folder, "first")
    Samples({"history": np.ones((2, 3), np.int32)}).save(folder / SAMPLES / "histories.npz")
    assert measure(folder, "second", "first") == ["teacher", "a"]


def test_a_row_may_not_be_taken_for_another_of_the_same_name(exported, measure):
    folder = exported(artifact("a", "1"))
    measure(folder, "first")
    write_rows(folder, [replace(TEACHER, sha256="bb")])
    assert measure(folder, "second", "first") == ["teacher"]
