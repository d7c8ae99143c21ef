"""What the harness adds to a query, measured briefly."""

import json
import sys
from pathlib import Path

import numpy as np
import pytest

from benchmarks import harness_overhead
from benchmarks.harness_overhead import (
    MOST_TRIES,
    MOST_US,
    RESULT,
    Trivial,
    keeps,
    main,
    measure_quietly,
    overhead,
)
from benchmarks.timing.isolation import allowed_cpus, pin
from export.runner import RunnerSpec, open_runner
from export.samples import Samples

SAMPLES = Samples({"history": np.random.default_rng(1).integers(2, 32, (40, 12)).astype(np.int32)})


@pytest.mark.parametrize("model", ["trivial", "file"])
def test_both_sides_ask_the_same_model(model, tiny_model):
    runner = Trivial() if model == "trivial" else open_runner(RunnerSpec("onnx", str(tiny_model)))
    found = overhead(runner, SAMPLES, rounds=3, seconds=0.01)
    assert found["rounds"] == 3
    assert found["queries_a_round"] >= 64
    assert found["bare_us"] > 0
    for figure in ("in_latency_us", "per_query_us"):
        assert found[figure]["low"] <= found[figure]["value"] <= found[figure]["high"]


@pytest.mark.parametrize(
    ("name", "examples", "without"),
    [
        ("multi-stream", 8, set()),
        ("offline", 8, {"in_latency_us"}),
        ("server", 1, {"per_query_us"}),
    ],
)
def test_every_scenario_has_its_figures(name, examples, without, tiny_model):
    runner = open_runner(RunnerSpec("onnx", str(tiny_model)))
    found = overhead(runner, SAMPLES, rounds=2, seconds=0.05, name=name)
    assert found["examples_a_call"] == examples
    figures = {"in_latency_us", "per_query_us"}
    assert {figure for figure in figures if found[figure] is None} == without
    assert all(np.isfinite(found[figure]["value"]) for figure in figures - without)


def drifts(*drift: float):
    """What measuring finds, one try after the other."""
    tries = iter(drift)
    return lambda: {"noise_drift": (one := next(tries)), "quiet": one <= 0.1}


def test_it_is_measured_until_it_is_quiet():
    assert measure_quietly(drifts(0.5, 0.02)) == {"noise_drift": 0.02, "quiet": True, "tries": 2}
    never = measure_quietly(drifts(*[0.5] * (MOST_TRIES - 1), 0.3, 0.0))
    assert never == {"noise_drift": 0.3, "quiet": False, "tries": MOST_TRIES}


@pytest.mark.parametrize(
    ("high", "quiet", "kept"), [(MOST_US, True, True), (5.01, True, False), (1.0, False, False)]
)
def test_a_promise_is_kept_if_every_model_keeps_it_and_was_measured_quietly(high, quiet, kept):
    sound = {"single-stream": {"quiet": True, "per_query_us": {"high": 1.0}}}
    other = {"single-stream": {"quiet": quiet, "per_query_us": {"high": high}}}
    assert keeps({"a": sound, "b": other}) is kept


@pytest.mark.slow  # 14 s
def test_the_result_says_how_to_get_it_again(tiny_model, tmp_path, monkeypatch):
    for name, value in {
        "RESULT": tmp_path / "results" / "found.json",
        "ITEMS": 32,
        "ROUNDS": 2,
        "SECONDS": 0.01,
        "_OTHER_ROUNDS": 2,
        "_OTHER_SECONDS": {"multi-stream": 0.01, "offline": 0.01, "server": 0.05},
        "MOST_TRIES": 1,
    }.items():
        monkeypatch.setattr(harness_overhead, name, value)
    monkeypatch.chdir(tiny_model.parent)
    allowed = allowed_cpus()
    try:
        main([tiny_model.name, "--all-scenarios"])
    finally:
        pin(allowed)
    found = json.loads((tmp_path / "results" / "found.json").read_text())
    assert (
        found["command"]
        == f"python -m benchmarks.harness_overhead {tiny_model.name} --all-scenarios"
    )
    assert found["kept"] is keeps(found["models"])
    assert found["environment"]["cores"] == len(allowed) or sys.platform != "linux"
    for scenarios in found["models"].values():
        assert set(scenarios) == {"single-stream", "multi-stream", "offline", "server"}


def test_the_committed_figures_keep_what_they_promise():
    result = json.loads(Path(RESULT).read_text(encoding="utf-8"))
    assert (result["most_us"], result["kept"]) == (MOST_US, True)
    assert len(result["models"]) == 2
    assert keeps(result["models"])
