"""A report on texts as a person opens it: its classes sort, and its tables keep their names."""

import re

import pytest

from benchmarks.report.build import build_report
from benchmarks.report.page import render_page

from ..browser import faults, needs_chromium, opened

pytestmark = needs_chromium


@pytest.fixture(scope="module")
def text_page(text_label_inputs) -> str:
    return render_page(build_report(text_label_inputs))


def test_a_text_report_opens_as_silently(text_page, text_label_inputs, tmp_path):
    result = opened(text_page, tmp_path)
    assert faults(result, rows=len(text_label_inputs.measured)) == []
    assert re.search(r"macro-F1, test split</text>", result.document)


def test_a_click_on_a_heading_sorts_the_classes_and_the_next_turns_them(text_page, tmp_path):
    script = """
      const seen = [];
      for (const at of [0, 0, 1, 1]) {
        document.querySelectorAll(".sortable thead button")[at].click();
        const order = document.querySelectorAll(".sortable [aria-sort]");
        const first = document.querySelector(".sortable tbody th").dataset.key;
        seen.push(`${first} ${order[0].ariaSort} ${order.length}`);
      }
      document.title = seen.join(", ");
    """
    result = opened(text_page.replace("</body>", f"<script>{script}</script></body>"), tmp_path)
    assert result.console == ()
    title = re.findall("<title>(.*)</title>", result.document)[0]  # the others are Plotly’s
    assert title.split(", ") == [
        "Blouses ascending 1",
        "Trend descending 1",
        "Chemises ascending 1",  # by test texts: none
        "Dresses descending 1",
    ]


def test_on_a_phone_the_first_column_stays_when_a_table_scrolls(text_page, tmp_path):
    """Every table that scrolls sideways: its row names keep their place."""
    text_page = text_page.replace("<details", "<details open")
    (tmp_path / "inner.html").write_text(text_page, encoding="utf-8")
    moved = (
        "const inner = this.contentDocument; let scrolled = 0, lost = 0;"
        "for (const box of inner.querySelectorAll('.scroll')) {"
        "  const name = box.querySelector('tbody th');"
        "  const before = name.getBoundingClientRect().left;"
        "  box.scrollLeft = 120; scrolled += box.scrollLeft > 0;"
        "  lost += Math.abs(name.getBoundingClientRect().left - before) > 1;"
        "}"
        "document.title = `scrolled ${scrolled} lost ${lost}`"
    )
    frame = (
        '<iframe src="inner.html" style="width:390px;height:800px;border:0" '
        f'onload="setTimeout(() => {{ {moved} }}, 1000)"></iframe>'
    )
    result = opened(f"<!doctype html><title></title>{frame}", tmp_path)
    assert result.console == ()
    assert "<title>scrolled 6 lost 0</title>" in result.document
