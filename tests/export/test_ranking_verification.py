"""A file that answers differently is refused, and says why."""

from dataclasses import replace

import numpy as np
import pytest

from compress.tasks.item_codes import IMPOSSIBLE
from export.formats import FORMATS
from export.onnx.run import OnnxRunner
from export.ranking_verification import TOLERANCES, compare, compare_answers
from export.text_verification import TOLERANCES as TEXT_TOLERANCES
from export.verification_set import VerificationSet

STRICT = TOLERANCES["fp32"]
LOOSE = TOLERANCES["int8-dynamic"]


@pytest.fixture
def answers(onnx_files, histories):
    with OnnxRunner(onnx_files["fp32"]) as runner:
        answers = runner({"history": histories})
    return answers["item_ids"].copy(), answers["scores"].copy()


@pytest.mark.parametrize("scheme", ["fp32", "int8-dynamic"])
def test_honest_files_pass(onnx_files, reference, scheme):
    with OnnxRunner(onnx_files[scheme]) as runner:
        check = VerificationSet(reference, {}).check(runner, scheme)
    assert check.faults == ()
    assert check.cases == 260
    assert check.agreement > 0.9


def test_int8_is_not_fp32(onnx_files, reference):
    """The fp32 tolerance catches what quantization does, so it can fail."""
    with OnnxRunner(onnx_files["int8-dynamic"]) as runner:
        check = VerificationSet(reference, {}).check(runner, "fp32")
    assert check.faults


def refused(answers, reference, message):
    check = compare(*answers, reference, STRICT)
    assert any(message in fault for fault in check.faults), check.faults


def test_shifted_ids_are_caught(answers, reference):
    item_ids, scores = answers
    refused((np.minimum(item_ids + 1, 301), scores), reference, "overlap with the student")


def test_wrong_scores_are_caught(answers, reference):
    item_ids, scores = answers
    refused((item_ids, scores + np.float32(0.01)), reference, "differs from the student's by 0.01")


def test_returned_history_is_caught(answers, reference, histories):
    item_ids, scores = answers
    item_ids[1, -1] = histories[1, 0]
    refused((item_ids, scores), reference, "an item of the history is returned")


def test_repeated_items_are_caught(answers, reference):
    item_ids, scores = answers
    item_ids[5, 3] = item_ids[5, 4]
    refused((item_ids, scores), reference, "an item is returned twice")


def test_wrong_order_is_caught(answers, reference):
    item_ids, scores = answers
    refused((item_ids[:, ::-1], scores[:, ::-1]), reference, "not in descending order")


@pytest.mark.parametrize("code", [-1, 1, 302])
def test_ids_outside_the_catalogue_are_caught(answers, reference, code):
    item_ids, scores = answers
    item_ids[0, 0] = code
    refused((item_ids, scores), reference, "not in the catalogue")


def test_nan_and_wrong_shapes_and_types_are_caught(answers, reference):
    item_ids, scores = answers
    refused((item_ids[:, 1:], scores[:, 1:]), reference, "instead of (260, 25)")
    refused((item_ids.astype(np.int64), scores), reference, "item_ids are int64")
    scores[0, 0] = np.nan
    refused((item_ids, scores), reference, "not a finite number")


def test_missing_items_are_caught(answers, reference):
    item_ids, scores = answers
    item_ids[:, 10:] = 0
    scores[:, 10:] = IMPOSSIBLE
    refused((item_ids, scores), reference, "more or fewer items")


def test_scores_of_nothing_are_caught(deploy, histories, reference):
    """The full history leaves fewer items than asked for; what is left over has no score."""
    wide = replace(reference, item_ids=np.pad(reference.item_ids, ((0, 0), (0, 1))))
    item_ids = wide.item_ids.copy()
    scores = np.take_along_axis(reference.scores, item_ids, axis=1)
    assert compare(item_ids, scores, wide, STRICT).faults == ()
    scores[0, -1] = IMPOSSIBLE + 1
    refused((item_ids, scores), wide, "where no item is returned")


