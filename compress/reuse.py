"""Files that need not be made again: a record beside them says what they were made from."""

import json
import shutil
from pathlib import Path
from typing import Any

from compress.files import tree_files, tree_sha256, write_atomically
from compress.recipe import content_hash
from compress.stage import StageContext

RECORDS = ".made-from"
"""Folder of the records, one JSON file a name."""


def made_before(context: StageContext[Any], name: str, key: str) -> Any:
    """Return what was noted with files of this key, which are in the stage's folder now; or None.

    Files are looked for in the folder itself (an interrupted run) and in what the stage finished
    before under another key, from where they are copied. One that is damaged is not taken.

    Args:
        context: Of the stage.
        name: Of the record.
        key: Hash of everything that the files depend on.
    """
    for folder in (context.folder, context.previous):
        record = None if folder is None else _read(folder / RECORDS / f"{name}.json")
        if folder is None or record is None or record["key"] != _of_this_code(context, key):
            continue
        hashes = record["files"]
        if any(_hash(folder / path) != sha256 for path, sha256 in hashes.items()):
            continue
        if folder != context.folder:
            for path in hashes:
                _copy(folder / path, context.folder / path)
            note_made(context, name, key, tuple(hashes), record["note"])
        return record["note"]
    return None


def note_made(
    context: StageContext[Any], name: str, key: str, paths: tuple[str, ...], note: Any
) -> None:
    """Write down what files were made from.

    Args:
        context: Of the stage.
        name: Of the record.
        key: Hash of everything that the files depend on.
        paths: Files and folders, relative to the stage's folder.
        note: JSON-able, given back by `made_before`; never None.
    """
    folder = context.folder / RECORDS
    folder.mkdir(exist_ok=True)
    files = {path: tree_sha256(context.folder / path) for path in paths}
    record = {"key": _of_this_code(context, key), "files": files, "note": note}
    write_atomically(folder / f"{name}.json", json.dumps(record, indent=1))


def _of_this_code(context: StageContext[Any], key: str) -> str:
    return content_hash([context.version, key])


def _read(path: Path) -> dict[str, Any] | None:
    try:
        found = json.loads(path.read_text(encoding="utf-8"))
    except (OSError, ValueError):
        return None
    is_record = isinstance(found, dict) and {"key", "files", "note"} <= set(found)
    return found if is_record else None


def _hash(path: Path) -> str | None:
    try:
        return tree_sha256(path)
    except OSError:
        return None


def _copy(source: Path, target: Path) -> None:
    for file in tree_files(source):
        place = target / file.relative_to(source) if source.is_dir() else target
        place.parent.mkdir(parents=True, exist_ok=True)
        shutil.copyfile(file, place)
