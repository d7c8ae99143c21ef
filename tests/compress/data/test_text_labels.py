from pathlib import Path
from typing import Any

import numpy as np
import pyarrow as pa
import pytest

from compress.data.columns import Column
from compress.data.text_labels import LabelReader, Labels, gains_of
from compress.errors import DataError
from compress.recipe import TextLabel, TextPair

ONE_OF = TextLabel(kind="text-label")
ANY_OF = TextLabel(kind="text-label", multi_label=True)
GRADE = TextPair(kind="text-pair")
SCORE = TextPair(kind="text-pair", relevance="score")


def column(values: Any, first_row: int = 2) -> Column:
    array = pa.array(values)
    return Column(Path("t.csv"), "label", array, np.arange(len(array)) + first_row)


def read(
    task: TextLabel | TextPair, *batches: list[Any], without: tuple[int, ...] = ()
) -> tuple[Labels, tuple[str, ...]]:
    """Read batches and keep every row with a label, except those `without` of the first batch."""
    reader = LabelReader(task, "|")
    for number, cells in enumerate(batches):
        parsed = reader.parse(column(cells))
        wanted = ~parsed.missing
        if number == 0:
            wanted[list(without)] = False
        reader.keep(parsed, wanted)
    return reader.finish()


def written(labels: Labels, folder: Path, rows: list[int]) -> np.ndarray:
    labels.write(folder / "t.npy", np.array(rows))
    array: np.ndarray = np.load(folder / "t.npy")
    return array


def test_classes_are_sorted_names_whatever_came_first(tmp_path: Path) -> None:
    labels, without = read(ONE_OF, ["b", None, "c"], ["", "a", "b"])
    assert labels.classes == ("a", "b", "c")
    assert without == ()
    targets = written(labels, tmp_path, [0, 2, 3])
    assert targets.dtype == np.int64
    assert targets.tolist() == [1, 0, 1]
    assert labels.class_counts(np.array([True, True, False, True])).tolist() == [0, 2, 1]


def test_a_class_of_rows_that_are_left_out_is_none() -> None:
    labels, without = read(ONE_OF, ["b", "z", "a"], ["a"], without=(1,))
    assert labels.classes == ("a", "b")
    assert without == ("z",)
    assert labels.values.tolist() == [1, 0, 0]
    assert labels.owners.tolist() == [0, 1, 2]


def test_any_number_of_classes_become_a_row_of_zeros_and_ones(tmp_path: Path) -> None:
    labels, _ = read(ANY_OF, ["c|a|c", None, "|", "b"], ["a"])
    assert labels.classes == ("a", "b", "c")
    targets = written(labels, tmp_path, [0, 1, 3])
    assert targets.dtype == np.float32
    assert targets.tolist() == [[1, 0, 1], [0, 0, 0], [1, 0, 0]]
    assert labels.class_counts(np.array([True, True, True, False])).tolist() == [1, 1, 1]


def test_scores_are_kept_as_numbers(tmp_path: Path) -> None:
    labels, _ = read(SCORE, ["0.5", "", "-2"], [7.0])
    assert labels.classes == ()
    targets = written(labels, tmp_path, [0, 1, 2])
    assert targets.dtype == np.float32
    assert targets.tolist() == [0.5, -2, 7]


def test_numeric_grades_are_one_class_however_they_are_written() -> None:
    labels, _ = read(GRADE, ["1", "1.0", "3", "0.5"], [3.0, 1.0])
    assert labels.classes == ("0.5", "1", "3")
    assert gains_of(labels.classes, GRADE) == (0.5, 1, 3)


def test_named_grades_have_the_gains_of_the_recipe() -> None:
    task = TextPair(kind="text-pair", gains={"Exact": 3, "Partial": 1, "No": 0})
    labels, _ = read(task, ["No", "Exact", "No"])
    assert labels.classes == ("Exact", "No")
    assert gains_of(labels.classes, task) == (3, 0)
    assert gains_of((), SCORE) is None
    assert gains_of(("a",), ONE_OF) is None


@pytest.mark.parametrize(
    ("cells", "gains", "message"),
    [
        (["1", "Exact"], None, "row 3, column 'label': the grade 'Exact' is not a number.*gains"),
        (["1", "-1"], None, "row 3, .*'-1' cannot be a gain: it is not 0 or more.*task.gains"),
        (["1", "inf"], None, "row 3, .*'inf' cannot be a gain"),
        (["Good", "Bad"], {"Good": 1}, r"row 3, .*'Bad' is not in task.gains \('Good'\)"),
    ],
)
def test_grades_without_a_worth_are_refused(
    cells: list[str], gains: dict[str, float] | None, message: str
) -> None:
    task = TextPair(kind="text-pair", gains=gains)
    with pytest.raises(DataError, match=message):
        LabelReader(task, None).parse(column(cells))
