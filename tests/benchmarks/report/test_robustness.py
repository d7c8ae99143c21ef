"""What the page says of damaged inputs: only what the intervals support."""

import pytest
from jinja2 import Environment, PackageLoader, StrictUndefined

from benchmarks.report.robustness import robustness_finding, robustness_section
from benchmarks.report.robustness_figures import robustness_figures
from benchmarks.report.shape import IntervalData
from benchmarks.robustness.damage import HISTORY_DAMAGES, TEXT_DAMAGES
from benchmarks.robustness.data import (
    DamageData,
    KeptData,
    PopularityShiftData,
    RobustnessData,
    RobustRowData,
    ShiftData,
)

EVEN = (0.01, -0.02, 0.04)
MORE = (-0.077, -0.123, -0.031)
LESS = (0.05, 0.01, 0.09)


def interval(value, low, high):
    return IntervalData(value=value, low=low, high=high)


def answers(difference, *, names=("teacher", "student", "onnx <int8>"), short=2):
    """The teacher keeps 0.8, the others that and the difference."""
    found = []
    for name in names:
        own = None if name == "teacher" else interval(*difference)
        kept = 0.8 if own is None else 0.8 + own.value
        found.append(
            KeptData(
                row=name,
                quality=interval(0.1 * kept, 0.08 * kept, 0.12 * kept),
                kept=interval(kept, kept - 0.05, kept + 0.05),
                difference=own,
                short_lists=short,
            )
        )
    return tuple(found)


def robustness(special=None, *, damages=HISTORY_DAMAGES, shift=None, names=None, **other):
    """A run in which only the damages named in `special` have another difference than EVEN."""
    names = names or ("teacher", "student", "onnx <int8>")
    roles = ("teacher", "student", "artifact")
    is_text = damages is TEXT_DAMAGES
    fields = {
        "metric": "macro_f1" if is_text else "ndcg@10",
        "damaged": "text" if is_text else "history",
        "cases": 500,
        "of_cases": 500,
        "rows": tuple(
            RobustRowData(name=name, role=role, quality=interval(0.1, 0.08, 0.12))
            for name, role in zip(names, roles, strict=False)
        ),
        "damages": tuple(
            DamageData(
                kind=one.kind,
                level=one.level,
                name=one.name,
                changed=500,
                targets_in_input=None if is_text else 3,
                answers=answers(
                    (special or {}).get(one.name, EVEN), names=names, short=None if is_text else 2
                ),
            )
            for one in damages
        ),
        "popularity_shift": shift,
        "popularity_shift_because": None if shift else "Because of the split.",
    }
    return RobustnessData(**{**fields, **other})


def shifted(difference=EVEN):
    groups = tuple(
        ShiftData(
            third=third, cases=30, least=place, greatest=place + 1.0, answers=answers(difference)
        )
        for place, third in ((-2.0, "lower"), (0.0, "middle"), (2.0, "upper"))
    )
    return PopularityShiftData(training_events=80_000, test_events=10_000, groups=groups)


def test_intervals_that_contain_0_show_nothing():
    assert robustness_finding(robustness()) == (
        "No damage is shown to cost the student more of its NDCG@10 than the teacher: none of the "
        "11 intervals of the difference lies below 0."
    )


def test_where_the_student_lost_more_comes_first_with_both_shares_and_the_interval():
    found = robustness_finding(robustness({"50% of events random": MORE, "no events": LESS}))
    assert found == (
        "The student lost more of its NDCG@10 than the teacher under 1 of 11 damages: 50% of "
        "events random (the student keeps 72.3%, the teacher 80.0%: −7.7 points [−12.3, −3.1]). "
        "It lost less under 1 of 11: no events (the student keeps 85.0%, the teacher 80.0%: "
        "+5.0 points [+1.0, +9.0])."
    )


def test_an_interval_that_touches_0_is_no_finding():
    found = robustness_finding(robustness({"no events": (-0.1, -0.2, 0.0)}))
    assert found.startswith("No damage is shown")


def test_a_teacher_without_quality_leaves_nothing_to_compare():
    damages = tuple(
        one.model_copy(
            update={
                "answers": tuple(
                    answer.model_copy(update={"kept": None, "difference": None})
                    for answer in one.answers
                )
            }
        )
        for one in robustness().damages
    )
    data = robustness().model_copy(update={"damages": damages})
    section = robustness_section(data)
    assert section.finding.startswith("Teacher or student has no NDCG@10 on undamaged inputs")
    assert section.sentences == ()
    assert section.table.rows[0][1][0].text == "–"
    assert all(
        trace["y"] == [100.0]
        for figure in robustness_figures(data).values()
        for trace in figure["traces"]
    )


def test_the_number_of_comparisons_is_admitted():
    """11 damages x 2 rows; with three thirds of the cases 28: 5% of them is 1.4."""
    assert "The tables hold 22 comparisons" in robustness_section(robustness()).sentences[1]
    section = robustness_section(robustness(shift=shifted()))
    assert "The tables hold 28 comparisons" in section.sentences[1]
    assert "about 1.4 of them would still exclude 0" in section.sentences[1]


