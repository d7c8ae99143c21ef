"""Which classes are lost, on a table small enough to do by hand."""

import pytest

from benchmarks.report.build import build_report
from benchmarks.report.classes import class_table
from benchmarks.report.data import ClassData
from benchmarks.report.task_view import task_view

VIEW = task_view("text-label")


def classes(*f1: float, support: tuple[int, ...] = (50, 4, 30, 0)) -> dict[str, ClassData]:
    names = ("Dresses", "Trend", "Skirts", "Chemises")
    return {
        name: ClassData(precision=one, recall=one, f1=one, support=number, predicted=int(one > 0))
        for name, one, number in zip(names, f1, support, strict=True)
    }


@pytest.fixture(scope="module")
def report(text_label_inputs):
    """Teacher, student and the file to ship with four classes, the last without a test text."""
    measured = build_report(text_label_inputs)
    file = next(one for one in measured.artifacts if one.path == measured.best)
    return measured.model_copy(
        update={
            "teacher": measured.teacher.model_copy(update={"classes": classes(0.9, 0.5, 0.6, 0)}),
            "student": measured.student.model_copy(update={"classes": classes(0.8, 0.5, 0.5, 0)}),
            "student_without_teacher": measured.student_without_teacher.model_copy(
                update={"classes": None}
            ),
            "artifacts": (file.model_copy(update={"classes": classes(0.95, 0.0, 0.5, 0)}),),
        }
    )


def test_the_worst_loss_comes_first_and_untested_classes_last(report):
    table = class_table(report, VIEW)
    assert table.compared == "onnx int8-dynamic"
    assert [name for name, _ in table.rows] == ["Trend", "Skirts", "Dresses", "Chemises"]
    assert [cells[1].text for _, cells in table.rows] == ["−0.500", "−0.100", "+0.050", "–"]
    assert [cells[1].falls for _, cells in table.rows] == [True, True, False, False]
    assert [cells[0].text for _, cells in table.rows] == ["4", "30", "50", "0"]


def test_each_model_with_classes_has_a_column_with_precision_and_recall(report):
    table = class_table(report, VIEW)
    assert table.models == ("teacher", "student", "onnx int8-dynamic")
    trend = dict(table.rows)["Trend"][2:]
    assert [cell.text for cell in trend] == ["0.500", "0.500", "0.000"]
    assert [cell.note for cell in trend] == ["P 0.50 · R 0.50"] * 2 + ["never answered"]
    assert {cell.note for cell in dict(table.rows)["Chemises"][2:]} == {"not tested"}


def test_the_sentence_names_the_worst(report):
    assert class_table(report, VIEW).sentence == (
        "By class: onnx int8-dynamic loses F1 against the teacher in 2 of 3, most in "
        "Trend 0.50 → 0.00 (4 texts); Skirts 0.60 → 0.50 (30 texts)."
    )


def test_without_a_file_to_ship_the_student_is_compared(report):
    none = report.model_copy(update={"best": None})
    assert class_table(none, VIEW).compared == "student"


def test_no_loss_is_said_too(report):
    same = report.model_copy(update={"best": None, "teacher": report.student})
    assert class_table(same, VIEW).sentence == (
        "By class: student loses F1 against the teacher in none of 3."
    )


def test_a_task_without_classes_has_no_table(inputs):
    assert class_table(build_report(inputs), task_view("next-item")) is None
