"""The stage that groups the data set's users: a table of others is told before any training."""

import json
from pathlib import Path
from typing import Any

import numpy as np

from compress.data.grouping import Grouping
from compress.data.users import UserGroups, dataset_user_ids, user_groups, users_fingerprint
from compress.files import write_atomically
from compress.recipe import NextItemRecipe
from compress.stage import Stage, StageContext

NAME = "user-groups"
_GROUPS = "groups.json"
_CODES = "codes.npy"
"""int64 `[columns, U]`: the group of each user of the data set."""


def group_users(context: StageContext[NextItemRecipe]) -> None:
    """Write the group of every user of the data set, by each column."""
    recipe = context.recipe
    ids = dataset_user_ids(context.inputs["dataset"])
    context.progress.advance(f"{len(ids):,} users")
    found = user_groups(recipe.groups, recipe.data.source, context.recipe_folder, ids)
    codes = [one.codes for one in found.groupings]
    np.save(context.folder / _CODES, np.array(codes, dtype=np.int64).reshape(len(codes), len(ids)))
    columns = [{"column": one.column, "names": one.names} for one in found.groupings]
    content = {"columns": columns, "warnings": found.warnings}
    write_atomically(context.folder / _GROUPS, json.dumps(content, indent=1))


def read_user_groups(folder: Path) -> UserGroups:
    """Return what the stage wrote.

    Args:
        folder: Of the finished stage.
    """
    content: dict[str, Any] = json.loads((folder / _GROUPS).read_text(encoding="utf-8"))
    codes = np.load(folder / _CODES)
    return UserGroups(
        groupings=tuple(
            Grouping(one["column"], tuple(one["names"]), own)
            for one, own in zip(content["columns"], codes, strict=True)
        ),
        warnings=tuple(content["warnings"]),
    )


def _users(recipe: NextItemRecipe, recipe_folder: Path) -> object:
    return users_fingerprint(recipe.groups, recipe.data.source, recipe_folder)


USER_GROUPS = Stage(
    name=NAME,
    title="Group the users",
    needs=("dataset",),
    version=1,
    settings=lambda recipe: recipe.groups.model_dump(mode="json", exclude={"minimum_cases"}),
    outside=_users,
    work=group_users,
    keep_partial=False,
)
