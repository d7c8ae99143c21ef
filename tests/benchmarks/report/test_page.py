import json
import re
from dataclasses import replace
from html.parser import HTMLParser

import pytest

from benchmarks.report.build import Measured, build_report
from benchmarks.report.data import ReportData
from benchmarks.report.page import render_page
from benchmarks.report.wording import significant
from export.artifact import NotWritten

HOSTILE = "</script><script>alert('x')</script><img src=x onerror=alert(1)>"


class Elements(HTMLParser):
    """What a browser would see: tags with their attributes, and the text between them."""

    def __init__(self, page: str) -> None:
        super().__init__()
        self.tags: list[tuple[str, dict[str, str | None]]] = []
        self.text: list[str] = []
        self.scripts: list[str] = []
        self._inside = ""
        self.feed(page)

    def handle_starttag(self, tag, attrs):
        self.tags.append((tag, dict(attrs)))
        self._inside = tag

    def handle_endtag(self, tag):
        self._inside = ""

    def handle_data(self, data):
        if self._inside == "script":
            self.scripts.append(data)
        elif self._inside != "style" and data.strip():
            self.text.append(" ".join(data.split()))


@pytest.fixture(scope="module")
def report(inputs) -> ReportData:
    return build_report(inputs)


@pytest.fixture(scope="module")
def page(report) -> str:
    return render_page(report)


@pytest.fixture(scope="module")
def elements(page) -> Elements:
    return Elements(page)


def test_it_is_one_file_that_asks_for_nothing_else(elements):
    for tag, attributes in elements.tags:
        assert tag not in {"link"} or attributes["href"] == "data:,"
        assert "src" not in attributes
        assert tag not in {"img", "iframe", "object", "base", "form"}


def test_plotly_is_inlined_once(elements):
    assert sum("plotly.js v" in script[:200] for script in elements.scripts) == 1
    assert len(elements.scripts) == 3  # figures, Plotly, ours


def test_it_is_laid_out_for_phones_and_for_the_dark(page):
    assert '<meta name="viewport" content="width=device-width, initial-scale=1">' in page
    assert "@media (prefers-color-scheme: dark)" in page
    assert "@media (max-width: 720px)" in page


def test_tables_that_are_wide_scroll_in_their_own_container(page):
    for table in re.finditer(r'<table class="wide"', page):
        assert '<div class="scroll"' in page[table.start() - 140 : table.start()]


def test_it_shows_every_row_and_figure(elements, report):
    text = " ".join(elements.text)
    assert report.headline in elements.text
    for row in (*report.baselines, report.teacher, report.student, *report.artifacts):
        assert row.name in elements.text
        assert f"{row.quality['ndcg@10'].value:.4f}" in elements.text
        assert f"{row.quality_unmasked['mrr@20'].value:.4f}" in elements.text
        assert significant(row.latency.p90_ms) in elements.text
    for shown in (*report.protocol, report.environment.cpu, "100,000", "7 min 11 s"):
        assert shown in text
    assert "Distillation helped" in text


def test_it_claims_nothing_that_the_interval_does_not_support(report):
    gain = report.distillation_gain.model_copy(update={"low": -0.001})
    text = render_page(report.model_copy(update={"distillation_gain": gain}))
    assert "do not show that it helped" in " ".join(text.split())
    assert "Distillation helped" not in text


def test_differences_have_a_minus_sign(report):
    gain = report.distillation_gain.model_copy(update={"value": -0.002, "low": -0.01})
    text = " ".join(
        Elements(render_page(report.model_copy(update={"distillation_gain": gain}))).text
    )
    assert "−0.0020" in text
    assert "95% interval −0.0100 to +" in text
    assert "-0.0020" not in text


def test_a_refused_file_is_named_at_the_top_with_the_reason(inputs):
    last = inputs.measured[-1]
    file = replace(last.row.file, usable=False, refused_because="overlap 0.61, at least 0.9 wanted")
    refused = Measured(replace(last.row, file=file), last.statistics)
    page = render_page(build_report(replace(inputs, measured=[*inputs.measured[:-1], refused])))
    head = page[: page.index('data-figure="trade-off"')]
    assert 'class="banner refused"' in head
    assert "overlap 0.61, at least 0.9 wanted" in head
    assert '<tr class="artifact refused">' in page


def test_a_quick_measurement_says_so(inputs, page):
    assert "Quick measurement" not in page
    assert "Quick measurement" in render_page(build_report(replace(inputs, quick=True)))


