"""What a stage says of the validation split, for the stages after it."""

import json
from collections.abc import Mapping
from pathlib import Path

from compress.files import write_atomically

VALIDATION = "validation.json"


def write_validation(folder: Path, ndcg: Mapping[str, float]) -> None:
    """Keep the validation NDCG@10 of what a stage made, by name."""
    write_atomically(folder / VALIDATION, json.dumps(dict(ndcg), indent=1))


def read_validation(folder: Path) -> dict[str, float]:
    """Return what `write_validation` kept."""
    values: dict[str, float] = json.loads((folder / VALIDATION).read_text(encoding="utf-8"))
    return values
