"""What the harness adds to a query, measured briefly."""

import json
from pathlib import Path

import numpy as np
import pytest

from benchmarks.harness_overhead import MOST_US, RESULT, Trivial, overhead
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


def test_the_committed_figures_keep_what_they_promise():
    result = json.loads(Path(RESULT).read_text(encoding="utf-8"))
    assert (result["most_us"], result["kept"]) == (MOST_US, True)
    assert len(result["models"]) == 2
    assert all(one["per_query_us"]["high"] <= MOST_US for one in result["models"].values())