@pytest.mark.parametrize("row", [0, 1, 2, 17])
def test_one_wrong_history_is_caught_whatever_the_mean(answers, reference, row):
    """The worst items with honest scores, for one history alone: empty, full or any."""
    item_ids, scores = answers
    allowed = reference.scores[row].copy()
    allowed[reference.histories[row]] = np.inf
    allowed[:2] = np.inf
    worst = np.argsort(allowed, kind="stable")[:25][::-1]
    item_ids[row], scores[row] = worst, reference.scores[row, worst]
    check = compare(item_ids, scores, reference, LOOSE)
    assert check.agreement > LOOSE.agreement
    assert any("below its own" in fault for fault in check.faults), check.faults


def replaced(answers, reference, row, first, skipped):
    """From place `first` on, items that the student ranks lower by `skipped`, honestly scored."""
    item_ids, scores = answers
    allowed = reference.scores[row].copy()
    allowed[[0, 1, *reference.histories[row]]] = -np.inf
    ranked = np.argsort(-allowed, kind="stable")[first + skipped :][: 25 - first]
    item_ids[row, first:], scores[row, first:] = ranked, reference.scores[row, ranked]
    return item_ids, scores


@pytest.mark.parametrize("first", [10, 15, 24])
def test_worse_items_behind_the_top_10_are_caught(answers, reference, first):
    item_ids, scores = replaced(answers, reference, 17, first, 150)
    check = compare(item_ids, scores, reference, LOOSE)
    assert check.agreement == 1.0
    assert check.max_abs_difference < 1e-4
    (fault,) = check.faults
    assert "an item of the top 25 is one that the student scores" in fault


def test_of_the_top_10_no_place_is_made_up_for_by_a_later_one(answers, reference):
    """Sorted together, the 25 are the student's own."""
    item_ids, scores = answers
    row = 17
    item_ids[row] = np.concatenate([item_ids[row, 15:], item_ids[row, :15]])
    check = compare(item_ids, scores, reference, LOOSE)
    lost = reference.scores[row, reference.item_ids[row, 0]] - reference.scores[row, item_ids[row]]
    assert check.max_regret == pytest.approx(lost[0], abs=1e-4)
    assert any("an item of the top 10 is one that" in fault for fault in check.faults)


def test_an_output_that_is_missing_is_a_fault(answers, reference):
    check = compare_answers({"item_ids": answers[0]}, reference, STRICT)
    assert check.faults == ("it does not return scores",)


@pytest.mark.parametrize("tolerances", [TOLERANCES, TEXT_TOLERANCES])
def test_every_scheme_of_every_format_has_a_tolerance(tolerances):
    assert {scheme for one in FORMATS for scheme in one.schemes} <= set(tolerances)


@pytest.mark.parametrize("tolerances", [TOLERANCES, TEXT_TOLERANCES])
def test_fewer_bits_are_never_held_closer(tolerances):
    order = ["fp32", "fp16", "int8-weight", "palettized-6", "int4-weight"]
    for near, far in zip(order, order[1:], strict=False):
        assert tolerances[near].agreement >= tolerances[far].agreement
        assert tolerances[near].difference <= tolerances[far].difference
        assert tolerances[near].regret <= tolerances[far].regret


# ------------------------------------------------------------------------ large catalogues


@pytest.fixture
def short(reference):
    """What is kept of the same answers if 300 items count as many."""
    return reference.shortened(most_whole=100, kept=60)


def test_a_small_catalogue_is_kept_whole(reference):
    assert reference.shortened() is reference


def test_of_a_large_one_the_best_that_may_be_returned_are_kept(reference, short, histories):
    assert short.scores.shape == short.best.shape == (260, 60)
    assert short.codes == reference.codes == 302
    for row in (0, 1, 2, 100):
        allowed = np.setdiff1d(np.arange(2, 302), histories[row])
        best = allowed[np.argsort(-reference.scores[row, allowed], kind="stable")][:60]
        assert short.best[row].tolist() == best.tolist()
        assert (short.scores[row] == reference.scores[row, best]).all()


def test_never_fewer_are_kept_than_are_returned(reference):
    assert reference.shortened(most_whole=100, kept=5).best.shape == (260, 25)


@pytest.mark.parametrize("scheme", ["fp32", "int8-dynamic"])
@pytest.mark.parametrize("file", ["fp32", "int8-dynamic"])
def test_the_verdict_is_the_same_where_the_best_hold_every_answer(
    onnx_files, reference, short, scheme, file
):
    with OnnxRunner(onnx_files[file]) as runner:
        answers = runner({"history": reference.histories})
    whole, part = (compare_answers(answers, one, TOLERANCES[scheme]) for one in (reference, short))
    assert part == whole


