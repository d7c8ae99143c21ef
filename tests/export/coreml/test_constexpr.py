"""Compressed weights are the floats that the specification's examples show."""

import numpy as np
import pytest

from export.coreml.constexpr import is_known, materialize

HALF = np.float16


def test_affine_weights_have_a_scale_a_row():
    data = np.array([[10, 12], [0, 4]], dtype=np.uint8)

    (given,) = materialize(
        "constexpr_affine_dequantize",
        {
            "quantized_data": data,
            "zero_point": np.array([10, 4], dtype=np.uint8),
            "scale": np.array([0.5, 2.0], dtype=HALF),
            "axis": np.int32(0),
        },
    )

    assert given.dtype == HALF
    assert given.tolist() == [[0.0, 1.0], [-8.0, 0.0]]


def test_affine_weights_have_one_scale_for_all():
    inputs = {"zero_point": np.int8(-1), "scale": HALF(0.25), "axis": np.int32(0)}

    (given,) = materialize(
        "constexpr_affine_dequantize",
        {"quantized_data": np.array([[3, -128]], dtype=np.int8), **inputs},
    )

    assert given.tolist() == [[1.0, -31.75]]


@pytest.mark.parametrize("offset, expected", [(None, [2, 4, -3, 6]), ([1, 2], [1, 3, -9, 0])])
def test_block_weights_have_a_scale_and_an_offset_a_block(offset, expected):
    inputs = {
        "data": np.array([[2, 4, -1, 2]], dtype=np.int8),
        "scale": np.array([[1.0, 3.0]], dtype=HALF),
    }
    if offset is not None:
        inputs["offset"] = np.array([offset], dtype=np.int8)

    (given,) = materialize("constexpr_blockwise_shift_scale", inputs)

    assert given.dtype == HALF
    assert given.tolist() == [expected]


def test_packed_indices_start_at_the_lowest_bits():
    # Indices 0, 3, 2, 1, 3 of two bits: 01 10 11 00, then xx xx xx 11.
    (given,) = materialize(
        "constexpr_lut_to_dense",
        {
            "indices": np.array([0b01101100, 0b00000011], dtype=np.uint8),
            "lut": np.array([0.0, 1.0, 2.0, 3.0], dtype=HALF),
            "shape": np.array([5], dtype=np.uint32),
        },
    )

    assert given.tolist() == [0.0, 3.0, 2.0, 1.0, 3.0]


def test_packed_indices_of_six_bits_reach_over_bytes():
    indices = [1, 63, 32, 5]
    bits = sum(value << (6 * place) for place, value in enumerate(indices))

    (given,) = materialize(
        "constexpr_lut_to_dense",
        {
            "indices": np.frombuffer(bits.to_bytes(3, "little"), dtype=np.uint8),
            "lut": np.arange(64, dtype=HALF),
            "shape": np.array([2, 2], dtype=np.uint32),
        },
    )

    assert given.tolist() == [[1, 63], [32, 5]]


def test_each_block_has_its_own_lookup_table():
    indices = np.array([[2, 3], [3, 0], [1, 0], [3, 0], [2, 1], [0, 3]], dtype=np.uint8)
    lut = np.array([1, 5, 9, 13, 2, 10, 18, 26], dtype=HALF).reshape(2, 1, 4, 1)

    (given,) = materialize("constexpr_lut_to_dense", {"indices": indices, "lut": lut})

    assert given.tolist() == [[9, 13], [13, 1], [5, 1], [26, 2], [18, 10], [2, 26]]


def test_entries_of_a_lookup_table_may_be_vectors_along_an_axis():
    indices = np.array([[[0, 0], [1, 0]], [[1, 1], [0, 0]]], dtype=np.uint8)
    lut = np.array([1, 2, 3, 7, 8, 9], dtype=np.int8).reshape(1, 1, 1, 2, 3)

    (first,) = materialize(
        "constexpr_lut_to_dense", {"indices": indices, "lut": lut, "vector_axis": np.int32(1)}
    )
    (last,) = materialize(
        "constexpr_lut_to_dense", {"indices": indices, "lut": lut, "vector_axis": np.int32(2)}
    )

    assert first[0].tolist() == [[1, 1], [2, 2], [3, 3], [7, 1], [8, 2], [9, 3]]
    assert last[0].tolist() == [[1, 2, 3, 1, 2, 3], [7, 8, 9, 1, 2, 3]]


def test_sparse_weights_are_zero_where_no_bit_is_set():
    data = np.array([4.0, 5.0], dtype=HALF)

    (packed,) = materialize(
        "constexpr_sparse_to_dense",
        {
            "nonzero_data": data,
            "mask": np.array([0b00001100], dtype=np.uint8),
            "shape": np.array([5], dtype=np.uint32),
        },
    )
    (plain,) = materialize(
        "constexpr_sparse_to_dense",
        {"nonzero_data": data, "mask": np.array([[0, 1], [1, 0]], dtype=np.uint8)},
    )

    assert packed.tolist() == [0, 0, 4, 5, 0]
    assert plain.tolist() == [[0, 4], [5, 0]]


def test_sparse_weights_may_be_compressed_as_well():
    mask = np.array([[0, 1], [1, 0]], dtype=np.uint8)
    lut = np.array([0.5, 2.5], dtype=HALF).reshape(1, 1, 2, 1)

    found, chosen = materialize(
        "constexpr_lut_to_sparse",
        {
            "indices_mask": mask,
            "indices_nonzero_data": np.array([1, 0], dtype=np.uint8),
            "lut": lut,
        },
    )
    same, scaled = materialize(
        "constexpr_sparse_blockwise_shift_scale",
        {
            "data_mask": mask,
            "nonzero_data": np.array([3, 4], dtype=np.int8),
            "scale": np.array([[2.0], [0.5]], dtype=HALF),
        },
    )

    assert found.tolist() == same.tolist() == mask.tolist()
    assert chosen.tolist() == [2.5, 0.5]
    assert scaled.tolist() == [6.0, 2.0]


def test_a_cast_widens():
    (given,) = materialize(
        "constexpr_cast", {"source_val": np.array([0.1], dtype=HALF), "output_dtype": "fp32"}
    )

    assert given.dtype == np.float32
    assert given[0] == HALF(0.1)


def test_what_is_not_known_is_said():
    assert is_known("constexpr_lut_to_dense")
    assert not is_known("constexpr_of_the_future")
