import json
from collections.abc import Callable, Mapping, Sequence
from pathlib import Path
from typing import Any

import pytest

from compress.data.prepare_texts import prepare_texts
from compress.data.text_dataset import TextDataset
from compress.recipe import PairData, TextData, TextLabel, TextPair

Rows = Sequence[Mapping[str, Any]]


def write_jsonl(path: Path, rows: Rows) -> str:
    path.write_text("".join(json.dumps(row, ensure_ascii=False) + "\n" for row in rows))
    return path.name


@pytest.fixture
def prepare_rows(tmp_path: Path) -> Callable[..., TextDataset]:
    """Write rows as JSON lines beside a recipe, prepare them and open what came out.

    `files` holds rows by split; `unlabelled` may be given, too. `source`, `rules` and `task` are
    the recipe's keys of those places.
    """

    def run(
        files: Mapping[str, Rows],
        *,
        source: Mapping[str, Any] | None = None,
        rules: Mapping[str, Any] | None = None,
        task: Mapping[str, Any] | None = None,
        pairs: bool = False,
    ) -> TextDataset:
        named: dict[str, Any] = {
            name: write_jsonl(tmp_path / f"{name}.jsonl", rows) for name, rows in files.items()
        }
        if "unlabelled" in named:
            named["unlabelled"] = [named["unlabelled"]]
        data = {"source": {"kind": "table", **named, **(source or {})}, **(rules or {})}
        kind, recipe_task = (PairData, TextPair) if pairs else (TextData, TextLabel)
        prepare_texts(
            kind.model_validate(data),
            recipe_task.model_validate({"kind": recipe_task_kind(pairs), **(task or {})}),
            tmp_path,
            tmp_path / "prepared",
            progress=lambda line: None,
        )
        return TextDataset.open(tmp_path / "prepared")

    return run


def recipe_task_kind(pairs: bool) -> str:
    return "text-pair" if pairs else "text-label"
