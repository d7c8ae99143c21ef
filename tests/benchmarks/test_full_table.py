import pytest

from benchmarks.full_table import markdown, table_of
from benchmarks.report.build import build_report

from .bench.rows import broken, data, row


def result(**changes):
    kept = row(**changes).model_dump(mode="json", exclude={"name", "broken"})
    return {**kept, "mark": changes.pop("mark", "")}


def table(*models):
    return {
        "run": "shop",
        "metric": "ndcg@10",
        "environment": {
            "cpu": "A CPU", "cores": 2, "memory_gb": 8.0, "system": "Linux 6",
            "architecture": "x86_64", "python": "3.11.9", "cpu_flags": ["avx2"],
            "packages": {"onnxruntime": "1.23.2"},
        },
        "models": list(models),
        "not_measured": [],
    }  # fmt: skip


def test_a_line_a_model_with_every_scenario_in_its_column():
    model = {
        "name": "onnx fp32",
        "quality": {"value": 0.12, "low": 0.11, "high": 0.13},
        "p90_ratio_to_teacher": {"value": 0.012, "low": 0.0115, "high": 0.0126},
        "results": [
            result(p50_ms=0.051, p90_ms=0.062),
            result(scenario="multi-stream", batch=8, p99_ms=0.4),
            result(scenario="offline", batch=8, throughput=40_000.0),
            result(scenario="offline", batch=1, throughput=15_000.0),
            result(scenario="server", rate=9_000.0, bound_ms=100.0, p99_ms=0.3),
            result(target="browser", runtime="wasm", p90_ms=0.5),
        ],
    }
    heading, _, line = markdown([table(model)]).splitlines()[4:7]
    cells = dict(zip(heading.strip("| ").split(" | "), line.strip("| ").split(" | "), strict=True))
    assert cells == {
        "model": "onnx fp32",
        "NDCG@10 [95%]": "0.1200 [0.1100, 0.1300]",
        "MB": "0.380",
        "memory MB": "8.50",
        "cold start ms": "210",
        "p50 ms": "0.051",
        "p90 ms": "0.062",
        "p90, × teacher’s in turn [95%]": "0.0120 [0.0115, 0.0126]",
        "multi-stream p99 ms": "0.400",
        "server p99 ms at 9,000/s": "0.300",
        "offline 1, /s": "15,000",
        "offline 8, /s": "40,000",
        "browser p90 ms": "0.500",
    }


def test_servers_of_several_rates_are_told():
    models = [
        {"name": name, "quality": None, "results": [result(scenario="server", rate=rate)]}
        for name, rate in (("a", 400.0), ("b", 100.0))
    ]
    assert "server p99 ms at 100 to 400/s" in markdown([table(*models)])


def test_a_server_that_was_sent_another_load_than_most_is_left_out(inputs):
    def server(name, rate):
        return row(name, scenario="server", asked_rate=rate, rate=rate, bound_ms=10.0)

    found = data(server("a", 400.0), server("b", 400.0), server("b", 50.0), row("b"))
    results = {
        one["name"]: [(each["scenario"], each["asked_rate"]) for each in one["results"]]
        for one in table_of(build_report(inputs), found)["models"]
    }
    assert results == {"a": [("server", 400.0)], "b": [("server", 400.0), ("single-stream", None)]}


def test_the_machine_is_named():
    assert "One thread. A CPU, 2 cores, 8 GB" in markdown([table()])


def test_one_reason_is_said_once():
    because = "run on macOS only"
    missing = [{"name": name, "target": "cpu", "because": because} for name in ("a", "b", "a")]
    assert "- Not measured (cpu): a, b: run on macOS only" in markdown(
        [table() | {"not_measured": missing}]
    )


@pytest.mark.parametrize(
    ("changes", "cell"),
    [
        ({}, "0.060"),
        ({"quiet": False}, "~0.060"),
        ({"calls_a_reading": 2}, "0.060"),
        (broken("threads", "It ran 3 threads."), "!0.060"),
    ],
)
def test_noisy_and_invalid_figures_are_told_apart(changes, cell):
    model = {"name": "a", "quality": None, "results": [result(**changes)]}
    cells = markdown([table(model)]).splitlines()[6].strip("| ").split(" | ")
    assert cells[:2] == ["a", "–"]  # What was not measured is a dash.
    assert cell in cells


def test_the_commands_that_measured_it_stand_above_it(inputs, tmp_path):
    report = build_report(inputs)
    typed = ("limbeck bench runs/shop  # 2026-11-22 10:00 UTC", "limbeck bench runs/shop --tries 2")
    assert table_of(report, data(row("onnx fp32"), commands=typed))["commands"] == list(typed)
