import struct
import xml.etree.ElementTree as ET

import pytest

from benchmarks.report.build import build_report
from benchmarks.report.every_figure import every_figure
from benchmarks.report.palette import light_palette
from benchmarks.report.pictures import draw_picture, write_pictures

SVG = "{http://www.w3.org/2000/svg}"


def point(name, x, y, **more):
    return {
        "type": "scatter",
        "mode": "markers+text",
        "name": name,
        "text": [name],
        "x": [x],
        "y": [y],
        "marker": {"symbol": "star-open", "size": 11},
        "meta": {"colour": "artifact"},
        **more,
    }


def figure(*traces, **layout):
    return {"traces": [*traces], "layout": layout}


def texts(svg: bytes) -> list[str]:
    return ["".join(one.itertext()).strip() for one in ET.fromstring(svg).iter(f"{SVG}text")]


def width_and_height(png: bytes) -> tuple[int, int]:
    assert png.startswith(b"\x89PNG")
    return struct.unpack(">II", png[16:24])


@pytest.fixture(scope="module")
def figures(inputs):
    return every_figure(build_report(inputs))


def test_every_figure_becomes_two_small_files(figures, tmp_path):
    written = write_pictures(figures, tmp_path / "pictures")
    assert {"trade-off", "validation", "loss"} <= {*figures}
    assert [one.name for one in written] == [
        f"{name}.{kind}" for name in figures for kind in ("svg", "png")
    ]
    assert all(1000 < one.stat().st_size < 200_000 for one in written)
    assert all(
        width_and_height(one.read_bytes())[0] == 1800 for one in written if one.suffix == ".png"
    )


def test_the_same_figure_makes_the_same_bytes(figures):
    assert draw_picture(figures["trade-off"], "x") == draw_picture(figures["trade-off"], "x")


def test_no_date_and_no_version_is_in_a_file(figures):
    svg, _ = draw_picture(figures["loss"], "loss")
    assert b"<dc:date>" not in svg
    assert b"Matplotlib v" not in svg


def test_points_are_named_beside_them(figures):
    svg, _ = draw_picture(figures["trade-off"], "x")
    found = texts(svg)
    assert {"teacher", "co-occurrence", "onnx int8-dynamic"} <= {*found}
    assert "p90 latency, ms (log scale)" in found
    assert "NDCG@10, test split" in found


def test_lines_are_named_in_a_legend(figures):
    svg, _ = draw_picture(figures["validation"], "x")
    found = texts(svg)
    assert {"teacher 1", "student", "student without teacher"} <= {*found}
    assert not any("kept" in one for one in found)  # showlegend: false


def test_colours_are_those_of_the_page(figures):
    svg, _ = draw_picture(figures["trade-off"], "x")
    palette = light_palette()
    assert palette["teacher"] == "#2b4a7f"  # the light theme's, not the dark one's
    for role in ("teacher", "artifact", "baseline", "surface"):
        assert palette[role].encode() in svg


def test_points_on_one_spot_get_a_legend_instead_of_names_on_each_other():
    crowd = [point(f"a rather long name {number}", 1.0, 1.0) for number in range(24)]
    svg, png = draw_picture(figure(*crowd, xaxis={"type": "log"}, yaxis={}), "x")
    assert len([one for one in texts(svg) if one.startswith("a rather long")]) == 24
    assert width_and_height(png)[1] > 1000  # taller by the rows of its legend


@pytest.mark.parametrize("name", ["$x_1$", "_hidden", "a &lt;b&gt; &amp; c", "日本語", "x\ty"])
def test_names_are_drawn_as_they_are(name):
    shown = {"a &lt;b&gt; &amp; c": "a <b> & c", "x\ty": "x y"}.get(name, name)
    lone = figure(point(name, 1, 2), point("other", 3, 4), xaxis={}, yaxis={})
    assert shown in texts(draw_picture(lone, "x")[0])
    lines = [dict(point(one, 1, 2), mode="lines", x=[1, 2], y=[1, 2]) for one in (name, "other")]
    assert shown in texts(draw_picture(figure(*lines, xaxis={}, yaxis={}), "x")[0])


def test_ticks_of_a_log_axis_are_plain_numbers():
    traces = (point("a", 0.05, 1), point("b", 2.0, 2))
    found = texts(draw_picture(figure(*traces, xaxis={"type": "log"}, yaxis={}), "x")[0])
    assert {"0.05", "0.1", "0.2", "0.5", "1", "2"} <= {*found}


def test_percent_signs_own_ticks_and_bars_of_no_length_are_drawn():
    kept = dict(point("kept", 0, 0.5), mode="lines+markers", x=[0, 1], y=[0.5, 0.4])
    kept["error_y"] = {"array": [0.01, 0.02], "arrayminus": [0.03, -1e-18]}
    layout = {
        "xaxis": {"tickvals": [0, 1], "ticktext": ["all", "10"], "title": {"text": "dropped"}},
        "yaxis": {"tickformat": ".0%", "range": [0, 0.6]},
    }
    found = texts(draw_picture(figure(kept, **layout), "x")[0])
    assert {"all", "10", "20%", "dropped"} <= {*found}


def test_named_points_and_a_legend_of_lines_stand_in_one_picture():
    roof = dict(point("the roof", 1, 1), mode="lines", x=[1, 10], y=[1, 10])
    traces = (roof, point("a file", 2.0, 1.0), point("another", 5.0, 2.0))
    svg, _ = draw_picture(figure(*traces, xaxis={"type": "log"}, yaxis={"type": "log"}), "x")
    found = texts(svg)
    assert [found.count(one) for one in ("the roof", "a file", "another")] == [1, 1, 1]


def test_gaps_and_steps_are_drawn():
    line = dict(point("roof", 1, 1), mode="lines+markers", x=[1, 2, 3], y=[1, None, 3])
    line["line"] = {"dash": "dash", "shape": "hv", "width": 2}
    svg, _ = draw_picture(figure(line, xaxis={"tickvals": [1, 3]}, yaxis={}), "x")
    assert {"1", "3"} <= {*texts(svg)}


def test_a_trace_that_nobody_can_draw_is_an_error():
    with pytest.raises(ValueError, match="no traces of type 'heatmap'"):
        draw_picture(figure({"type": "heatmap"}, xaxis={}, yaxis={}), "x")
