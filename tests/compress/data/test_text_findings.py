from collections.abc import Callable
from typing import Any

import pytest

from compress.data.text_dataset import TextDataset
from compress.data.text_findings import listed

Prepare = Callable[..., TextDataset]

OUT = ("rows_beyond_first", "rows_without_label", "empty_texts_dropped", "duplicates_removed")
IN = ("train_texts", "validation_texts", "test_texts", "unlabelled_texts")


def files() -> dict[str, list[dict[str, Any]]]:
    rows = [{"text": f"text {n % 90}", "label": "abc"[n % 3], "item": n // 3} for n in range(120)]
    rows += [{"text": "", "label": "a", "item": 1}, {"text": "x", "label": None, "item": None}]
    return {"train": rows, "unlabelled": [{"text": "text 5"}, {"text": ""}, {"text": "new"}]}


@pytest.mark.parametrize("duplicates", ["warn", "remove"])
@pytest.mark.parametrize("empty", ["drop", "keep"])
@pytest.mark.parametrize("group", [None, "item"])
def test_every_row_is_used_or_counted_as_left_out(
    prepare_rows: Prepare, duplicates: str, empty: str, group: str | None
) -> None:
    counts = prepare_rows(
        files(),
        source={"columns": {"group": group}},
        rules={"duplicates": duplicates, "empty_texts": empty},
    ).counts
    assert counts["rows_read"] == 125 == sum(counts[name] for name in (*OUT, *IN))
    assert counts["empty_texts"] == 2
    assert counts["rows_without_label"] == 1
    assert counts["classes"] == 3
    assert ("groups" in counts) == (group is not None)
    assert (counts["duplicates_removed"] > 0) == (duplicates == "remove")
    assert all(type(count) is int for count in counts.values())


def test_scores_have_no_counts_of_classes(prepare_rows: Prepare) -> None:
    rows = [{"query": f"{n // 2}", "product": f"p{n}", "relevance": n % 7} for n in range(80)]
    counts = prepare_rows({"train": rows}, task={"relevance": "score"}, pairs=True).counts
    assert not [name for name in counts if "class" in name or "conflicting" in name]
    assert counts["groups"] == 40


def test_texts_of_none_and_of_several_classes_are_counted(prepare_rows: Prepare) -> None:
    several = [["a"], [], ["a", "b"], ["b", "a", "b"]]
    rows = [{"text": f"text {n}", "label": several[n % 4]} for n in range(40)]
    counts = prepare_rows({"train": rows}, task={"multi_label": True}).counts
    assert counts["texts_of_no_class"] == 10
    assert counts["texts_of_several_classes"] == 20


def test_only_the_first_names_are_listed() -> None:
    assert listed([]) == ""
    assert listed("abcde") == "a, b, c, d, e"
    assert listed("abcdefg") == "a, b, c, d, e and 2 more"
