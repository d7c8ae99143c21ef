"""Weights that a package keeps compressed, as the floats that its operations compute with.

One function an operation of MIL, taking its inputs by their names in the specification (of
iOS 16, or iOS 18 where it says so). Arithmetic is in float32, rounded to the type of the scale or
of the lookup table, which is the type that the program declares.
"""

from collections.abc import Callable, Mapping
from typing import Any

import numpy as np
from numpy.typing import NDArray

Array = NDArray[Any]


def affine_dequantize(quantized_data: Array, zero_point: Array, scale: Array, axis: int) -> Array:
    """`scale * (quantized_data - zero_point)`, one scale in all or one a row along `axis`."""
    shape = [1] * quantized_data.ndim
    shape[int(axis)] = -1
    factor, shift = (_along(np.asarray(one), shape) for one in (scale, zero_point))
    floats = (quantized_data.astype(np.float32) - shift) * factor
    return floats.astype(np.asarray(scale).dtype)


def blockwise_shift_scale(data: Array, scale: Array, offset: Array | None = None) -> Array:
    """`scale * (data - offset)`, a scale for each block of `data` (iOS 18)."""
    floats = data.astype(np.float32)
    if offset is not None:
        floats = floats - _spread(offset, data.shape).astype(np.float32)
    floats = floats * _spread(scale, data.shape).astype(np.float32)
    return floats.astype(scale.dtype)


def packed_lut_to_dense(indices: Array, lut: Array, shape: Array) -> Array:
    """Entries of one lookup table; indices are packed into bytes, lowest bits first."""
    bits = int(np.log2(len(lut)))
    count = int(np.prod(shape))
    flags = np.unpackbits(indices, bitorder="little")[: bits * count].reshape(count, bits)
    places = flags.astype(np.int64) @ (1 << np.arange(bits))
    found: Array = lut[places].reshape([int(size) for size in shape])
    return found


def lut_to_dense(indices: Array, lut: Array, vector_axis: int | None = None) -> Array:
    """Entries of a lookup table for each block; entries may be vectors (iOS 18)."""
    rank = indices.ndim
    tables = lut
    for axis in range(rank):
        tables = np.repeat(tables, indices.shape[axis] // lut.shape[axis], axis=axis)
    places = indices.astype(np.int64)[..., None, None]
    entries = np.take_along_axis(tables, places, axis=rank)[..., 0, :]
    if entries.shape[-1] == 1:
        return entries[..., 0]
    along = int(vector_axis or 0) % rank
    shape = list(indices.shape)
    shape[along] *= entries.shape[-1]
    return np.moveaxis(entries, -1, along + 1).reshape(shape)


def packed_sparse_to_dense(nonzero_data: Array, mask: Array, shape: Array) -> Array:
    """Numbers where a bit is set, 0 elsewhere; bits are packed, lowest first."""
    count = int(np.prod(shape))
    flags = np.unpackbits(mask, bitorder="little")[:count].astype(bool)
    return sparse_to_dense(nonzero_data, flags.reshape([int(size) for size in shape]))


def sparse_to_dense(nonzero_data: Array, mask: Array) -> Array:
    """Numbers where the mask is 1, 0 elsewhere (iOS 18)."""
    dense = np.zeros(mask.shape, dtype=nonzero_data.dtype)
    dense[mask.astype(bool)] = nonzero_data
    return dense


def lut_to_sparse(
    indices_mask: Array, indices_nonzero_data: Array, lut: Array, vector_axis: int | None = None
) -> tuple[Array, Array]:
    """A mask and the entries of lookup tables where it is 1 (iOS 18)."""
    mask = indices_mask
    dense = lut_to_dense(sparse_to_dense(indices_nonzero_data, mask), lut, vector_axis)
    if lut.shape[-1] > 1:
        mask = np.repeat(mask, lut.shape[-1], axis=int(vector_axis or 0))
    return mask, dense[mask.astype(bool)]


def sparse_blockwise_shift_scale(
    data_mask: Array, nonzero_data: Array, scale: Array, offset: Array | None = None
) -> tuple[Array, Array]:
    """A mask and `scale * (nonzero_data - offset)` where it is 1 (iOS 18)."""
    dense = blockwise_shift_scale(sparse_to_dense(nonzero_data, data_mask), scale, offset)
    return data_mask, dense[data_mask.astype(bool)]


def is_known(name: str) -> bool:
    """Whether `materialize` knows an operation."""
    return (name, False) in _BY_NAME


def materialize(name: str, inputs: Mapping[str, Any]) -> tuple[Array, ...]:
    """Return the outputs of a `constexpr_*` operation.

    Args:
        name: Of the operation.
        inputs: Its inputs by name.
    """
    answer = _BY_NAME[name, "shape" in inputs](**inputs)
    return answer if isinstance(answer, tuple) else (answer,)


def _along(values: Array, shape: list[int]) -> Array:
    floats = values.astype(np.float32)
    return floats.reshape(shape) if values.ndim else floats


def _spread(values: Array, shape: tuple[int, ...]) -> Array:
    """Repeat one value a block until there is one a number."""
    for axis, size in enumerate(shape):
        values = np.repeat(values, size // values.shape[axis], axis=axis)
    return values


_BY_NAME: dict[tuple[str, bool], Callable[..., Any]] = {
    ("constexpr_affine_dequantize", False): affine_dequantize,
    ("constexpr_blockwise_shift_scale", False): blockwise_shift_scale,
    ("constexpr_cast", False): lambda source_val, output_dtype: np.float32(source_val),
    ("constexpr_lut_to_dense", True): packed_lut_to_dense,
    ("constexpr_lut_to_dense", False): lut_to_dense,
    ("constexpr_lut_to_sparse", False): lut_to_sparse,
    ("constexpr_sparse_blockwise_shift_scale", False): sparse_blockwise_shift_scale,
    ("constexpr_sparse_to_dense", True): packed_sparse_to_dense,
    ("constexpr_sparse_to_dense", False): sparse_to_dense,
}
"""By name, and whether the shape is an input, as in iOS 16."""
