"""What the page says of the roofline, from figures that are easy to check."""

import pytest
from jinja2 import Environment, PackageLoader, StrictUndefined

from benchmarks.report.roofline import roofline_figure, roofline_section
from benchmarks.roofline.build import Counted, roofline_data
from benchmarks.roofline.cost import GraphCost
from benchmarks.roofline.peaks import Peaks, ProductReading, TransferReading

PEAKS = Peaks(
    threads=1,
    products=(
        ProductReading("fp32", 1000, 1000, 100, 1e-3, 5),  # 100 billion a second
        ProductReading("int8", 1000, 1000, 400, 1e-3, 5),
    ),
    transfers=(TransferReading("read", 10**6, 2e11, 5), TransferReading("copy", 10**9, 4e10, 5)),
    caches={"L2": 10**6},
)
DENSE = GraphCost({"int8": 3 * 10**8, "fp32": 10**8}, 10**6, 10**5, 10**9, 40)
SMALL = GraphCost({"fp32": 10**5}, 10**5, 10**5, 10**5, 50)


def counted(name, cost, measured, because=None):
    return Counted(name, f"export/{name}", "history [1, 50]", cost, because, measured)


def data(*files):
    return roofline_data(list(files), PEAKS)


def test_the_finding_comes_first_and_names_the_best_and_the_least():
    """300 million in int8 take 0.75 ms, 100 million in fp32 1 ms: 1.75 ms."""
    section = roofline_section(data(counted("a", DENSE, 3.5), counted("b", DENSE, 7.0)))
    assert section.sentences[0] == (
        "a reaches 50.0% of what the machine’s multiply-adds allow; the least, b, 25.0%."
    )
    (name, cells), _ = section.table.rows
    assert name == "a"
    assert [cell.text for cell in cells] == [
        *("400", "1.10", "364", "compute", "1.75", "3.50", "50.0"),
    ]
    assert cells[0].note == "int8 75.0%, fp32 25.0%"


def test_where_neither_roof_explains_the_time_operators_do():
    """200 KB at 200 GB/s and 10^5 at 100 billion a second: 1 us each; 53.5 us measured."""
    section = roofline_section(data(counted("a", SMALL, 0.0535)))
    assert section.sentences[0] == (
        "Neither arithmetic nor memory holds a file up: the one nearest to its roof, a, reaches "
        "1.9% of what the machine allows. The rest is 1.05 µs for each of its 50 operators, the "
        "call itself included."
    )
    assert section.table.rows[0][1][3].text == "neither"


def test_the_peaks_are_said_with_their_threads():
    second = roofline_section(data(counted("a", SMALL, 0.051))).sentences[1]
    assert "on 1 thread: 400 in int8, 100 in fp32 (billion multiply-adds a second" in second
    assert "200 GB/s from the nearest cache, 40.0 GB/s from memory" in second


def test_a_share_above_one_is_called_wrong():
    section = roofline_section(data(counted("a", DENSE, 1.0)))
    assert section.cautions[0].startswith("a reaches 175.0%: above 100% the roof is wrong.")


def test_lower_bounds_are_marked_and_the_operators_named():
    odd = GraphCost({"fp32": 10**8}, 10**6, 0, 10**6, 3, {"Det": 2})
    section = roofline_section(data(counted("a", odd, 2.0)))
    assert "Det (2×)" in section.cautions[0]
    assert section.table.rows[0][1][0].text == "≥ 100"


def test_a_file_that_was_not_counted_is_listed_and_one_not_timed_has_no_roof():
    section = roofline_section(
        data(counted("engine", None, None, "it tells nothing"), counted("phone", DENSE, None))
    )
    assert section.not_counted == (("engine", "it tells nothing"),)
    ((name, cells),) = section.table.rows
    assert name == "phone"
    assert [cell.text for cell in cells[3:]] == ["–", "–", "–", "–"]
    assert not section.has_picture
    assert roofline_figure(data(counted("phone", DENSE, None))) == {}


def test_points_lie_under_the_roofs_that_are_drawn():
    figure = roofline_figure(data(counted("a & b", DENSE, 3.5), counted("c", SMALL, 0.051)))
    lines = [one for one in figure["traces"] if one["mode"] == "lines"]
    points = [one for one in figure["traces"] if one["mode"] != "lines"]
    assert [one["name"] for one in lines] == [
        "memory: 40.0 GB/s",
        "L2: 200 GB/s",
        "int8: 400 billion a second",
        "fp32: 100 billion a second",
    ]
    assert [one["name"] for one in points] == ["a &amp; b", "c"]
    (x,), (y,) = points[0]["x"], points[0]["y"]
    assert x == pytest.approx(4e8 / 1.1e6)
    assert y == pytest.approx(4e8 / 3.5e-3 / 1e9)
    slanted = lines[1]
    assert slanted["y"][0] / slanted["x"][0] == pytest.approx(200)
    assert max(slanted["y"]) == 400


def test_the_template_lays_it_out_and_escapes():
    templates = Environment(
        loader=PackageLoader("benchmarks.report"), autoescape=True, undefined=StrictUndefined
    )
    page = templates.from_string(
        '{% from "tables.html.j2" import figures_table %}{% include "roofline.html.j2" %}'
    )
    text = page.render(roofline=roofline_section(data(counted("<a>", SMALL, 0.051))))
    assert '<section id="roofline">' in text
    assert "&lt;a&gt;" in text
    assert 'data-figure="roofline"' in text
