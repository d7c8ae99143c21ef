"""The recipe of a run: what it was started with, and the files that were added since."""

import json
import os
from collections.abc import Sequence
from pathlib import Path
from typing import Any, TypeVar

from compress.errors import RunError
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
    """Keep the recipe in the run's folder, without the files that were added to the run.

    Args:
        folder: Of the run.
        recipe: The job.
        recipe_folder: Where relative paths in the recipe start from.
    """
    data = recipe.model_dump(mode="json")
    added = {one["name"] for one in _read_added(folder)}
    names = [one.name for one in recipe.export.artifacts]
    sections = zip(names, data["export"]["artifacts"], strict=True)
    data["export"]["artifacts"] = [one for name, one in sections if name not in added]
    write_atomically(folder / RECIPE, recipe_yaml(type(recipe).model_validate(data)))
    relative = os.path.relpath(recipe_folder, folder)
    write_atomically(folder / _WHERE, json.dumps({"recipe_folder": relative}))


def read_run_recipe(folder: Path) -> tuple[Recipe, Path]:
    """Return a run's recipe, added files included, and where its relative paths start from.

    Raises:
        RunError: The folder is no run's.
        RecipeError: What it holds is no recipe of this version.
    """
    if not (folder / RECIPE).is_file():
        raise RunError(
            f"{folder} is not the folder of a run: it has no {RECIPE}. Give one that "
            "`limbeck run` made, or run the recipe again: what can be used of it is used again."
        )
    recipe = read_recipe(folder / RECIPE)
    try:
        where = str(json.loads((folder / _WHERE).read_text(encoding="utf-8"))["recipe_folder"])
    except (OSError, ValueError, KeyError, TypeError):
        where = "."
    return with_added(recipe, folder), (folder / where).resolve()


def with_added(recipe: RecipeT, folder: Path) -> RecipeT:
    """Return the recipe with the files that were added to the run in `folder`, if any were.

    What the recipe itself has come to name is the recipe's.
    """
    own = {one.name for one in recipe.export.artifacts}
    added = [one["section"] for one in _read_added(folder) if one["name"] not in own]
    if not added:
        return recipe
    data = recipe.model_dump(mode="json")
    data["export"]["artifacts"] += added
    return type(recipe).model_validate(data)


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


def add_artifacts(folder: Path, recipe: RecipeT, sections: Sequence[ArtifactSection]) -> RecipeT:
    """Note files that a run is to have besides those of its recipe.

    Args:
        folder: Of the run.
        recipe: Its recipe, earlier additions included.
        sections: What to add; what is there already, alike, stays as it is.

    Returns:
        The recipe with them.

    Raises:
        RunError: The run has a file of the same name, made with other settings.
    """
    there = {one.name: one for one in recipe.export.artifacts}
    for one in sections:
        other = there.get(one.name, one)
        keys = [key for key in type(one).model_fields if getattr(one, key) != getattr(other, key)]
        if set(keys) - {"optional"}:
            raise RunError(
                f"{folder} has {one.name} already, with another {', '.join(keys)}. Change its line "
                "in the recipe and run that again, or ask for another scheme or target."
            )
    fresh = [
        {"name": one.name, "section": one.model_dump(mode="json")}
        for one in sections
        if one.name not in there
    ]
    write_atomically(folder / ADDED, json.dumps([*_read_added(folder), *fresh], indent=1))
    return with_added(recipe, folder)


def forget_added(folder: Path, names: Sequence[str]) -> None:
    """Take back additions, such as files that turned out not to be possible here."""
    kept = [one for one in _read_added(folder) if one["name"] not in names]
    write_atomically(folder / ADDED, json.dumps(kept, indent=1))


def _read_added(folder: Path) -> list[dict[str, Any]]:
    try:
        found = json.loads((folder / ADDED).read_text(encoding="utf-8"))
    except FileNotFoundError:
        return []
    except (OSError, ValueError) as error:
        raise RunError(f"{folder / ADDED} is damaged: {error}. Remove it.") from error
    return list(found)
