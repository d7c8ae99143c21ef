"""The stage that measures files in a browser, with one and without."""

import json
from dataclasses import replace

import numpy as np
import pytest

from benchmarks.browser import timing as timing_module
from benchmarks.browser.data import BrowserData
from benchmarks.environment import current_environment
from benchmarks.quality import evaluate
from benchmarks.stages import browser as stage_module
from benchmarks.stages.browser import (
    NO_TEXTS,
    RESULT,
    Plan,
    browser_stage,
    is_wanted,
    plan_of,
)
from compress.data.dataset import Dataset
from compress.data.prepare import prepare
from compress.errors import UserError
from compress.progress import Progress
from compress.recipe import Data, NextItemRecipe
from compress.stage import StageContext
from export.artifact import Artifact
from export.blocked_items import ITEM_MAP
from export.browser.chromium import VARIABLE
from export.onnx.run import OnnxRunner
from export.rows import SAMPLES, write_artifacts, write_rows
from export.samples import Samples
from export.verification import Check

from ..browser import needs_chromium, web_runtime

ITEMS, LENGTH = 30, 8


def recipe_of(**benchmark):
    return NextItemRecipe.model_validate(
        {
            "name": "r",
            "data": {
                "source": {"kind": "table", "interactions": "e.csv"},
                "split": {"kind": "leave-one-out"},
                "minimum_users": 5,
            },
            "task": {"kind": "next-item", "history_length": LENGTH, "top_k": 20},
            "teacher": {"kind": "text-sequence"},
            "student": {"kind": "transformer"},
            "benchmark": {"bootstrap": 100, "measured_on": ["cpu", "browser"], **benchmark},
        }
    )


def artifact(name, path, format_name="onnx", **changes):
    check = Check(259, 1.0, 0.0, 0.0, ())
    fields = {
        "name": name,
        "path": path,
        "inputs": "histories.npz",
        "format": format_name,
        "scheme": "fp32",
        "target": "any",
        "runtime": "onnx",
        "bytes": 10,
        "sha256": path,
        "check": check,
        "signature": {},
    }
    return Artifact(**{**fields, **changes})


@pytest.fixture
def run(tmp_path, tiny_model):
    """A prepared data set of 40 users, files of every kind, and what the CPU answered."""
    random = np.random.default_rng(0)
    rows = [
        f"u{user},i{item},{1000 * user + place}"
        for user in range(40)
        for place, item in enumerate(random.permutation(ITEMS)[:12])
    ]
    (tmp_path / "e.csv").write_text("user,item,time\n" + "\n".join(rows) + "\n")
    data = recipe_of().data.model_dump(mode="json")
    prepare(Data.model_validate(data), tmp_path, tmp_path / "dataset", progress=lambda line: None)
    dataset, export = Dataset.open(tmp_path / "dataset"), tmp_path / "export"
    cases = dataset.cases("test")
    samples = Samples({"history": dataset.histories(cases, LENGTH)})
    (export / SAMPLES).mkdir(parents=True)
    samples.save(export / SAMPLES / "histories.npz")
    (export / "good.onnx").write_bytes(tiny_model.read_bytes())
    (export / "broken.onnx").write_bytes(b"no model")
    (export / ITEM_MAP).write_text(json.dumps({"items": dataset.item_ids}))
    write_rows(export, [])
    write_artifacts(
        export,
        [
            artifact("good", "good.onnx"),
            artifact("broken", "broken.onnx", "ort"),
            artifact("text-in", "good.onnx", takes_texts=True, inputs="texts.npz"),
            artifact("package", "x.mlpackage", "coreml"),
        ],
        [],
    )
    (tmp_path / "quality").mkdir()
    with_cpu = evaluate(
        OnnxRunner(tiny_model),
        None,
        samples=samples,
        targets=cases.targets,
        seen=dataset.seen(cases),
        items=dataset.items,
        batch_size=1,
    )
    for name in ("good", "teacher"):
        with_cpu.save(tmp_path / "quality" / f"{name}.npz")
    return tmp_path


