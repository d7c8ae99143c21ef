"""Measuring ways of writing ONNX."""

import json
from dataclasses import replace

import pytest

from benchmarks import onnx_routes
from benchmarks.onnx_routes import (
    GRAPHS,
    SCHEMES,
    RouteResult,
    best_routes,
    build,
    measure,
    table,
    write_files,
)
from benchmarks.timing.turn_count import Turns
from compress.recipe import MeanPooledStudent
from export.onnx.routes import BEST, DEFAULT, GraphRoute

OTHER = GraphRoute("dynamo", 20)


def results_of(kind, ratios):
    """A kind's files, by route the ratio of each scheme."""
    return [
        RouteResult(kind, scheme, graph.route, graph.opset, 0.0, p50_ms=1.0, ratio=ratio)
        for graph, both in ratios.items()
        for scheme, ratio in zip(SCHEMES, both, strict=True)
    ]


def test_the_route_that_is_fastest_over_schemes_is_best():
    results = results_of("bert", {DEFAULT: (1.0, 1.0), OTHER: (0.8, 1.1)})
    assert best_routes(results) == {"bert": OTHER}
    results = results_of("bert", {DEFAULT: (1.0, 1.0), OTHER: (0.8, 1.3)})
    assert best_routes(results) == {"bert": DEFAULT}


def test_a_small_gain_changes_no_default():
    results = results_of("bert", {DEFAULT: (1.0, 1.0), OTHER: (0.96, 0.96)})
    assert best_routes(results) == {"bert": DEFAULT}


def test_a_route_that_is_wrong_in_one_scheme_is_never_best():
    fast = results_of("bert", {DEFAULT: (1.0, 1.0), OTHER: (0.5, 0.5)})
    fast[-1] = replace(fast[-1], ratio=None, fault="differs by 1 from PyTorch")
    assert best_routes(fast) == {"bert": DEFAULT}


def test_the_default_is_what_was_measured():
    report = json.loads(onnx_routes._RESULT.read_text())
    assert report["best"] == {
        kind: {"route": graph.route, "opset": graph.opset} for kind, graph in BEST.items()
    }
    results = [RouteResult(**one) for one in report["results"]]
    assert len(results) == len(BEST) * len(GRAPHS) * len(SCHEMES)
    assert best_routes(results) == BEST
    assert all(one.fault or one.p50_ms for one in results)


@pytest.fixture(scope="module")
def small():
    sections = {"mean-pooled": MeanPooledStudent(kind="mean-pooled", width=16, hidden=(16,))}
    return build("mean-pooled", sections)


def test_files_are_written_checked_and_asked_in_turn(small, tmp_path):
    written = write_files("mean-pooled", small, [DEFAULT, OTHER], tmp_path)
    assert [one.fault for one in written.values()] == [""] * 4
    assert max(one.difference for one in written.values() if one.scheme == "fp32") < 1e-5
    turns, log = Turns(2, 2), tmp_path / "log"
    measured = measure(written, small.samples, turns=turns, queries=2, folder=log)
    assert [one.ratio for one in measured if one.route == "torchscript"] == [1.0, 1.0]
    assert all(one.p50_ms > 0 and one.bytes > 0 for one in measured)
    assert len(table(measured).splitlines()) == 5


def test_a_file_that_cannot_be_written_or_is_wrong_is_a_result(small, tmp_path):
    def broken(path, scheme, graph):
        raise RuntimeError("no operator\nfor this")

    written = write_files("x", replace(small, write=broken), [DEFAULT], tmp_path)
    assert {one.fault for one in written.values()} == {"no operator"}

    def other(path, scheme, graph):
        build("mean-pooled", {"mean-pooled": MeanPooledStudent(kind="mean-pooled")}).write(
            path, scheme, graph
        )

    written = write_files("x", replace(small, write=other), [DEFAULT], tmp_path)
    assert "from PyTorch" in next(iter(written.values())).fault
    assert "from PyTorch" in table(list(written.values()))
