from collections.abc import Callable
from typing import Any

import pytest

from compress.data.text_dataset import TextDataset

Prepare = Callable[..., TextDataset]


def texts(count: int, labels: Any = ("a", "b"), start: int = 0) -> list[dict[str, Any]]:
    return [
        {"text": f"text {n}", "label": labels[n % len(labels)]} for n in range(start, start + count)
    ]


def only(dataset: TextDataset, *parts: str) -> str:
    """Return the one warning that holds every part."""
    found = [warning for warning in dataset.warnings if all(part in warning for part in parts)]
    assert len(found) == 1, dataset.warnings
    return found[0]


def test_clean_data_is_not_warned_of(prepare_rows: Prepare) -> None:
    assert prepare_rows({"train": texts(100)}).warnings == ()


def leaking() -> dict[str, list[dict[str, Any]]]:
    return {
        "train": [*texts(30), {"text": "TEXT  100 ", "label": "a"}, *texts(1, start=101)],
        "validation": texts(5, start=103),
        "test": texts(5, start=100),
        "unlabelled": [{"text": "Text 102"}, {"text": "new"}],
    }


def test_leakage_is_counted_and_warned_of(prepare_rows: Prepare) -> None:
    dataset = prepare_rows(leaking())
    assert dataset.counts["train_texts"] == 32
    assert dataset.counts["unlabelled_texts"] == 2
    # The test has texts 100 to 104, validation 103 to 107.
    assert dataset.counts["duplicates_across_splits"] == 2
    assert dataset.counts["test_texts_in_training"] == 2
    assert dataset.counts["unlabelled_texts_in_validation_or_test"] == 1
    assert dataset.counts["duplicates_removed"] == 0
    only(dataset, "2 training texts and 1 unlabelled ones", "2 of 5 test texts", "remove")
    only(dataset, "2 validation texts are also in the test")


def test_leakage_can_be_removed(prepare_rows: Prepare) -> None:
    dataset = prepare_rows(leaking(), rules={"duplicates": "remove"})
    assert dataset.counts["train_texts"] == 30
    assert dataset.counts["unlabelled_texts"] == 1
    assert dataset.counts["test_texts"] == 5
    assert dataset.counts["duplicates_across_splits"] == 2
    assert dataset.counts["duplicates_removed"] == 3
    only(dataset, "2 training texts and 1 unlabelled ones", "were removed")


def test_classes_that_only_the_test_has_stay_classes(prepare_rows: Prepare) -> None:
    odd = [{"text": f"odd {n}", "label": "z"} for n in range(3)]
    files = {
        "train": texts(40),
        "validation": texts(6, start=50),
        "test": [*texts(6, start=60), *odd],
    }
    dataset = prepare_rows(files)
    assert dataset.classes == ("a", "b", "z")
    assert dataset.split("test").targets[-3:].tolist() == [2, 2, 2]
    assert dataset.counts["test_texts_of_unseen_classes"] == 3
    assert dataset.counts["validation_texts_of_unseen_classes"] == 0
    only(dataset, "3 test texts are of classes that no training text has (z)", "no model can")
    only(dataset, "1 of 3 classes have fewer than 10 training texts: 'z' 0.")


def test_of_several_classes_one_unseen_is_enough(prepare_rows: Prepare) -> None:
    files = {
        "train": texts(40, (["a"], ["a", "b"])),
        "validation": texts(6, (["a"], ["b"]), start=50),
        "test": texts(6, (["a", "z"], ["y", "z"], ["b"]), start=60),
    }
    dataset = prepare_rows(files, task={"multi_label": True})
    assert dataset.counts["test_texts_of_unseen_classes"] == 4
    only(dataset, "4 test texts are of classes that no training text has (y, z)")


def test_classes_with_few_texts_are_named(prepare_rows: Prepare) -> None:
    rows = [*texts(60), *texts(9, ("rare",), start=100)]
    dataset = prepare_rows({"train": rows})
    assert dataset.counts["classes_with_few_training_texts"] == 1
    only(dataset, "1 of 3 classes have fewer than 10 training texts: 'rare' 7")


def test_many_names_are_cut_short(prepare_rows: Prepare) -> None:
    many = texts(21, [f"c{n}" for n in range(7)])
    dataset = prepare_rows({"train": [*texts(60, start=100), *many]})
    assert "and 2 more" in only(dataset, "7 of 9 classes have fewer than 10")