def work(run, recipe, name="out", previous=None):
    stage, folder = browser_stage(quick=True), run / name
    folder.mkdir(exist_ok=True)
    stage.work(
        StageContext(
            recipe=recipe,
            recipe_folder=run,
            folder=folder,
            inputs={one: run / one for one in ("dataset", "export", "quality")},
            progress=Progress(),
            logs=run,
            version=stage.version,
            previous=previous,
            digests={"dataset": "d"},
        )
    )
    return BrowserData.model_validate_json((folder / RESULT).read_text())


@pytest.mark.slow  # 15 s
@needs_chromium
def test_files_answer_alike_and_keep_their_figures_without_a_browser(run, monkeypatch):
    web_runtime()
    recipe = recipe_of(scenario_seconds=0.2)
    data = work(run, recipe)
    assert (data.not_measured_because, data.metric) == (None, "ndcg@10")
    good, broken, text_in = data.files
    assert (good.name, good.path, good.backend, good.cases) == (
        "good",
        "export/good.onnx",
        "wasm",
        40,
    )
    assert good.agreement_with_cpu > 0.99
    assert good.difference_from_cpu.low <= 0 <= good.difference_from_cpu.high
    assert good.kept_quality.metric == "ndcg@10"
    (timing,) = good.timings
    assert (timing.threads, timing.threads_used) == (1, 1)
    assert timing.readings >= 64
    raw = np.load(run / "out" / "good.wasm.1.raw" / "latencies.npy")
    assert len(raw) == timing.readings
    assert broken.quality is None
    assert "broken.onnx in Chromium" in broken.not_measured_because
    assert (text_in.quality, text_in.not_measured_because) == (None, NO_TEXTS)

    def measured_again(*given, **more):
        raise UserError("measured again")

    with monkeypatch.context() as patch:  # of another machine or browser only answers are taken
        patch.setattr(timing_module, "measure_in_browser", measured_again)
        assert work(run, recipe, "same", previous=run / "out").files[0] == good
        patch.setattr(timing_module, "installed_browser", lambda: "Chromium 1.0.0.0")
        newer = work(run, recipe, "newer", previous=run / "out").files[0]
        patch.undo()
        patch.setattr(timing_module, "measure_in_browser", measured_again)
        machine = replace(current_environment(), cpu="another")
        patch.setattr(stage_module, "current_environment", lambda: machine)
        moved = work(run, recipe, "moved", previous=run / "out").files[0]
    for one in (newer, moved):
        assert (one.timings, one.not_measured_because) == ((), "measured again")
        assert one.quality == good.quality

    monkeypatch.setenv(VARIABLE, "no-such-browser")
    again = work(run, recipe, "elsewhere", previous=run / "out")
    assert again.files[0] == good
    assert again.not_measured_because is None
    assert "no-such-browser, which is no program" in again.files[1].not_measured_because


def test_without_a_browser_the_stage_says_so_and_goes_on(run, monkeypatch):
    monkeypatch.setenv("LIMBECK_CACHE", str(run / "empty"))
    monkeypatch.setenv(VARIABLE, "no-such-browser")
    stage, recipe = browser_stage(quick=False), recipe_of()
    data = work(run, recipe)
    assert "limbeck targets --install browser" in data.not_measured_because
    assert f"{VARIABLE} names no-such-browser" in data.not_measured_because
    assert [one.quality for one in data.files] == [None] * 3
    assert not any(one.timings for one in data.files)
    assert data.webgpu is None
    assert json.dumps(stage.outside(recipe, run)) == "false"


def test_a_browser_is_measured_in_where_the_recipe_asks_for_one():
    assert is_wanted(recipe_of())
    assert not is_wanted(recipe_of(measured_on=["cpu"]))


def test_quick_or_full_and_one_thread_always():
    recipe = recipe_of(queries=2000, scenario_seconds=7.0, threads=4)
    assert plan_of(recipe, quick=False) == Plan(2000, 7.0, (1, 4))
    assert plan_of(recipe, quick=True) == Plan(64, 2.0, (1, 4))
    assert plan_of(recipe_of(threads=1), quick=False).threads == (1,)
    full, quick = (browser_stage(one).settings(recipe) for one in (False, True))
    assert full != quick
    json.dumps(full)
