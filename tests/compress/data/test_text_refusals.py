from collections.abc import Callable
from typing import Any

import pytest

from compress.data.text_dataset import TextDataset
from compress.errors import DataError

Prepare = Callable[..., TextDataset]


def texts(count: int, labels: Any = ("a", "b"), **more: Any) -> list[dict[str, Any]]:
    return [{"text": f"text {n}", "label": labels[n % len(labels)], **more} for n in range(count)]


def pairs(count: int, grades: tuple[Any, ...]) -> list[dict[str, Any]]:
    return [
        {"query": f"q{n // 3}", "product": f"p{n}", "relevance": grades[n % len(grades)]}
        for n in range(count)
    ]


def test_one_class_teaches_nothing(prepare_rows: Prepare) -> None:
    message = r"train\.jsonl, column 'label': all 15 training texts are of the class 'a'"
    with pytest.raises(DataError, match=message):
        prepare_rows({"train": texts(20, ("a",))})


def test_one_class_in_training_is_refused_whatever_the_test_has(prepare_rows: Prepare) -> None:
    files = {"train": texts(20, ("a",)), "test": texts(20, ("a", "b"))}
    with pytest.raises(DataError, match="all 18 training texts are of the class 'a'"):
        prepare_rows(files)


def test_the_same_classes_everywhere_teach_nothing(prepare_rows: Prepare) -> None:
    with pytest.raises(DataError, match=r"all training texts have the same classes \(a, b\)"):
        prepare_rows({"train": texts(20, (["a", "b"],))}, task={"multi_label": True})
    with pytest.raises(DataError, match=r"all training texts have the same classes \(none\)"):
        prepare_rows({"train": texts(20, ([],))}, task={"multi_label": True})


def test_a_single_class_that_some_texts_have_can_be_learnt(prepare_rows: Prepare) -> None:
    dataset = prepare_rows({"train": texts(20, (["a"], []))}, task={"multi_label": True})
    assert dataset.classes == ("a",)


def test_equal_scores_teach_nothing(prepare_rows: Prepare) -> None:
    with pytest.raises(DataError, match="column 'relevance': all training scores are equal"):
        prepare_rows({"train": pairs(60, (1,))}, task={"relevance": "score"}, pairs=True)


def test_grades_that_are_worth_the_same_rank_nothing(prepare_rows: Prepare) -> None:
    with pytest.raises(DataError, match="task.gains: the grades Bad, Good are all worth 1"):
        prepare_rows(
            {"train": pairs(60, ("Good", "Bad"))},
            task={"gains": {"Good": 1, "Bad": 1}},
            pairs=True,
        )


def test_too_few_texts_say_what_was_left_out(prepare_rows: Prepare) -> None:
    rows = [*texts(3), {"text": "", "label": "a"}, *texts(4, (None,))]
    message = (
        r"train\.jsonl: the validation split has 0 usable texts \(of all rows left out: 4 without "
        r"a label; 1 without text\), at least 2 are needed. Give more texts, or make the shares"
    )
    with pytest.raises(DataError, match=message):
        prepare_rows({"train": rows})


def test_a_class_for_every_text_is_another_column(prepare_rows: Prepare) -> None:
    with pytest.raises(DataError, match="are 40 classes for 40 texts: is 'label' the column of"):
        prepare_rows({"train": texts(40, range(40))})


def test_a_given_file_that_is_too_small_is_named(prepare_rows: Prepare) -> None:
    files = {"train": texts(40), "test": texts(1)}
    with pytest.raises(DataError, match=r"test\.jsonl: the test split has 1 .* Give a test file"):
        prepare_rows(files)


def test_training_texts_that_are_all_in_the_test_leave_nothing(prepare_rows: Prepare) -> None:
    files = {"train": texts(20), "validation": texts(20), "test": texts(20)}
    message = "train split has 0 .*20 removed as duplicates of validation or test"
    with pytest.raises(DataError, match=message):
        prepare_rows(files, rules={"duplicates": "remove"})


def test_a_single_group_cannot_be_divided(prepare_rows: Prepare) -> None:
    source = {"columns": {"group": "product"}}
    with pytest.raises(DataError, match="There are 1 groups, and a group is never divided.*strat"):
        prepare_rows({"train": texts(40, product="p")}, source=source)


def test_a_grouped_split_needs_groups(prepare_rows: Prepare) -> None:
    with pytest.raises(DataError, match="data.split: grouped needs data.source.columns.group"):
        prepare_rows({"train": texts(40)}, rules={"split": {"kind": "grouped"}})


def measured_on(split: str, rows: list[dict[str, Any]], good: list[dict[str, Any]]) -> Any:
    return {"train": good, "validation": good, "test": good, split: rows}


@pytest.mark.parametrize("split", ["validation", "test"])
def test_texts_without_any_class_measure_nothing(prepare_rows: Prepare, split: str) -> None:
    good = texts(20, (["a"], ["b"]))
    message = rf"{split}\.jsonl, column 'label': none of the 5 {split} texts has a class.*Check"
    with pytest.raises(DataError, match=message):
        prepare_rows(measured_on(split, texts(5, ([],)), good), task={"multi_label": True})


@pytest.mark.parametrize("split", ["validation", "test"])
@pytest.mark.parametrize(
    ("grades", "task", "said"),
    [
        ((0,), {}, "none of the 6 {split} pairs has a gain above 0"),
        ((0, 1), {}, "none of the 6 {split} pairs is relevant, of a gain of 2 or more.*gain .* 1"),
        ((0, 1), {"relevant_from": 1.5}, "is relevant, of a gain of 1.5 or more"),
        ((0.5,), {"relevance": "score"}, "all 6 {split} pairs have the score 0.5"),
        (
            (0, 1),
            {"relevance": "score", "relevant_from": 1.5},
            "of a score of 1.5 or more.*lower task.relevant_from: the highest score there is 1",
        ),
    ],
)
def test_pairs_of_which_none_is_to_be_found_measure_nothing(
    prepare_rows: Prepare,
    split: str,
    grades: tuple[float, ...],
    task: dict[str, Any],
    said: str,
) -> None:
    files = measured_on(split, pairs(6, grades), pairs(60, (0, 1, 2)))
    message = rf"{split}\.jsonl, column 'relevance': .*{said.format(split=split)}"
    with pytest.raises(DataError, match=message):
        prepare_rows(files, task=task, pairs=True)


def test_what_can_be_measured_is_let_through(prepare_rows: Prepare) -> None:
    files = measured_on("test", pairs(6, (0, 1)), pairs(60, (0, 1, 2)))
    assert prepare_rows(files, task={"relevant_from": 1.0}, pairs=True).gains == (0, 1, 2)
    scored = prepare_rows(files, task={"relevance": "score"}, pairs=True)
    assert len(scored.split("test")) == 6


def test_a_split_that_is_cut_says_how_to_cut_another(prepare_rows: Prepare) -> None:
    rows = pairs(30, (0,))
    rows[0]["relevance"] = rows[3]["relevance"] = 1
    with pytest.raises(DataError, match=r"train\.jsonl.*none of.*another data\.split\.seed"):
        prepare_rows({"train": rows}, pairs=True)
