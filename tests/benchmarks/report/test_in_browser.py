"""The page as a person opens it: in Chromium, with its picture drawn and its console silent."""

import re

import pytest

from benchmarks.report.build import build_report
from benchmarks.report.page import render_page

from ..browser import faults, needs_chromium, opened

pytestmark = needs_chromium


@pytest.fixture(scope="module")
def page(inputs) -> str:
    return render_page(build_report(inputs))


def test_the_picture_has_a_point_a_row_and_the_console_is_silent(page, inputs, tmp_path):
    result = opened(page, tmp_path)
    assert faults(result, rows=len(inputs.measured)) == []
    assert result.points("validation") == len(inputs.curves)
    assert re.search(r"NDCG@10, test split</text>", result.document)


def test_a_page_with_every_format_opens_too(every_format_inputs, tmp_path):
    result = opened(render_page(build_report(every_format_inputs)), tmp_path)
    timed = [one for one in every_format_inputs.measured if one.row.latency is not None]
    assert faults(result, rows=len(timed)) == []


def test_the_check_finds_a_planted_error(page, inputs, tmp_path):
    planted = page.replace("</body>", "<script>throw new Error('planted')</script></body>")
    (fault,) = faults(opened(planted, tmp_path), rows=len(inputs.measured))
    assert "planted" in fault


def test_the_check_finds_a_picture_that_was_not_drawn(page, inputs, tmp_path):
    empty = page.replace("  drawAll();", "")
    assert empty != page
    assert faults(opened(empty, tmp_path), rows=len(inputs.measured)) == [
        "the picture is not drawn"
    ]


@pytest.mark.parametrize(("inside", "width"), [("", 390), ("<hr style='width: 700px'>", 700)])
def test_on_a_phone_nothing_sticks_out_sideways(every_format_inputs, inside, width, tmp_path):
    """A frame 390 points wide, as phones are; the second page shows that the check can fail."""
    page = render_page(build_report(every_format_inputs))
    styled = page.replace("</style>", "::-webkit-scrollbar { display: none }</style>")
    inner = styled.replace("<body>", f"<body>{inside}")
    (tmp_path / "inner.html").write_text(inner, encoding="utf-8")
    frame = (
        '<iframe src="inner.html" style="width:390px;height:800px;border:0" onload="'
        "setTimeout(() => document.title = 'width ' + "
        'this.contentDocument.documentElement.scrollWidth, 1000)"></iframe>'
    )
    result = opened(f"<!doctype html><title></title>{frame}", tmp_path)
    assert result.console == ()
    assert f"<title>width {width}</title>" in result.document
