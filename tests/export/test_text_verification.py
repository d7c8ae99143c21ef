"""A file that answers texts differently is refused, and says why."""

import numpy as np
import pytest

from export.samples import Samples
from export.text_samples import text_samples
from export.text_verification import (
    TOLERANCES,
    TextReference,
    compare,
)
from export.verification_set import VerificationSet

STRICT, LOOSE = TOLERANCES["fp32"], TOLERANCES["int8-dynamic"]
COUNT, CLASSES = 300, 5
GAINS = (0.0, 1.0, 2.0, 3.0, 4.0)
RANDOM = np.random.default_rng(0)
SAMPLES = Samples({"input_ids": np.arange(COUNT, dtype=np.int32)[:, None]})


def softmax(logits):
    weights = np.exp(logits - logits.max(axis=1, keepdims=True))
    return (weights / weights.sum(axis=1, keepdims=True)).astype(np.float32)


LOGITS = RANDOM.normal(0, 3, (COUNT, CLASSES))
ONE_OF = {"probabilities": softmax(LOGITS)}
ANY_OF = {"probabilities": (1 / (1 + np.exp(-LOGITS))).astype(np.float32)}
GRADE = {**ONE_OF, "score": (ONE_OF["probabilities"] @ np.array(GAINS)).astype(np.float32)}
SCORE = {"score": RANDOM.normal(50, 20, COUNT).astype(np.float32)}


def reference(answers, target="one-of", **more):
    return TextReference(SAMPLES, answers, target, **more)


REFERENCES = {
    "one-of": reference(ONE_OF),
    "any-of": reference(ANY_OF, "any-of"),
    "grade": reference(GRADE, gains=GAINS),
    "score": reference(SCORE, "score"),
}


class Table:
    """A runner that answers text number n with row n."""

    def __init__(self, answers):
        self.answers = answers

    def __call__(self, inputs):
        rows = inputs["input_ids"][:, 0]
        return {name: array[rows] for name, array in self.answers.items()}


class Reader(Table):
    """A runner that finds the number in the text itself."""

    def __call__(self, inputs):
        rows = np.array([int(text.removeprefix("text ")) for text in inputs["text"]])
        return super().__call__({"input_ids": rows[:, None]})


def faults(answers, kind="one-of", tolerance=STRICT):
    check = compare(answers, REFERENCES[kind], tolerance)
    assert check.cases == COUNT
    return " | ".join(check.faults)


def changed(answers, row, **values):
    """A copy with one row changed."""
    found = {name: array.copy() for name, array in answers.items()}
    for name, value in values.items():
        found[name][row] = value
    return found


@pytest.mark.parametrize("kind", REFERENCES)
@pytest.mark.parametrize("tolerance", [STRICT, LOOSE])
def test_the_students_own_answers_pass(kind, tolerance):
    check = compare(REFERENCES[kind].answers, REFERENCES[kind], tolerance)
    assert check.faults == ()
    assert (check.cases, check.agreement, check.max_abs_difference) == (COUNT, 1.0, 0.0)
    assert check.max_regret == (None if kind == "score" else 0.0)


def test_noise_as_of_int8_passes_the_loose_tolerance_alone():
    noisy = {"probabilities": softmax(LOGITS + RANDOM.normal(0, 0.1, LOGITS.shape))}
    assert faults(noisy, tolerance=LOOSE) == ""
    assert "differs from the student's" in faults(noisy)


def test_one_turned_answer_is_caught_whatever_the_share():
    sure = int(ONE_OF["probabilities"].max(axis=1).argmax())
    turned = changed(ONE_OF, sure, probabilities=ONE_OF["probabilities"][sure, ::-1])
    check = compare(turned, REFERENCES["one-of"], LOOSE)
    assert check.agreement > 0.99
    assert any("below its own" in fault for fault in check.faults)
    assert check.max_regret > 0.9