def test_what_is_left_out_is_told(prepare_rows: Prepare) -> None:
    rows = [*texts(100), *texts(2, (None,), start=100), *texts(1, ("NaN",), start=102)]
    rows += [{"text": " ", "label": "b"}, {"text": None, "label": "lost"}]
    dataset = prepare_rows({"train": rows})
    only(dataset, "Left out: 3 rows without a label (column 'label').", "unlabelled")
    only(dataset, "Left out: 2 empty texts (data.empty_texts: drop)")
    only(dataset, "Only rows that were left out have the classes 'lost'")
    assert dataset.counts["classes_without_texts"] == 1


def test_kept_empty_texts_are_told(prepare_rows: Prepare) -> None:
    rows = [*texts(100), {"text": " ", "label": "b"}]
    dataset = prepare_rows({"train": rows}, rules={"empty_texts": "keep"})
    only(dataset, "Kept: 1 empty texts")
    assert sum(dataset.counts[f"{name}_texts"] for name in ("train", "validation", "test")) == 101


def test_classes_that_look_alike_are_named(prepare_rows: Prepare) -> None:
    dataset = prepare_rows({"train": texts(100, ("Shoes", "shoes", "Hats"))})
    only(dataset, "differ only in case or spaces: 'Shoes', 'shoes'")


def test_texts_with_several_answers_are_counted(prepare_rows: Prepare) -> None:
    rows = [*texts(100), {"text": "same", "label": "a"}, {"text": "Same", "label": "b"}]
    files = {
        "train": rows,
        "validation": texts(4, start=200),
        "test": texts(4, start=300),
    }
    dataset = prepare_rows(files)
    assert dataset.counts["training_texts_with_conflicting_labels"] == 1
    assert dataset.counts["duplicates_in_training"] == 1
    only(dataset, "1 different training texts occur with several classes")


def test_a_forgotten_separator_is_noticed(prepare_rows: Prepare) -> None:
    dataset = prepare_rows({"train": texts(100, (["a, b"], ["b"]))}, task={"multi_label": True})
    assert dataset.counts["texts_of_several_classes"] == 0
    only(dataset, "No text has several classes", "label_separator")


def test_a_forgotten_multi_label_is_noticed(prepare_rows: Prepare) -> None:
    source = {"columns": {"label_separator": "|"}}
    labels = ("a", "b", "a|b", ["b", "a"], "c, d")
    dataset = prepare_rows({"train": texts(200, labels)}, source=source)
    only(dataset, "several in one: 'a|b', 'b, a'. If a text", "task.multi_label: true")
    only(dataset, "label_separator does nothing without task.multi_label: true")


def test_groups_in_two_splits_are_counted(prepare_rows: Prepare) -> None:
    rows = [{**row, "product": number // 2} for number, row in enumerate(texts(100))]
    rows[0]["product"] = None
    source = {"columns": {"group": "product"}}
    dataset = prepare_rows({"train": rows}, source=source, rules={"split": {"kind": "stratified"}})
    across = dataset.counts["groups_across_splits"]
    assert across > 5
    only(dataset, f"{across} groups are both trained on and measured on", "kind: grouped")
    only(dataset, "1 rows have no group (column 'product')")
    kept_apart = prepare_rows({"train": rows}, source=source)
    assert kept_apart.counts["groups_across_splits"] == 0


def graded(count: int, start: int = 0) -> list[dict[str, Any]]:
    return [
        {"query": f"q{n % 10}", "product": f"p{n}", "relevance": ("No", "Yes")[n % 3 == 0]}
        for n in range(start, start + count)
    ]


@pytest.mark.parametrize("given", [False, True])
def test_known_queries_in_a_given_test_are_no_fault(prepare_rows: Prepare, given: bool) -> None:
    files = {"train": graded(60), **({"test": graded(20, 100)} if given else {})}
    task = {"gains": {"Yes": 1, "No": 0, "Maybe": 0.5}}
    dataset = prepare_rows(files, task=task, pairs=True)
    assert dataset.counts["groups_across_splits"] == (9 if given else 0)
    assert not [warning for warning in dataset.warnings if "groups are" in warning]
    only(dataset, "task.gains names grades that no pair has: 'Maybe'")
    assert dataset.gains == (0, 1)


def test_a_split_that_does_nothing_is_told(prepare_rows: Prepare) -> None:
    files = {
        "train": texts(40),
        "validation": texts(6, start=50),
        "test": texts(6, start=60),
    }
    dataset = prepare_rows(files, rules={"split": {"kind": "stratified"}})
    only(dataset, "data.split does nothing")
    assert dataset.split_rule == {"kind": "given", "group": None}
