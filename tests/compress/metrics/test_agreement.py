"""How often two models say the same."""

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from hypothesis.extra.numpy import arrays

from compress.metrics.agreement import agreement

TARGETS = ["one-of", "any-of", "score"]


def table(*rows):
    return np.array(rows, np.float32)


def test_one_class_agrees_where_the_most_probable_is_the_same():
    own = table([0.6, 0.4], [0.2, 0.8], [0.5, 0.5], [0.9, 0.1])
    other = table([0.9, 0.1], [0.6, 0.4], [0.51, 0.49], [0.4, 0.6])
    assert agreement(own, other, "one-of") == 0.5


def test_any_number_of_classes_agree_where_the_whole_set_is_the_same():
    own = table([0.9, 0.9], [0.9, 0.1], [0.1, 0.1])
    other = table([0.6, 0.7], [0.9, 0.6], [0.2, 0.4])
    assert agreement(own, other, "any-of") == pytest.approx(2 / 3)
    assert agreement(own, other, "any-of", threshold=0.65) == pytest.approx(2 / 3)
    assert agreement(own, other, "any-of", threshold=0.35) == pytest.approx(1 / 3)


def test_scores_agree_on_the_pairs_that_both_put_in_one_order():
    """Of the 6 pairs of 4 texts, only the last two texts change places."""
    own, other = table([1.0, 2.0, 3.0, 4.0])[0], table([10.0, 20.0, 40.0, 30.0])[0]
    assert agreement(own, other, "score") == pytest.approx(5 / 6)
    assert agreement(own, -own, "score") == pytest.approx(0.0)


def test_a_constant_score_says_nothing_of_any_order():
    own, flat = table([1.0, 2.0, 3.0])[0], table([7.0, 7.0, 7.0])[0]
    assert agreement(own, flat, "score") == 0.5
    assert agreement(flat, flat + 1, "score") == 1.0


@given(
    arrays(np.float32, (6, 3), elements=st.floats(0, 1, width=32)),
    arrays(np.float32, (6, 3), elements=st.floats(0, 1, width=32)),
    st.sampled_from(TARGETS),
)
def test_it_is_a_share_symmetric_and_1_with_oneself(own, other, target):
    if target == "score":
        own, other = own[:, 0], other[:, 0]
    found = agreement(own, other, target)
    assert 0.0 <= found <= 1.0
    assert found == pytest.approx(agreement(other, own, target))
    assert agreement(own, own, target) == pytest.approx(1.0)


@pytest.mark.parametrize("target", TARGETS)
def test_what_cannot_be_compared_is_refused(target):
    own = np.zeros(3 if target == "score" else (3, 2), np.float32)
    with pytest.raises(ValueError, match="cannot be compared"):
        agreement(own, own[:2], target)
    with pytest.raises(ValueError, match="no cases"):
        agreement(own[:0], own[:0], target)
    with pytest.raises(ValueError, match="cannot be compared"):
        agreement(own[None], own[None], target)
