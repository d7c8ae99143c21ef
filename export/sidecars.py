"""What a file's answers are read with: item map, classes and tokenizer, each known by its hash.

An app that reads them with another one shows other items or classes, though every number is right.
"""

import json
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from compress.files import file_sha256
from compress.recipe import content_hash
from compress.tasks.item_codes import FIRST_ITEM


@dataclass(frozen=True)
class Sidecar:
    """One file beside the model."""

    key: str
    """Of the metadata, where its hash is."""
    path: str
    """Within the export folder."""
    what: str
    sha256: Callable[[Path], str]
    """Computes the hash from the content."""


def _item_map_sha256(path: Path) -> str:
    from compress.data.catalogue import item_map_sha256

    found = _json(path)
    if (found["padding"], found["unknown"], found["first_item"]) != (0, 1, FIRST_ITEM):
        raise ValueError(
            f"its codes begin with padding {found['padding']}, unknown {found['unknown']} and "
            f"first_item {found['first_item']}, not with 0, 1 and {FIRST_ITEM}"
        )
    return item_map_sha256(found["items"])


def _blocked_sha256(path: Path) -> str:
    from compress.data.catalogue import item_map_sha256

    found = _json(path)
    codes = sorted(found["blocked"])
    if codes and not FIRST_ITEM <= codes[0] <= codes[-1] < len(found["items"]) + FIRST_ITEM:
        raise ValueError("a blocked code is none of its items")
    return item_map_sha256(found["items"][code - FIRST_ITEM] for code in codes)


def _classes_sha256(path: Path) -> str:
    found = _json(path)
    return content_hash(
        {name: one for name, one in found.items() if name not in {"schema", "classes_sha256"}}
    )


def _json(path: Path) -> dict[str, Any]:
    found: dict[str, Any] = json.loads(path.read_text(encoding="utf-8"))
    return found


SIDECARS = (
    Sidecar("limbeck.item_map_sha256", "item-map.json", "item map", _item_map_sha256),
    Sidecar("limbeck.blocked_sha256", "item-map.json", "list of blocked items", _blocked_sha256),
    Sidecar("limbeck.classes_sha256", "classes.json", "list of classes", _classes_sha256),
    Sidecar("limbeck.tokenizer_sha256", "tokenizer/tokenizer.json", "tokenizer", file_sha256),
)


def sidecar_faults(
    folder: Path, metadata: Mapping[str, str], *, all_are_there: bool
) -> Iterator[str]:
    """Say which sidecars are not those that a file's metadata names.

    Args:
        folder: Where the sidecars are.
        metadata: The file's.
        all_are_there: Whether a missing one is a fault: it is in an export folder.
    """
    for one in SIDECARS:
        expected = metadata.get(one.key)
        if expected is None:
            continue
        path = folder / one.path
        if not path.is_file():
            if all_are_there:
                yield f"{one.path}, which its answers are read with, is not there"
            continue
        try:
            found = one.sha256(path)
        except (ValueError, KeyError, TypeError, AttributeError) as error:
            yield f"{one.path} cannot be read: {error}"
            continue
        if found != expected:
            yield (
                f"{one.path} is not the {one.what} that the file was made with: its sha256 is "
                f"{found[:12]}…, the file names {expected[:12]}…"
            )
