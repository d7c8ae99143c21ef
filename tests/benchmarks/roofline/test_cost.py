"""Sums over operators, and the bytes that one moves."""

import pytest

from benchmarks.roofline.cost import GraphCost, OperatorCost, Value, bytes_moved, total_cost


def test_sums_keep_types_apart_and_the_working_set_is_the_largest_operator_s():
    found = total_cost(
        [
            OperatorCost("MatMul", {"fp32": 10}, 100, 40),
            OperatorCost("MatMulInteger", {"int8": 7}, 20, 60),
            OperatorCost("MatMul", {"fp32": 5}, 0, 10),
        ]
    )
    assert found.multiply_adds == {"int8": 7, "fp32": 15}
    assert found.all_multiply_adds == 22
    assert (found.weight_bytes, found.activation_bytes, found.bytes) == (120, 110, 230)
    assert found.working_set_bytes == 120 + 60
    assert found.intensity == pytest.approx(22 / 230)


def test_what_is_not_understood_is_counted_by_name():
    odd = OperatorCost("Odd", {}, 0, 1, is_understood=False)
    found = total_cost([odd, OperatorCost("Add", {}, 0, 1), odd])
    assert found.not_understood == {"Odd": 2}
    assert found.operators == 3


def test_an_empty_graph_has_no_intensity():
    assert total_cost([]) == GraphCost({}, 0, 0, 0, 0)
    assert total_cost([]).intensity is None


def test_of_a_gathered_table_the_rows_are_read_in_its_own_type():
    """A table of int8, 100 rows of 8, of which 3 become float32."""
    table = Value((100, 8), 800, "int8", is_weight=True)
    rows, made = Value((3,), 24), Value((3, 8), 96, "fp32")
    assert bytes_moved([table, rows], [made], table) == (24, 24 + 96)
    assert bytes_moved([table, rows], [made]) == (800, 24 + 96)
