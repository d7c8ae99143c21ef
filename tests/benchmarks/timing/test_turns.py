"""Models asked in turn."""

from itertools import pairwise
from pathlib import Path

import numpy as np
import pytest

from benchmarks.timing import turns
from benchmarks.timing.turn_count import Turns
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
            turns=Turns(1, 1000),
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
            turns=Turns(1, 1),
            queries=1,
            threads=1,
            log_folder=tmp_path,
        )


def ask(folder, paths, samples=(SHORT, LONG), **options):
    return measure_in_turns(
        [RunnerSpec("onnx", str(path), threads=7) for path in paths],
        samples,
        **{"turns": Turns(2, 3), "queries": 20, "threads": 1, "log_folder": folder, **options},
    )


def test_every_model_answers_every_query_of_every_round(tiny_model, tmp_path):
    found = ask(tmp_path, [tiny_model, tiny_model])
    assert found.shape == (2, 2, 3, 20)
    assert found.min() > 0
    jobs = [
        TurnsJob.from_json((tmp_path / f"start-1/model-{number}/job.json").read_text())
        for number in range(2)
    ]
    assert [job.first_turn for job in jobs] == [3, 3]
    assert [job.spec.threads for job in jobs] == [1, 1]
    assert jobs[0].cpus == jobs[1].cpus


def test_every_other_start_has_the_opposite_order_and_figures_stay_with_their_model(tmp_path):
    specs = [RunnerSpec("python", f"{FAULTY}:{name}") for name in ("Honest", "Sleeping")]
    found = measure_in_turns(
        specs, [SHORT, SHORT], turns=Turns(4, 1), queries=10, threads=1, log_folder=tmp_path
    )
    medians = np.median(found, axis=(2, 3))
    assert (medians[0] < 1e6).all()  # 0.2 ms of work...
    assert (medians[1] > 1e6).all()  # ...and 1 ms of sleep.


def test_each_model_has_a_process_of_its_own_and_they_take_turns(tmp_path):
    """Each notes its process and the time of every query; no two turns overlap."""
    measure_in_turns(
        [RunnerSpec("python", f"{FAULTY}:Noting", threads=7)] * 2,
        [SHORT, SHORT],
        turns=Turns(2, 4),
        queries=20,
        threads=1,
        log_folder=tmp_path,
    )

    def turns_of(start):
        notes = [
            (float(line), number)
            for number in range(2)
            for line in (tmp_path / f"start-{start}/model-{number}/process.log").open()
            if not line.startswith("loaded")
        ]
        order = [number for _, number in sorted(notes)]
        return [order[0], *(after for before, after in pairwise(order) if before != after)]

    # Warmed up one after the other, then A B A B A B A B; with new processes from the other end.
    assert turns_of(0) == [0, 1] * 5
    assert turns_of(1) == [1, 0] * 5


def test_turns_of_equal_length_have_more_queries_of_the_faster_model(tiny_model, tmp_path):
    quick, slow = measure_in_short_turns(
        [RunnerSpec("onnx", str(tiny_model))] * 2,
        [SHORT, LONG],
        turns=Turns(2, 3),
        threads=1,
        log_folder=tmp_path,
    )
    assert quick.shape[:2] == slow.shape[:2] == (2, 3)
    assert FEWEST_QUERIES <= slow.shape[2] <= quick.shape[2] <= MOST_QUERIES
    ratio = percentile_ratio(quick, slow)
    assert ratio.low <= ratio.value <= ratio.high


def test_4000_times_the_work_is_slower(tiny_model, tmp_path):
    ratio = percentile_ratio(*ask(tmp_path, [tiny_model, tiny_model], turns=Turns(5, 2)))
    assert ratio.low <= ratio.value <= ratio.high < 1


def test_a_model_that_cannot_be_run_is_a_users_error(tiny_model, tmp_path):
    (tmp_path / "broken.onnx").write_bytes(b"no model")
    with pytest.raises(UserError, match=r"broken\.onnx: its latency could not be measured"):
        ask(tmp_path / "logs", [tiny_model, tmp_path / "broken.onnx"])


def test_the_ratio_is_of_all_queries_of_a_process_together():
    """p90 of 1...100 and of 2...200, each in 10 rounds, twice."""
    own = np.tile(np.arange(1, 101).reshape(10, 10), (2, 1, 1))
    found = percentile_ratio(own, 2 * own)
    assert (found.value, found.low, found.high) == pytest.approx((0.5, 0.5, 0.5))


def test_what_slows_a_process_down_weighs_on_both():
    slow = np.where(np.arange(4)[:, None, None] < 2, 100, 1) * np.full((4, 10, 20), 50)
    found = percentile_ratio(slow, slow // 2)
    assert found.low == pytest.approx(found.high) == pytest.approx(2.0)


def test_the_interval_is_students_of_the_mean_logarithm_over_restarts():
    """Ratios 1, 2 and 4: the mean logarithm is ln 2, its error ln 2 / sqrt(3), t(2) = 4.3027."""
    own = np.array([1, 2, 4])[:, None, None] * np.full((3, 2, 5), 100)
    found = percentile_ratio(own, np.full((3, 2, 5), 100))
    reach = 4.302653 * np.log(2) / np.sqrt(3)
    assert found.value == pytest.approx(2.0)
    assert (found.low, found.high) == pytest.approx((2 * np.exp(-reach), 2 * np.exp(reach)))


def test_two_processes_of_the_same_file_are_no_different_in_19_of_20_comparisons():
    """Processes of one file that differ by 3%: the interval contains 1 as often as it says."""
    random = np.random.default_rng(0)

    def processes():
        level = random.normal(1.0, 0.03, (5, 1, 1))
        return (1e5 * level * random.normal(1.0, 0.05, (5, 4, 64))).astype(np.int64)

    found = [percentile_ratio(processes(), processes()) for _ in range(1000)]
    covered = np.mean([one.low <= 1 <= one.high for one in found])
    assert 0.935 <= covered <= 0.965


@pytest.mark.parametrize("shape", [(3, 4, 5), (2, 3, 5), (2, 4, 0), (2, 4)])
def test_other_rounds_are_refused(shape):
    with pytest.raises(ValueError, match="not of the same rounds"):
        percentile_ratio(np.ones((2, 4, 5), np.int64), np.ones(shape, np.int64))


def test_one_start_has_no_interval():
    with pytest.raises(ValueError, match="two starts"):
        percentile_ratio(np.ones((1, 4, 5), np.int64), np.ones((1, 4, 5), np.int64))


def test_a_turn_may_have_more_queries_of_one_model():
    found = percentile_ratio(np.full((2, 3, 4), 10), np.full((2, 3, 9), 20))
    assert (found.value, found.low, found.high) == pytest.approx((0.5, 0.5, 0.5))


def test_no_turns_at_all_are_refused():
    with pytest.raises(ValueError, match="has no turns"):
        Turns(restarts=0)


def test_models_must_be_asked_the_same_examples(tiny_model, tmp_path):
    fewer = Samples({"history": SHORT.arrays["history"][:7]})
    for samples in ((SHORT, fewer), (SHORT,)):
        with pytest.raises(ValueError, match="the same examples"):
            ask(tmp_path, [tiny_model, tiny_model], samples)
