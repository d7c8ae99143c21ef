"""The recipe of a run: what it was started with, and the files that were added since."""

import json
import os
from collections.abc import Sequence
from pathlib import Path
from typing import Any, TypeVar

from compress.errors import RecipeError, RunError
from compress.files import write_atomically
from compress.recipe import ArtifactSection, Recipe
from compress.recipe_file import parse_recipe, read_recipe, recipe_yaml

RECIPE = "recipe.yaml"
"""In a run's folder: the recipe with every default written out."""
ADDED = "added-files.json"
"""Beside it: sections of `export.artifacts` that `limbeck export` added."""
_WHERE = "recipe-folder.json"
"""Where the recipe lay, which relative paths in it start from."""

RecipeT = TypeVar("RecipeT", bound=Recipe)


def write_run_recipe(folder: Path, recipe: Recipe, recipe_folder: Path) -> None:
    """Keep the recipe in the run's folder.

    Args:
        folder: Of the run.
        recipe: The job as it was given, without the files that were added to the run.
        recipe_folder: Where relative paths in the recipe start from.
    """
    write_atomically(folder / RECIPE, recipe_yaml(recipe))
    relative = os.path.relpath(recipe_folder, folder)
    write_atomically(folder / _WHERE, json.dumps({"recipe_folder": relative}))


def read_run_recipe(folder: Path) -> tuple[Recipe, Path]:
    """Return a run's recipe as it was given, and where its relative paths start from.

    Raises:
        RunError: The folder is no run's.
        RecipeError: What it holds is no recipe of this version.
    """
    if not (folder / RECIPE).is_file():
        raise RunError(
            f"{folder} is not the folder of a run: it has no {RECIPE}. Give one that "
            "`limbeck run` made, or run the recipe again: what can be used of it is used again."
        )
    try:
        where = str(json.loads((folder / _WHERE).read_text(encoding="utf-8"))["recipe_folder"])
    except (OSError, ValueError, KeyError, TypeError):
        where = "."
    return read_recipe(folder / RECIPE), (folder / where).resolve()


def with_added(recipe: RecipeT, folder: Path) -> RecipeT:
    """Return the recipe with the files that were added to the run in `folder`, if any were.

    What the recipe itself has come to name is the recipe's.

    Raises:
        RunError: What was noted of them is damaged, or not of this version.
    """
    own = {one.name for one in recipe.export.artifacts}
    added = [one for one in _read_added(folder, recipe) if one.name not in own]
    return with_files(recipe, added) if added else recipe


def with_files(recipe: RecipeT, sections: Sequence[ArtifactSection]) -> RecipeT:
    """Return the recipe with more files.

    Args:
        recipe: The job.
        sections: What to add; what it asks for already, alike, is asked for once.

    Raises:
        RunError: It asks for a file of the same name, made with other settings.
    """
    there = {one.name: one for one in recipe.export.artifacts}
    for one in sections:
        other = there.get(one.name, one)
        keys = [key for key in type(one).model_fields if getattr(one, key) != getattr(other, key)]
        if set(keys) - {"optional"}:
            raise RunError(
                f"The run has {one.name} already, with another {', '.join(keys)}. Change its line "
                f"in the recipe (or in the run's {ADDED}) and run that again, or ask for another "
                "scheme or target."
            )
    data = recipe.model_dump(mode="json")
    data["export"]["artifacts"] += [
        one.model_dump(mode="json") for one in sections if one.name not in there
    ]
    return type(recipe).model_validate(data)


def note_added(folder: Path, recipe: Recipe, sections: Sequence[ArtifactSection]) -> None:
    """Note files that a run has besides those of its recipe.

    Args:
        folder: Of the run.
        recipe: Its recipe, as it was given.
        sections: What was added now.
    """
    own = {one.name for one in recipe.export.artifacts}
    known = {one.name: one for one in (*_read_added(folder, recipe), *sections)}
    kept = [one.model_dump(mode="json") for name, one in known.items() if name not in own]
    write_atomically(folder / ADDED, json.dumps(kept, indent=1))


def artifact_sections(recipe: Recipe, wanted: Sequence[dict[str, Any]]) -> list[ArtifactSection]:
    """Read sections of `export.artifacts` as a recipe of this task has them.

    Args:
        recipe: Its task decides which formats and keys there are.
        wanted: Plain data, such as `{"format": "coreml", "scheme": "fp16"}`.

    Raises:
        RecipeError: One of them is not what a recipe can say; all faults are listed.
    """
    data = recipe.model_dump(mode="json")
    data["export"]["artifacts"] = list(wanted)
    parsed = parse_recipe(json.dumps(data), "the files asked for", has_lines=False)
    return list(parsed.export.artifacts)


def _read_added(folder: Path, recipe: Recipe) -> list[ArtifactSection]:
    path = folder / ADDED
    try:
        found = json.loads(path.read_text(encoding="utf-8"))
        return artifact_sections(recipe, found) if found else []
    except FileNotFoundError:
        return []
    except (OSError, ValueError, RecipeError) as error:
        raise RunError(
            f"{path} is damaged or of another version: {error}. Remove it; the files in it can be "
            "added again with: limbeck export"
        ) from error