def test_one_class_seen_otherwise_far_from_the_threshold_is_caught():
    row, column = np.unravel_index(ANY_OF["probabilities"].argmax(), LOGITS.shape)
    answer = ANY_OF["probabilities"][row].copy()
    answer[column] = 0.49
    check = compare(changed(ANY_OF, row, probabilities=answer), REFERENCES["any-of"], LOOSE)
    assert check.max_regret == pytest.approx(0.5, abs=0.01)
    assert any("below its own" in fault for fault in check.faults)


def test_many_small_turns_are_caught_by_their_share():
    """All classes alike: any answer is the student's almost as much as its own."""
    flat = np.full((COUNT, CLASSES), 0.2, np.float32)
    own = flat + np.eye(CLASSES, dtype=np.float32)[np.zeros(COUNT, int)] * 0.01 - 0.002
    other = flat + np.eye(CLASSES, dtype=np.float32)[np.ones(COUNT, int)] * 0.01 - 0.002
    check = compare({"probabilities": other}, reference({"probabilities": own}), LOOSE)
    assert check.faults == ("agreement with the student is 0.0000, below 0.9",)


def test_scores_are_held_against_the_spread_of_the_students():
    spread = float(SCORE["score"].std())
    near = {"score": SCORE["score"] + np.float32(0.4 * spread)}
    assert faults(near, "score", LOOSE) == ""
    far = changed(SCORE, 3, score=SCORE["score"][3] + 0.6 * spread)
    assert "a score differs from the student's" in faults(far, "score", LOOSE)


@pytest.mark.parametrize("spread", [0.0, 1e-6])
def test_scores_that_are_all_but_one_are_held_against_their_size(spread):
    """Of a student that answers much the same to every text, the spread says nothing."""
    own = {"score": (50.0 + spread * RANDOM.normal(size=COUNT)).astype(np.float32)}
    rounded = {"score": own["score"] + np.float32(2e-5)}
    check = compare(rounded, reference(own, "score"), STRICT)
    assert not any("a score differs" in fault for fault in check.faults)
    far = {"score": own["score"] + np.float32(0.5)}
    check = compare(far, reference(own, "score"), STRICT)
    assert any("a score differs" in fault for fault in check.faults)


@pytest.mark.parametrize(
    ("answers", "kind", "fault"),
    [
        ({}, "one-of", "does not return probabilities"),
        (ONE_OF, "grade", "does not return score"),
        ({"probabilities": ONE_OF["probabilities"][:, 1:]}, "one-of", "instead of (300, 5)"),
        ({"score": SCORE["score"][:, None]}, "score", "instead of (300,)"),
        ({"probabilities": LOGITS}, "one-of", "is float64, not float32"),
        (changed(ONE_OF, 5, probabilities=np.nan), "one-of", "not finite"),
        (changed(SCORE, 5, score=np.inf), "score", "not finite"),
        (changed(ANY_OF, 5, probabilities=-0.0005), "any-of", "not between 0 and 1"),
        (changed(ANY_OF, 5, probabilities=1.0005), "any-of", "not between 0 and 1"),
        (changed(ONE_OF, 5, probabilities=0.19), "one-of", "sum to 0.9500, not to 1"),
        (changed(GRADE, 5, score=3.9), "grade", "not the gain that its own probabilities say"),
    ],
)
def test_what_the_contract_forbids_is_caught(answers, kind, fault):
    assert fault in faults(answers, kind, LOOSE)


def test_a_score_alone_may_be_any_number():
    below = {"score": SCORE["score"] - 500}
    check = compare(below, reference(below, "score"), STRICT)
    assert check.faults == ()


def texts():
    return text_samples([f"text {row}" for row in range(COUNT)])


def text_input(answers, twin, kind="grade", scheme="int8-dynamic"):
    """What is seen of a file that reads the number of a text, and of its twin."""
    found = VerificationSet(REFERENCES[kind], {}, texts())
    asked = found.ask(Reader(answers), takes_texts=True)
    return found.compare(asked, scheme, twin)


