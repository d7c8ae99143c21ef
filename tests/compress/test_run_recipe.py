"""A run remembers its recipe, and the files that were added to it."""

import pytest

from compress.errors import RecipeError, RunError
from compress.recipe import CoreMl, NextItemRecipe
from compress.run_recipe import (
    ADDED,
    artifact_sections,
    note_added,
    read_run_recipe,
    with_added,
    with_files,
    write_run_recipe,
)

RECIPE = NextItemRecipe.model_validate(
    {
        "name": "r",
        "data": {"source": {"kind": "movielens-100k"}},
        "teacher": {"kind": "text-sequence"},
        "student": {"kind": "transformer"},
    }
)
COREML = CoreMl(format="coreml", scheme="int8-weight")


@pytest.fixture
def run(tmp_path):
    recipes, run = tmp_path / "recipes", tmp_path / "runs" / "r"
    recipes.mkdir()
    run.mkdir(parents=True)
    write_run_recipe(run, RECIPE, recipes)
    return run


def test_the_recipe_reads_back_with_where_its_paths_start_from(run):
    assert read_run_recipe(run) == (RECIPE, (run / ".." / ".." / "recipes").resolve())


def test_a_moved_run_still_knows_its_recipe(run, tmp_path):
    moved = run.rename(tmp_path / "elsewhere")
    assert read_run_recipe(moved)[0] == RECIPE


def test_added_files_are_part_of_the_run_and_not_of_its_recipe(run):
    note_added(run, RECIPE, [COREML])
    assert read_run_recipe(run)[0] == RECIPE
    assert with_added(RECIPE, run).export.artifacts == (*RECIPE.export.artifacts, COREML)


def test_what_makes_the_model_does_not_change_with_the_files():
    assert with_files(RECIPE, [COREML]).hash == RECIPE.hash


def test_additions_add_up_and_none_is_there_twice(run):
    (other,) = artifact_sections(RECIPE, [{"format": "coreml", "scheme": "fp16"}])
    note_added(run, RECIPE, [COREML])
    note_added(run, RECIPE, [COREML, other])
    assert with_added(RECIPE, run).export.artifacts[2:] == (COREML, other)


def test_what_the_recipe_has_come_to_name_is_the_recipes(run):
    note_added(run, RECIPE, [COREML])
    named = with_files(RECIPE, [COREML.model_copy(update={"target": "iOS17", "optional": True})])
    assert with_added(named, run) == named
    only_that = RECIPE.model_validate(
        {**RECIPE.model_dump(), "export": {"artifacts": [COREML.model_dump()]}}
    )
    write_run_recipe(run, only_that, run)
    assert with_added(read_run_recipe(run)[0], run) == only_that


def test_damaged_additions_are_told_of_with_what_to_do(run):
    (run / ADDED).write_text('[{"format": "floppy"}]')
    with pytest.raises(RunError, match="Remove it"):
        with_added(RECIPE, run)


def test_sections_have_defaults_and_all_their_faults_are_told():
    (section,) = artifact_sections(RECIPE, [{"format": "coreml"}])
    assert section == CoreMl(format="coreml", scheme="fp16")
    with pytest.raises(RecipeError) as caught:
        artifact_sections(
            RECIPE, [{"format": "coreml", "scheme": "int3"}, {"format": "onnx", "opsett": 17}]
        )
    assert "int8-weight" in str(caught.value)
    assert "opset" in str(caught.value)


def test_a_folder_that_is_no_run_is_said_to_be_none(tmp_path):
    with pytest.raises(RunError, match=r"not the folder of a run: it has no recipe\.yaml"):
        read_run_recipe(tmp_path)


def test_a_file_of_the_same_name_but_made_otherwise_is_not_passed_over_in_silence():
    (other,) = artifact_sections(RECIPE, [{"format": "onnx", "scheme": "fp32", "opset": 20}])
    with pytest.raises(RunError, match="has onnx fp32 already, with another opset"):
        with_files(RECIPE, [other])
