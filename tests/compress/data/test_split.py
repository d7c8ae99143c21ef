import numpy as np
from hypothesis import given
from hypothesis import strategies as st

from compress.data.split import NO_CASE, global_time, leave_one_out, order_statistic


def test_leave_one_out_holds_back_the_last_two_events() -> None:
    split = leave_one_out(np.array([3, 5]))
    assert split.first.tolist() == [0, 3]
    assert split.train_end.tolist() == [1, 6]
    assert split.validation.tolist() == [1, 6]
    assert split.test.tolist() == [2, 7]


def test_global_time_predicts_the_first_event_of_each_period() -> None:
    # Users with 4 events: in all periods; only training; nothing in validation; only validation
    # and test (no history before validation, but one before the test); only test.
    counts = np.full(5, 4)
    before_validation = np.array([2, 4, 3, 0, 0])
    before_test = np.array([3, 4, 3, 2, 0])
    split = global_time(counts, before_validation, before_test)
    assert split.first.tolist() == [0, 4, 8, 12, 16]
    assert split.train_end.tolist() == [2, 8, 11, 12, 16]
    assert split.validation.tolist() == [2, NO_CASE, NO_CASE, NO_CASE, NO_CASE]
    assert split.test.tolist() == [3, NO_CASE, 11, 14, NO_CASE]


INT64 = st.integers(-(2**63), 2**63 - 1)


@given(
    st.lists(st.one_of(INT64, st.integers(-5, 5)), min_size=1, max_size=30),
    st.data(),
    st.integers(1, 9),
)
def test_order_statistic_is_the_value_at_that_place(
    values: list[int], data: st.DataObject, size: int
) -> None:
    rank = data.draw(st.integers(0, len(values) - 1))
    array = np.array(values, np.int64)
    parts = [array[first : first + size] for first in range(0, len(array), size)]
    assert order_statistic(lambda: parts, rank) == sorted(values)[rank]
