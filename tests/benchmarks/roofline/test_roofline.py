"""Least times, the share of them that was reached, and what holds a file up."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from benchmarks.roofline.cost import GraphCost
from benchmarks.roofline.peaks import Peaks, ProductReading, TransferReading
from benchmarks.roofline.roofline import reached, roof_of

PEAKS = Peaks(
    threads=1,
    products=(
        ProductReading("fp32", 1000, 1000, 100, 1e-3, 5),  # 10^11 a second
        ProductReading("int8", 1000, 1000, 400, 1e-3, 5),  # 4 x 10^11
    ),
    transfers=(
        TransferReading("read", 10**6, 1e11, 5),
        TransferReading("read", 10**9, 1e10, 5),
    ),
)


def cost(multiply_adds, weights=0, activations=0, working_set=0, operators=10):
    return GraphCost(multiply_adds, weights, activations, working_set, operators)


def test_types_are_multiplied_one_after_the_other():
    """10^8 in fp32 take 1 ms, 4 x 10^8 in int8 another."""
    roof = roof_of(cost({"fp32": 10**8, "int8": 4 * 10**8}), PEAKS)
    assert roof.compute_ms == pytest.approx(2.0)
    assert roof.memory_ms == 0.0


def test_bytes_come_from_the_memory_that_holds_the_working_set():
    near = roof_of(cost({}, 600_000, 400_000, 900_000), PEAKS)
    far = roof_of(cost({}, 600_000, 400_000, 1_100_000), PEAKS)
    assert near.memory_ms == pytest.approx(0.01)
    assert far.memory_ms == pytest.approx(0.1)


@pytest.mark.parametrize(
    ("multiply_adds", "size", "measured", "share", "bound"),
    [
        (10**8, 10**6, 2.0, 0.5, "compute"),
        (10**6, 10**7, 2.0, 0.5, "memory"),
        (10**8, 10**6, 10.0, 0.1, "neither"),
        (10**8, 10**6, 4.0, 0.25, "compute"),
    ],
)
def test_the_larger_of_the_two_times_is_the_roof(multiply_adds, size, measured, share, bound):
    """10^8 multiply-adds take 1 ms; 10^7 bytes of far memory take 1 ms."""
    one = cost({"fp32": multiply_adds}, size, 0, 10**7)
    found = reached(one, roof_of(one, PEAKS), measured)
    assert found.share == pytest.approx(share)
    assert found.bound == bound
    assert found.unexplained_us_per_operator == pytest.approx((measured - 1.0) * 1e3 / 10)


def test_a_share_above_one_is_shown_and_not_cut_off():
    one = cost({"fp32": 10**8})
    found = reached(one, roof_of(one, PEAKS), 0.5)
    assert found.share == pytest.approx(2.0)
    assert found.unexplained_us_per_operator == 0.0


def test_a_type_without_a_peak_has_no_roof():
    one = cost({"fp16": 10**8}, 10**6)
    roof = roof_of(one, PEAKS)
    assert roof.compute_ms is None
    assert roof.attainable_ms is None
    assert reached(one, roof, 1.0) is None


@given(st.integers(1, 10**10), st.integers(0, 10**10), st.integers(1, 10**9), st.floats(1e-3, 1e6))
def test_a_slower_answer_never_reaches_a_larger_share(fp32, int8, size, measured):
    one = cost({"fp32": fp32, "int8": int8}, size, 0, size)
    roof = roof_of(one, PEAKS)
    share = reached(one, roof, measured).share
    assert share * measured == pytest.approx(max(roof.compute_ms, roof.memory_ms))
    assert reached(one, roof, 2 * measured).share < share
