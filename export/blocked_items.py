"""Items that must never be recommended, whatever a model says of them.

A recipe names them (`export.blocked_items`), as ids or as a text file. They are ruled out inside
every graph (`export.deploy`), and answers are held against them (`export.ranking_verification`).
"""

import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from difflib import get_close_matches
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from compress.errors import RecipeError
from compress.recipe import NextItemRecipe, content_hash
from compress.tasks.item_codes import FIRST_ITEM

KEY = "export.blocked_items"
ITEM_MAP = "item-map.json"
"""Of an export folder: which item each code stands for."""
BLOCKED = "blocked"
"""Its key for the codes of blocked items; left out where nothing is blocked."""
COMMENT = "#"
ESCAPED_COMMENT = "\\#"
"""How a line of a file begins whose id begins with `#`."""
_MOST_NAMED = 20
"""Unknown ids that a message names one by one."""


@dataclass(frozen=True)
class BlockedItems:
    """The blocked part of a catalogue."""

    codes: tuple[int, ...] = ()
    """Item codes, ascending, each once."""
    sha256: str = ""
    """`item_map_sha256` of their ids in code order; empty where nothing is blocked."""

    def __len__(self) -> int:
        return len(self.codes)

    @property
    def array(self) -> NDArray[np.int32]:
        """The codes, int32 `[n]`."""
        return np.array(self.codes, dtype=np.int32)


NOTHING_BLOCKED = BlockedItems()


@dataclass(frozen=True)
class _Named:
    """An id, and where a person finds it."""

    item: str
    where: str


def blocked_items(
    recipe: NextItemRecipe, recipe_folder: Path, item_ids: Sequence[str]
) -> BlockedItems:
    """Return what a recipe blocks of a catalogue.

    Args:
        recipe: Its `export.blocked_items`, and how many items a file returns.
        recipe_folder: Where a relative path starts from.
        item_ids: Of the catalogue, in code order.

    Raises:
        RecipeError: The list cannot be read, names what the catalogue lacks (all such ids are
            listed), has an id as a comment, or leaves fewer items than a file returns.
    """
    named = _named(recipe, recipe_folder)
    if not named:
        return NOTHING_BLOCKED
    from compress.data.catalogue import item_map_sha256

    code_of = {item: place + FIRST_ITEM for place, item in enumerate(item_ids)}
    _refuse_ids_as_comments(recipe, recipe_folder, code_of)
    unknown = [one for one in named if one.item not in code_of]
    if unknown:
        raise RecipeError(_unknown_message(unknown, item_ids))
    codes = sorted({code_of[one.item] for one in named})
    _refuse_too_many(len(codes), len(item_ids), recipe.task.top_k)
    ids = [item_ids[code - FIRST_ITEM] for code in codes]
    return BlockedItems(tuple(codes), item_map_sha256(ids))


def blocked_fingerprint(recipe: NextItemRecipe, recipe_folder: Path) -> object:
    """Return what an export depends on of the user's file: which ids it names; None: no file.

    Comments, blank lines, repetitions and the order of the lines change nothing.

    Raises:
        RecipeError: The file cannot be read, or names no id.
    """
    if not isinstance(recipe.export.blocked_items, str):
        return None
    return content_hash(sorted({one.item for one in _named(recipe, recipe_folder)}))


def exported_blocked_items(export_folder: Path) -> BlockedItems:
    """Return what the files of an export never return, as its item map says."""
    item_map = json.loads((export_folder / ITEM_MAP).read_text(encoding="utf-8"))
    return BlockedItems(tuple(item_map.get(BLOCKED, ())), item_map.get("blocked_sha256", ""))


def _named(recipe: NextItemRecipe, recipe_folder: Path) -> list[_Named]:
    given = recipe.export.blocked_items
    if isinstance(given, str):
        path = recipe_folder / given
        lines = [one for one in _lines(path, given) if not one.item.startswith(COMMENT)]
        if not lines:
            raise RecipeError(
                f"{KEY}: {path} names no id: is it cut off? Give one id a line; to block nothing, "
                "write blocked_items: [] in the recipe."
            )
        return [_Named(_unescaped(one.item), one.where) for one in lines]
    return [_Named(item, f"{KEY}[{place}]") for place, item in enumerate(given)]


def _unescaped(line: str) -> str:
    return line[1:] if line.startswith(ESCAPED_COMMENT) else line


def _refuse_ids_as_comments(
    recipe: NextItemRecipe, recipe_folder: Path, code_of: Mapping[str, int]
) -> None:
    """Refuse a comment that is an item's id: nobody can tell whether it was meant to be blocked."""
    given = recipe.export.blocked_items
    if not isinstance(given, str):
        return
    found = [one for one in _lines(recipe_folder / given, given) if one.item.startswith(COMMENT)]
    if ids := [one for one in found if one.item in code_of]:
        lines = (f"  {one.where}: {one.item!r}" for one in ids[:_MOST_NAMED])
        raise RecipeError(
            "\n".join(
                (
                    f"{KEY}: lines that begin with # are comments, and {len(ids):,} of them "
                    f"{'is an id' if len(ids) == 1 else 'are ids'} of the catalogue. Write "
                    "\\# in place of # to block the item, other words to leave it:",
                    *lines,
                )
            )
        )


def _lines(path: Path, given: str) -> list[_Named]:
    """Read the lines of a file that are not blank, comments too."""
    try:
        lines = path.read_text(encoding="utf-8-sig").splitlines()
    except FileNotFoundError as error:
        raise RecipeError(
            f"{KEY}: {path} is not there. It is a text file with one id a line, relative to the "
            f"recipe file; a single id is written as a list: [{given!r}]."
        ) from error
    except OSError as error:
        raise RecipeError(
            f"{KEY}: {path} cannot be read: {error.strerror}. Give a text file with one id a line."
        ) from error
    except UnicodeDecodeError as error:
        raise RecipeError(
            f"{KEY}: {path} is not UTF-8 text (byte {error.start}). Save it as UTF-8, one id a "
            "line."
        ) from error
    items = ((number, line.strip()) for number, line in enumerate(lines, start=1))
    return [_Named(item, f"{path}:{number}") for number, item in items if item]


def _unknown_message(unknown: Sequence[_Named], item_ids: Sequence[str]) -> str:
    lines = [f"  {one.where}: {one.item!r}{_hint(one.item, item_ids)}" for one in unknown]
    if len(lines) > _MOST_NAMED:
        lines[_MOST_NAMED:] = [f"  and {len(lines) - _MOST_NAMED:,} more"]
    are = "is" if len(unknown) == 1 else "are"
    return "\n".join(
        (
            f"{KEY}: {len(unknown):,} of its ids {are} not in the catalogue of {len(item_ids):,} "
            "items. Nothing is exported with an item that may be blocked under another name; "
            "mend the ids or remove them:",
            *lines,
        )
    )


def _hint(item: str, item_ids: Sequence[str]) -> str:
    close = get_close_matches(item, item_ids, n=1)
    return f" (did you mean {close[0]!r}?)" if close else ""


def _refuse_too_many(blocked: int, items: int, top_k: int) -> None:
    needed, left = min(top_k, items), items - blocked
    if left < needed:
        raise RecipeError(
            f"{KEY} blocks {blocked:,} of the catalogue's {items:,} items, and {left:,} are fewer "
            f"than the {needed:,} that a file returns (task.top_k). Block fewer, or lower "
            "task.top_k (20 at least)."
        )