def test_a_file_that_cuts_texts_itself_answers_as_its_twin():
    check = text_input(GRADE, GRADE, scheme="fp32")
    assert check.faults == ()
    assert check.cases == COUNT


@pytest.mark.parametrize("name", ["probabilities", "score"])
def test_a_text_that_is_cut_otherwise_is_caught_where_the_scheme_would_let_it_pass(name):
    other = changed(GRADE, 7, **{name: GRADE[name][7] + 2e-5})
    check = text_input(other, GRADE)
    (fault,) = check.faults
    assert "for 1 of 300 texts" in fault
    assert "first for text 7" in fault


def test_the_twin_need_not_be_exact_itself():
    """An int8 file's text-in twin is held against that file, not only against the student."""
    int8 = {"probabilities": softmax(LOGITS + RANDOM.normal(0, 0.1, LOGITS.shape))}
    check = text_input(int8, int8, "one-of")
    assert check.faults == ()
    assert check.max_abs_difference > 0.001


@pytest.mark.parametrize("twin", [ONE_OF, {**GRADE, "score": GRADE["score"][:, None]}])
def test_a_twin_with_other_answers_is_a_fault_and_no_crash(twin):
    check = text_input(GRADE, twin)
    assert check.faults == (
        "the same model without tokenizer does not return score as the student does",
    )


def test_a_file_without_the_answer_is_refused_before_it_is_compared():
    check = text_input({}, GRADE)
    assert check.agreement is None
    assert check.faults == ("it does not return probabilities",)


@pytest.mark.parametrize(("threshold", "share", "regret"), [(0.5, 1.0, 0.0), (0.25, 0.5, 0.05)])
def test_the_threshold_of_the_task_counts(threshold, share, regret):
    samples = Samples({"input_ids": np.zeros((2, 1), np.int32)})
    own = {"probabilities": np.array([[0.3, 0.9], [0.1, 0.8]], np.float32)}
    other = {"probabilities": np.array([[0.2, 0.9], [0.1, 0.8]], np.float32)}
    check = compare(other, TextReference(samples, own, "any-of", threshold), LOOSE)
    assert check.agreement == share
    assert check.max_regret == pytest.approx(regret)


class Padded(Table):
    """Answers by the first piece, and otherwise if a piece is no text."""

    def __init__(self, answers, shift):
        super().__init__(answers)
        self.shift = shift

    def __call__(self, inputs):
        found = super().__call__(inputs)
        has_padding = (inputs["attention_mask"] == 0).any()
        return {name: one + np.float32(self.shift * has_padding) for name, one in found.items()}


def padded_reference(answers, target="one-of"):
    lengths = np.full(COUNT, 1, np.int32)
    lengths[0] = 3
    ids = np.zeros((COUNT, 3), np.int32)
    ids[:, 0] = np.arange(COUNT)
    mask = (np.arange(3) < lengths[:, None]).astype(np.int32)
    samples = Samples({"input_ids": ids, "attention_mask": mask}, lengths)
    return TextReference(samples, answers, target)


@pytest.mark.parametrize(("target", "answers"), [("one-of", ONE_OF), ("score", SCORE)])
def test_padding_that_changes_an_answer_is_caught(target, answers):
    own = VerificationSet(padded_reference(answers, target), {})
    assert own.check(Padded(answers, 0.0), "fp32").faults == ()
    (fault,) = own.check(Padded(answers, 0.1), "fp32").faults
    assert "the attention mask does not keep padding out" in fault


def test_padding_may_move_an_answer_as_far_as_the_scheme_may():
    own = VerificationSet(padded_reference(ONE_OF), {})
    assert own.check(Padded(ONE_OF, 0.1), "int8-dynamic").faults == ()
    assert own.check(Padded(ONE_OF, np.nan), "int8-dynamic").faults != ()