def test_the_table_marks_what_excludes_0_and_nothing_else():
    table = robustness_section(
        robustness({"last event": MORE, "30% of events dropped": LESS})
    ).table
    notes = {name: cells[2].note for name, cells in table.rows}
    assert notes["last event"] == "−12.3 to −3.1, lost more"
    assert notes["30% of events dropped"] == "+1.0 to +9.0, lost less"
    assert notes["no events"] == "−2.0 to +4.0"
    assert [cell.text for cell in dict(table.rows)["last event"]] == [
        "80.0", "72.3", "−7.7", "72.3", "−7.7",
    ]  # fmt: skip
    assert len(table.headings) == 5


def test_the_metric_itself_is_there_with_the_undamaged_inputs_first():
    metrics = robustness_section(robustness()).metrics
    assert metrics.rows[0][0] == "undamaged"
    assert metrics.rows[0][1][0].text == "0.1000"
    assert len(metrics.rows) == 12


def test_the_protocol_says_what_of_histories():
    said = " ".join(robustness_section(robustness()).protocol)
    assert "the same 500 test cases under the same damage" in said
    assert "What the user has really seen stays out of every list" in said
    assert "the very target in up to 3 of 500 cases" in said
    assert "In up to 2 of 500 cases fewer than 10 items were left" in said


@pytest.mark.parametrize(
    ("damaged", "says"),
    [("text", "The texts are damaged"), ("query", "The queries (never the products) are damaged")],
)
def test_the_protocol_says_what_of_texts(damaged, says):
    data = robustness(damages=TEXT_DAMAGES, damaged=damaged, of_cases=3386)
    said = " ".join(robustness_section(data).protocol)
    assert says in said
    assert "500 of the 3,386 test" in said
    assert "seen" not in said


def test_popularity_that_was_not_measured_is_said_and_why():
    section = robustness_section(robustness())
    assert section.shift is None
    assert section.shift_sentence == "Popularity shift: not measured. Because of the split."


def test_popularity_shift_has_a_row_a_third_named_by_its_range():
    section = robustness_section(robustness(shift=shifted()))
    assert [name for name, _ in section.shift.rows] == [
        "popularity × 0.250 to 0.500 (30 cases)",
        "popularity × 1.00 to 2.00 (30 cases)",
        "popularity × 4.00 to 8.00 (30 cases)",
    ]
    assert section.shift_sentence.startswith("Popularity shift: no third of the cases is shown")
    assert "80,000 events of training to the 10,000 of the test period" in section.shift_sentence
    lost = robustness_section(robustness(shift=shifted(MORE))).shift_sentence
    assert lost.startswith("Where popularity moved the student lost more than the teacher:")


def test_without_a_file_there_are_two_rows():
    section = robustness_section(robustness(names=("teacher", "student")))
    assert len(section.table.headings) == 3
    assert section.keys == (("teacher", "teacher"), ("student", "student"))


# ------------------------------------------------------------------------------------ pictures


def test_there_is_a_picture_a_kind_of_damage_on_one_scale():
    figures = robustness_figures(robustness())
    assert list(figures) == ["robustness-drop", "robustness-noise", "robustness-cold"]
    assert [name for name, _ in robustness_section(robustness()).pictures] == list(figures)
    assert len({str(one["layout"]["yaxis"]["range"]) for one in figures.values()}) == 1
    assert list(robustness_figures(robustness(damages=TEXT_DAMAGES))) == [
        "robustness-words-dropped",
        "robustness-typos",
        "robustness-first-words",
    ]


def test_a_line_goes_from_all_that_a_model_has_to_what_it_keeps():
    figures = robustness_figures(robustness({"50% of events dropped": MORE}))
    teacher, student, file = figures["robustness-drop"]["traces"]
    assert teacher["y"] == pytest.approx([100.0, 80.0, 80.0, 80.0])
    assert student["y"] == pytest.approx([100.0, 81.0, 81.0, 72.3])
    assert student["x"] == pytest.approx([0.0, 10.0, 30.0, 50.0])
    assert student["error_y"]["array"] == pytest.approx([0.0, 5.0, 5.0, 5.0])
    assert teacher["x"][1] < student["x"][1] < file["x"][1]
    assert [one["meta"]["colour"] for one in (teacher, student, file)] == [
        "teacher",
        "student",
        "artifact",
    ]
    assert file["name"] == "onnx &lt;int8&gt;"
    cold = figures["robustness-cold"]["layout"]["xaxis"]
    assert cold["ticktext"] == ["all", "4", "3", "2", "1", "0"]


@pytest.mark.parametrize("shift", [None, shifted()])
def test_the_page_lays_out_all_of_it(shift):
    templates = Environment(
        loader=PackageLoader("benchmarks.report"), autoescape=True, undefined=StrictUndefined
    )
    section = robustness_section(robustness(shift=shift))
    page = templates.get_template("robustness.html.j2").render(robustness=section)
    assert section.finding in page
    assert page.count("data-figure=") == 3
    assert page.count("<table") == (2 if shift is None else 3)
    assert "onnx &lt;int8&gt;" in page
    assert "<int8>" not in page
