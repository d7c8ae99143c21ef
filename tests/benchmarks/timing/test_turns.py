"""Models asked in turn."""

from pathlib import Path

import numpy as np
import pytest

from benchmarks.timing import turns
from benchmarks.timing.turns import (
    FEWEST_QUERIES,
    MOST_QUERIES,
    measure_in_short_turns,
    measure_in_turns,
    percentile_ratio,
)
from benchmarks.timing.turns_process import TurnsJob
from compress.errors import UserError
from export.runner import RunnerSpec
from export.samples import Samples

SHORT = Samples({"history": np.random.default_rng(1).integers(2, 32, (40, 12)).astype(np.int32)})
LONG = Samples({"history": np.tile(SHORT.arrays["history"], (1, 4000))})


FAULTY = Path(__file__).with_name("faulty_runners.py")


def test_a_model_that_fails_in_its_turn_is_a_users_error(tmp_path):
    with pytest.raises(UserError, match="one query too many"):
        measure_in_turns(
            [RunnerSpec("python", f"{FAULTY}:Failing")],
            [SHORT],
            rounds=1000,
            queries=100,
            threads=1,
            log_folder=tmp_path,
        )


def test_a_model_that_hangs_in_its_turn_is_ended(tmp_path, monkeypatch):
    monkeypatch.setattr(turns, "LEAST_LIMIT_SECONDS", 3.0)
    monkeypatch.setattr(turns, "SLOWEST_SECONDS", 0.0)
    with pytest.raises(UserError, match=r"Hanging: its latency could not be measured: .*0\.05 min"):
        measure_in_turns(
            [RunnerSpec("python", f"{FAULTY}:Hanging")],
            [SHORT],
            rounds=1,
            queries=1,
            threads=1,
            log_folder=tmp_path,
        )


def ask(folder, paths, samples=(SHORT, LONG), **options):
    return measure_in_turns(
        [RunnerSpec("onnx", str(path), threads=7) for path in paths],
        samples,
        **{"rounds": 6, "queries": 20, "threads": 1, "log_folder": folder, **options},
    )


def test_every_model_answers_every_query_of_every_round(tiny_model, tmp_path):
    found = ask(tmp_path, [tiny_model, tiny_model])
    assert found.shape == (2, 6, 20)
    assert found.min() > 0
    jobs = [
        TurnsJob.from_json((tmp_path / f"model-{number}" / "job.json").read_text())
        for number in range(2)
    ]
    assert [job.spec.threads for job in jobs] == [1, 1]
    assert jobs[0].cpus == jobs[1].cpus


def test_each_model_has_a_process_of_its_own_and_they_take_turns(tmp_path):
    """Each notes its process and the time of every query; no two turns overlap."""
    measure_in_turns(
        [RunnerSpec("python", f"{FAULTY}:Noting", threads=7)] * 2,
        [SHORT, SHORT],
        rounds=4,
        queries=20,
        threads=1,
        log_folder=tmp_path,
    )
    notes = [
        (float(line), number)
        for number in range(2)
        for line in (tmp_path / f"model-{number}" / "process.log").read_text().splitlines()
        if not line.startswith("loaded")
    ]
    order = [number for _, number in sorted(notes)]
    first, second = (order.index(number) for number in range(2))
    assert first != second
    changes = int((np.diff(order) != 0).sum())
    # Loaded and warmed up one after the other, then A B, B A, A B, B A.
    assert changes == 1 + 1 + 4


def test_turns_of_equal_length_have_more_queries_of_the_faster_model(tiny_model, tmp_path):
    quick, slow = measure_in_short_turns(
        [RunnerSpec("onnx", str(tiny_model))] * 2,
        [SHORT, LONG],
        rounds=3,
        threads=1,
        log_folder=tmp_path,
    )
    assert (len(quick), len(slow)) == (3, 3)
    assert FEWEST_QUERIES <= slow.shape[1] <= quick.shape[1] <= MOST_QUERIES
    ratio = percentile_ratio(quick, slow)
    assert ratio.low <= ratio.value <= ratio.high


def test_4000_times_the_work_is_slower(tiny_model, tmp_path):
    ratio = percentile_ratio(*ask(tmp_path, [tiny_model, tiny_model]))
    assert ratio.low <= ratio.value <= ratio.high < 1


def test_a_model_that_cannot_be_run_is_a_users_error(tiny_model, tmp_path):
    (tmp_path / "broken.onnx").write_bytes(b"no model")
    with pytest.raises(UserError, match=r"broken\.onnx: its latency could not be measured"):
        ask(tmp_path / "logs", [tiny_model, tmp_path / "broken.onnx"])


def test_the_ratio_is_of_all_queries_together():
    """p90 of 1...100 and of 2...200, each in 10 rounds."""
    own = np.arange(1, 101).reshape(10, 10)
    found = percentile_ratio(own, 2 * own)
    assert (found.value, found.low, found.high) == pytest.approx((0.5, 0.5, 0.5))


def test_what_slows_a_round_down_weighs_on_both():
    slow = np.where(np.arange(10)[:, None] < 5, 100, 1) * np.full((10, 20), 50)
    found = percentile_ratio(slow, slow // 2)
    assert found.low == found.high == pytest.approx(2.0)


def test_rounds_that_differ_widen_the_interval():
    random = np.random.default_rng(0)
    own = (random.normal(100, 20, (12, 1)) + np.zeros((12, 10))).astype(np.int64)
    found = percentile_ratio(own, np.full((12, 10), 100))
    assert found.low < found.value < found.high


@pytest.mark.parametrize("shape", [(3, 4), (0, 4), (2, 0), (2,)])
def test_other_rounds_are_refused(shape):
    with pytest.raises(ValueError, match="not of the same rounds"):
        percentile_ratio(np.ones((2, 4), np.int64), np.ones(shape, np.int64))


def test_a_turn_may_have_more_queries_of_one_model():
    found = percentile_ratio(np.full((3, 4), 10), np.full((3, 9), 20))
    assert (found.value, found.low, found.high) == (0.5, 0.5, 0.5)


def test_models_must_be_asked_the_same_examples(tiny_model, tmp_path):
    fewer = Samples({"history": SHORT.arrays["history"][:7]})
    for samples in ((SHORT, fewer), (SHORT,)):
        with pytest.raises(ValueError, match="the same examples"):
            ask(tmp_path, [tiny_model, tiny_model], samples)
