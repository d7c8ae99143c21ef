"""Answers in the browser against those on the CPU: what differs is seen."""

import numpy as np
import pytest

from benchmarks.browser.comparison import compared
from benchmarks.quality import Evaluation
from benchmarks.text_quality import TextEvaluation
from compress.metrics import NOT_FOUND
from compress.recipe import TextLabel
from compress.tasks.text_task import Truth

SETTINGS = {"metric": "ndcg@10", "resamples": 200, "seed": 1}
CASES = 50


def rankings(found):
    """The target first in the given cases and nowhere in the others."""
    top = np.tile(np.arange(2, 22, dtype=np.int32), (CASES, 1))
    ranks = np.where(np.arange(CASES) < found, 0, NOT_FOUND)
    return Evaluation(top, ranks, None, 100)


def test_equal_answers_make_no_difference():
    found = compared(rankings(25), rankings(25), rankings(50), **SETTINGS)
    assert found["cases"] == CASES
    assert found["agreement_with_cpu"] == 1.0
    assert found["difference_from_cpu"] == {
        "metric": "ndcg@10",
        "value": 0.0,
        "low": 0.0,
        "high": 0.0,
    }
    assert found["kept_quality"]["value"] == pytest.approx(0.5)
    assert found["quality"]["hit@10"]["value"] == pytest.approx(0.5)
    assert found["max_abs_difference"] is None


def test_a_browser_that_answers_rubbish_does_worse():
    rubbish = Evaluation(rankings(0).top + 50, rankings(0).ranks, None, 100)
    found = compared(rubbish, rankings(25), rankings(50), **SETTINGS)
    assert found["agreement_with_cpu"] == 0.0
    assert found["difference_from_cpu"]["value"] == pytest.approx(-0.5)
    assert found["difference_from_cpu"]["high"] < 0
    assert found["kept_quality"]["value"] == 0.0


def test_what_nobody_asked_on_the_cpu_is_null():
    found = compared(rankings(25), None, None, **SETTINGS)
    assert found["difference_from_cpu"] is found["agreement_with_cpu"] is None
    assert found["kept_quality"] is None
    assert found["quality"]["ndcg@10"]["value"] == pytest.approx(0.5)


def test_a_teacher_that_finds_nothing_leaves_no_ratio():
    assert compared(rankings(25), None, rankings(0), **SETTINGS)["kept_quality"] is None


def texts(answers):
    targets = np.arange(len(answers)) % 2
    task = TextLabel(kind="text-label")
    truth = Truth(task, targets, np.arange(len(answers)), None, None)
    return TextEvaluation(np.array(answers, np.float32), truth, ("a", "b"))


def test_texts_have_a_largest_difference():
    cpu = texts([[0.9, 0.1], [0.2, 0.8], [0.6, 0.4], [0.3, 0.7]])
    browser = texts([[0.9, 0.1], [0.2, 0.8], [0.4, 0.6], [0.3, 0.7]])
    found = compared(browser, cpu, cpu, metric="macro_f1", resamples=100, seed=1)
    assert found["agreement_with_cpu"] == 0.75
    assert found["max_abs_difference"] == pytest.approx(0.2)
    assert found["difference_from_cpu"]["value"] < 0


def test_answers_of_different_tasks_are_not_compared():
    with pytest.raises((TypeError, KeyError, ValueError)):
        compared(rankings(25), texts([[0.9, 0.1]] * CASES), None, **SETTINGS)
