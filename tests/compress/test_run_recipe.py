"""A run remembers its recipe, and the files that were added to it."""

import pytest

from compress.errors import RecipeError, RunError
from compress.recipe import CoreMl, NextItemRecipe
from compress.run_recipe import (
    add_artifacts,
    artifact_sections,
    forget_added,
    read_run_recipe,
    with_added,
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


def test_added_files_are_part_of_the_run_and_not_of_its_recipe(run, tmp_path):
    grown = add_artifacts(run, RECIPE, [COREML])
    assert grown.export.artifacts == (*RECIPE.export.artifacts, COREML)
    write_run_recipe(run, grown, tmp_path)
    assert "coreml" not in (run / "recipe.yaml").read_text()
    assert read_run_recipe(run)[0] == grown
    assert with_added(RECIPE, run) == grown


def test_what_makes_the_model_does_not_change_with_the_files(run):
    assert add_artifacts(run, RECIPE, [COREML]).hash == RECIPE.hash


def test_what_is_there_already_is_not_added_again(run):
    add_artifacts(run, RECIPE, [COREML, RECIPE.export.artifacts[0]])
    assert add_artifacts(run, with_added(RECIPE, run), [COREML]) == with_added(RECIPE, run)
    assert len(with_added(RECIPE, run).export.artifacts) == 3


def test_an_addition_can_be_taken_back(run):
    add_artifacts(run, RECIPE, [COREML])
    forget_added(run, [COREML.name])
    assert with_added(RECIPE, run) == RECIPE


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


def test_a_file_of_the_same_name_but_made_otherwise_is_not_passed_over_in_silence(run):
    add_artifacts(run, RECIPE, [COREML])
    (other,) = artifact_sections(RECIPE, [{"format": "onnx", "scheme": "fp32", "opset": 20}])
    with pytest.raises(RunError, match="has onnx fp32 already, with another opset"):
        add_artifacts(run, with_added(RECIPE, run), [other])
