"""Asking files one example at a time."""

import numpy as np

from export.samples import Samples
from export.verification import Check, ask, ask_one_by_one


class Shape:
    """Answers how many examples and how many pieces it was given."""

    checked_with = "a ruler"

    def __call__(self, inputs):
        rows, length = inputs["input_ids"].shape
        return {"rows": np.full(rows, rows), "pieces": np.full((rows, 1), length)}


def test_each_example_is_asked_alone_and_without_padding():
    samples = Samples({"input_ids": np.zeros((3, 5), np.int32)}, np.array([5, 1, 3], np.int32))
    answers = ask_one_by_one(Shape(), samples)
    assert answers["rows"].tolist() == [1, 1, 1]
    assert answers["pieces"].tolist() == [[5], [1], [3]]


def test_a_failed_check_has_a_fault_and_no_figures():
    check = Check.failed("it cannot be run", 7)
    assert (check.cases, check.agreement, check.faults) == (7, None, ("it cannot be run",))


def test_a_check_says_what_it_was_made_with_and_how_long_an_example_takes():
    samples = Samples({"input_ids": np.zeros((3, 5), np.int32)})
    asked = ask(Shape(), samples)
    check = asked.sign(Check(3, 1.0, 0.0, 0.0, ()))
    assert (check.checked, check.checked_with) == ("run", "a ruler")
    assert 0 < check.seconds_per_example < 1
    assert (check.cases, check.agreement) == (3, 1.0)


def test_a_runner_that_only_evaluates_is_believed():
    class Evaluator(Shape):
        checked = "evaluated"

    samples = Samples({"input_ids": np.zeros((1, 5), np.int32)})
    assert ask(Evaluator(), samples).sign(Check.failed("no")).checked == "evaluated"