def test_an_item_outside_of_the_best_counts_as_the_last_of_them(answers, reference, short):
    """Its regret can be no smaller, and its own score is not known."""
    item_ids, scores = answers
    row = 17
    outside = np.setdiff1d(np.arange(2, 302), [*short.best[row], *short.histories[row]])
    item_ids[row, 9] = outside[0]
    check = compare(item_ids, scores, short, LOOSE)
    regret = short.scores[row, 9] - short.scores[row, -1]
    assert check.max_regret == pytest.approx(regret, abs=1e-5)
    whole = compare(item_ids, scores, reference, LOOSE)
    assert whole.max_regret > check.max_regret
    assert any("below its own" in fault for fault in check.faults)


def test_no_score_may_exceed_what_the_student_can_have_given(answers, short):
    """Its own score of an item that is not among the best is no more than the last of them."""
    item_ids, scores = answers
    row = 17
    item_ids[row, -1] = np.setdiff1d(np.arange(2, 302), [*short.best[row], *short.histories[row]])[
        0
    ]
    apart = scores[row, -1] - short.scores[row, -1]
    assert apart > 0.1
    check = compare(item_ids, scores, short, STRICT)
    assert check.max_abs_difference == pytest.approx(apart, abs=1e-4)
    assert any("a score differs from the student's by" in fault for fault in check.faults)


def test_a_score_below_the_best_that_are_kept_is_believed(answers, short):
    """It may be the student's own; that its item is returned at all is what is wrong with it."""
    item_ids, scores = answers
    row = 17
    item_ids[row, -1] = np.setdiff1d(np.arange(2, 302), [*short.best[row], *short.histories[row]])[
        0
    ]
    scores[row, -1] = short.scores[row, -1] - 5
    check = compare(item_ids, scores, short, STRICT)
    assert check.max_abs_difference < 1e-4
    assert check.max_regret == pytest.approx(
        short.scores[row, 24] - short.scores[row, -1], abs=1e-5
    )


def test_an_item_of_the_history_is_caught_though_it_is_not_among_the_best(
    answers, short, histories
):
    item_ids, scores = answers
    item_ids[1, -1] = histories[1, 0]
    check = compare(item_ids, scores, short, STRICT)
    assert any("an item of the history is returned" in fault for fault in check.faults)


# ---------------------------------------------------------------------------- blocked items


def blocking(reference, *codes):
    return replace(reference, blocked=np.array(codes, dtype=np.int32))


def test_a_blocked_item_is_caught_at_the_last_place_of_one_history(answers, reference):
    """In the empty history too; everything else is as the student has it."""
    item_ids, _ = answers
    for row in (0, 1, 259):
        last = int(item_ids[row, -1])
        check = compare(*answers, blocking(reference, last), STRICT)
        (fault,) = check.faults
        cases = int((item_ids == last).any(axis=1).sum())
        assert fault == (
            f"a blocked item is returned, in {cases} of 260 histories: code {last} of item-map.json"
        )
        assert check.agreement == 1.0


def test_blocked_items_that_are_not_returned_are_no_fault(answers, reference):
    unwanted = np.setdiff1d(np.arange(2, 302), answers[0])
    assert compare(*answers, blocking(reference, *unwanted), STRICT).faults == ()


def test_many_blocked_items_are_counted_and_the_first_ten_named(answers, reference):
    item_ids, _ = answers
    codes = np.unique(item_ids[5])
    (fault,) = compare(*answers, blocking(reference, *codes), STRICT).faults
    named = ", ".join(map(str, codes[:10]))
    assert fault.startswith("25 blocked items are returned, in ")
    assert fault.endswith(f" of 260 histories: code {named} and 15 more of item-map.json")


def test_in_a_large_catalogue_they_are_caught_beyond_what_is_kept(answers, reference):
    """The student's scores of blocked items are not among those that are kept."""
    item_ids, scores = answers
    short = blocking(reference.shortened(100, 60), int(item_ids[7, 24]))
    assert compare(item_ids, scores, short, LOOSE).faults
