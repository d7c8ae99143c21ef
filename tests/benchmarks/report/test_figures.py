from dataclasses import replace

import pytest

from benchmarks.measurement import CheckFigures, Row
from benchmarks.report.build import Measured, build_report
from benchmarks.report.figures import curve_figures, trade_off_figure
from benchmarks.report.tables import all_rows


@pytest.fixture(scope="module")
def rows(inputs):
    return all_rows(build_report(inputs))


def test_one_point_a_row_with_its_interval(rows):
    traces = trade_off_figure(rows, "ndcg@10")["traces"]
    assert [trace["name"] for trace in traces] == [row.name for row in rows]
    for trace, row in zip(traces, rows, strict=True):
        interval = row.quality["ndcg@10"]
        assert (trace["x"], trace["y"]) == ([row.latency.p90_ms], [interval.value])
        assert trace["y"][0] + trace["error_y"]["array"][0] == pytest.approx(interval.high)
        assert trace["y"][0] - trace["error_y"]["arrayminus"][0] == pytest.approx(interval.low)


def test_latency_is_on_a_log_axis(rows):
    assert trade_off_figure(rows, "ndcg@10")["layout"]["xaxis"]["type"] == "log"


def test_rows_of_one_role_have_symbols_of_their_own(rows):
    symbols = [trace["marker"]["symbol"] for trace in trade_off_figure(rows, "ndcg@10")["traces"]]
    assert len(set(symbols)) == len(symbols)


def test_names_of_points_at_one_place_go_to_different_sides(rows):
    same = [row.model_copy(update={"name": f"model {n}"}) for n, row in enumerate([rows[2]] * 3)]
    places = [trace["textposition"] for trace in trade_off_figure(same, "ndcg@10")["traces"]]
    assert len(set(places)) == 3


def test_a_refused_file_is_crossed_out_and_one_without_figures_left_out(inputs):
    artifact = inputs.measured[-1]
    file = replace(artifact.row.file, usable=False, refused_because="it differs")
    silent = replace(file, path="c", check=CheckFigures(0, None, None, None, None))
    measured = [
        *inputs.measured[:-1],
        Measured(replace(artifact.row, file=file), artifact.statistics),
        Measured(Row("crashed", "artifact", 5, None, None, file=silent), None),
    ]
    rows = all_rows(build_report(replace(inputs, measured=measured)))
    traces = trade_off_figure(rows, "ndcg@10")["traces"]
    assert traces[-1]["name"] == artifact.row.name
    assert traces[-1]["marker"]["symbol"] == "x"
    assert traces[-1]["meta"]["colour"] == "refused"


def test_points_too_close_to_be_named_get_a_legend(rows, every_format_inputs):
    assert not trade_off_figure(rows, "ndcg@10")["is_crowded"]
    crowded = trade_off_figure(all_rows(build_report(every_format_inputs)), "ndcg@10")
    assert crowded["is_crowded"]
    symbols = [trace["marker"]["symbol"] for trace in crowded["traces"]]
    assert len(set(symbols)) == len(symbols)


def test_only_files_that_were_timed_are_points(every_format_inputs):
    rows = all_rows(build_report(every_format_inputs))
    names = [trace["name"] for trace in trade_off_figure(rows, "ndcg@10")["traces"]]
    assert names[-1] == "litert int8-dynamic"
    assert not [name for name in names if "coreml" in name or "tensorrt" in name]


def test_no_measured_row_makes_an_empty_picture():
    assert trade_off_figure([], "ndcg@10")["traces"] == []


def test_curves_mark_the_epoch_that_was_kept(inputs):
    curves = build_report(inputs).curves
    figures = curve_figures(curves, "ndcg@10")
    lines = [one for one in figures["validation"]["traces"] if one["mode"] == "lines"]
    dots = [one for one in figures["validation"]["traces"] if one["mode"] == "markers"]
    assert len(lines) == len(dots) == len(figures["loss"]["traces"]) == 5
    for line, dot in zip(lines, dots, strict=True):
        assert dot["y"] == [max(line["y"])]
        assert dot["meta"] == line["meta"]


def test_no_curves_make_no_picture():
    assert curve_figures([], "ndcg@10") == {}