def test_a_percentile_with_too_few_queries_is_marked(inputs):
    teacher = inputs.measured[2]
    few = replace(teacher.row.latency, queries=64, p99_ms=None)
    measured = list(inputs.measured)
    measured[2] = Measured(replace(teacher.row, latency=few), teacher.statistics)
    assert "≈ 21.5" in render_page(build_report(replace(inputs, measured=measured)))


def test_hostile_texts_stay_texts(inputs, page):
    """Names, reasons, counts and recipes may hold anything; no element may come of it."""
    last = inputs.measured[-1]
    file = replace(
        last.row.file,
        path=HOSTILE,
        usable=False,
        refused_because=HOSTILE,
        checked_with=HOSTILE,
        target=HOSTILE,
        details={HOSTILE: HOSTILE, "ops": [HOSTILE, HOSTILE]},
        sidecars=(HOSTILE,),
    )
    hostile = replace(
        inputs,
        measured=[
            *inputs.measured[:-1],
            Measured(replace(last.row, name=HOSTILE, file=file), last.statistics),
        ],
        not_written=[NotWritten(HOSTILE, "onnx", "fp32", HOSTILE, optional=False)],
        counts={HOSTILE: 3},
        protocol=[HOSTILE],
        curves={HOSTILE: inputs.curves["student"]},
        timings_s={HOSTILE: 1.0},
        recipe=inputs.recipe.model_copy(update={"name": HOSTILE}),
    )
    attacked = Elements(render_page(build_report(hostile)))
    assert len(attacked.scripts) == 3
    tags = {tag for tag, _ in attacked.tags}
    assert tags - {tag for tag, _ in Elements(page).tags} == {"strong", "ul"}
    assert HOSTILE in attacked.text
    figures = json.loads(attacked.scripts[0])
    names = [trace["name"] for trace in figures["trade-off"]["traces"]]
    # Plotly reads a little HTML in names: it gets them escaped.
    assert names[-1].startswith("&lt;/script&gt;")


# ------------------------------------------------------------------------------ tasks on text


@pytest.fixture(scope="module")
def text_page(text_label_inputs) -> Elements:
    return Elements(render_page(build_report(text_label_inputs)))


def test_a_text_report_speaks_of_texts(text_page):
    for shown in ("Macro-F1", "Top-5 accuracy", "Same answer as", "lower is better"):
        assert shown in text_page.text
    text = " ".join(text_page.text)
    assert "paired over test texts" in text
    assert "Largest probability difference" in text
    for absent in ("NDCG", "masked", "Coverage", "Short lists"):
        assert absent not in text.partition("Protocol")[0]


def test_warnings_of_the_data_stand_at_the_top(text_page, text_label_inputs, elements):
    top = text_page.text[: text_page.text.index("Quality against latency")]
    assert "Worth knowing about the data" in top
    assert set(text_label_inputs.warnings) <= set(top)
    assert "Worth knowing about the data" not in elements.text


def test_every_class_of_every_model_is_in_the_table(text_page, text_label_inputs):
    start = text_page.text.index("Every class: F1, precision and recall")
    table = text_page.text[start : text_page.text.index("Beside what you could take instead")]
    teacher = next(one for one in text_label_inputs.measured if one.row.role == "teacher")
    for name, found in teacher.row.quality.classes.items():
        assert name in table
        if found.support:
            assert f"{found.f1:.3f}" in table
    assert "onnx int8-dynamic − teacher" in table


def test_a_peer_has_a_section_and_a_row_of_its_own(text_page, elements):
    section = text_page.text[text_page.text.index("Beside what you could take instead") :]
    assert "0.842 [0.816, 0.871] times the p90 latency" in " ".join(section[:4])
    assert text_page.text.count("Optimum int8 (plain)") >= 3
    assert "made by another tool" in text_page.text
    assert "Beside what you could take instead" not in elements.text


def test_hostile_class_names_stay_text(text_label_inputs):
    measured = []
    for one in text_label_inputs.measured:
        classes = {
            HOSTILE if name == "Trend" else name: found
            for name, found in one.row.quality.classes.items()
        }
        quality = replace(one.row.quality, classes=classes)
        measured.append(Measured(replace(one.row, quality=quality), one.statistics))
    hostile = replace(text_label_inputs, measured=measured, warnings=[HOSTILE])
    attacked = Elements(render_page(build_report(hostile)))
    assert len(attacked.scripts) == 3
    assert attacked.text.count(HOSTILE) >= 2
    assert "img" not in {tag for tag, _ in attacked.tags}
