"""Operations of MIL that move, choose and compare whole numbers: no number is rounded by them.

Every function takes the inputs of the operation of its name by their names in the MIL
specification (iOS 15 ... iOS 18), and has that specification's defaults.
"""

from collections.abc import Callable, Sequence
from typing import Any

import numpy as np
from numpy.typing import NDArray

Array = NDArray[Any]


def gather(
    x: Array,
    indices: Array,
    axis: int = 0,
    batch_dims: int = 0,
    validate_indices: bool = False,
) -> Array:
    """Rows of `x` by number; a negative one counts from the end."""
    places, count = np.asarray(indices), int(batch_dims)
    if count == 0:
        return np.take(x, places, axis=int(axis))
    along = int(axis) % x.ndim
    answers = [gather(one, row, along - 1, count - 1) for one, row in zip(x, places, strict=True)]
    return np.stack(answers)


def gather_along_axis(
    x: Array, indices: Array, axis: int = 0, validate_indices: bool = False
) -> Array:
    """What stands at `indices` of the same rank along one axis."""
    return np.take_along_axis(x, np.asarray(indices, dtype=np.int64), axis=int(axis))


def gather_nd(
    x: Array, indices: Array, batch_dims: int = 0, validate_indices: bool = False
) -> Array:
    """Parts of `x` by the coordinates in the last axis of `indices`."""
    if int(batch_dims) == 0:
        found: Array = x[tuple(np.moveaxis(np.asarray(indices, dtype=np.int64), -1, 0))]
        return found
    rest = int(batch_dims) - 1
    return np.stack([gather_nd(one, row, rest) for one, row in zip(x, indices, strict=True)])


def scatter_along_axis(
    data: Array,
    indices: Array,
    updates: Array,
    *,
    axis: int = 0,
    mode: str = "add",
    validate_indices: bool = False,
) -> Array:
    """`data` with `updates` written, added, ... at `indices` along one axis."""
    answer: Array = data.copy()
    along = int(axis)
    places = np.asarray(indices, dtype=np.int64)
    if mode == "update":
        np.put_along_axis(answer, places, updates, axis=along)
        return answer
    at: list[Any] = list(np.ogrid[tuple(slice(size) for size in places.shape)])
    at[along] = places
    _UPDATES[mode].at(answer, tuple(at), updates)
    return answer


def scatter(
    data: Array,
    indices: Array,
    updates: Array,
    *,
    axis: int = 0,
    mode: str = "add",
    validate_indices: bool = False,
) -> Array:
    """`data` with whole slices `updates` written, added, ... at the numbers `indices`."""
    answer: Array = data.copy()
    at: Any = (*[slice(None)] * (int(axis) % data.ndim), np.asarray(indices, dtype=np.int64))
    if mode == "update":
        answer[at] = updates
    else:
        _UPDATES[mode].at(answer, at, updates)
    return answer


def scatter_nd(
    data: Array,
    indices: Array,
    updates: Array,
    mode: str = "add",
    validate_indices: bool = False,
) -> Array:
    """`data` with `updates` written, added, ... at the coordinates in the last axis."""
    answer = data.copy()
    at = tuple(np.moveaxis(np.asarray(indices, dtype=np.int64), -1, 0))
    if mode == "update":
        answer[at] = updates
    else:
        _UPDATES[mode].at(answer, at, updates)
    return answer


def topk(
    x: Array,
    *,
    k: int = 1,
    axis: int = -1,
    ascending: bool = False,
    sort: bool = True,
    return_indices: bool = True,
    output_indices_dtype: str = "int32",
) -> tuple[Array, ...]:
    """The `k` largest (or smallest) along an axis, best first, of equals the first, and where."""
    # A cut before the sort: catalogues are long, and K is short.
    rows = np.moveaxis(x if ascending else -x, int(axis), -1)
    count = min(int(k), rows.shape[-1])
    limit = np.partition(rows, count - 1, axis=-1)[..., count - 1 : count]
    chosen = np.empty((*rows.shape[:-1], count), dtype=np.int64)
    for row in np.ndindex(rows.shape[:-1]):
        candidates = np.flatnonzero(rows[row] <= limit[row])
        chosen[row] = candidates[np.argsort(rows[row][candidates], kind="stable")[:count]]
    chosen = np.moveaxis(chosen, -1, int(axis))
    values = np.take_along_axis(x, chosen, axis=int(axis))
    return (values, chosen) if return_indices else (values,)


def argsort(x: Array, axis: int = -1, ascending: bool = False) -> Array:
    """Where the numbers stand in order, of equals the first first."""
    return np.argsort(x if ascending else -x, axis=int(axis), kind="stable")


def slice_by_index(
    x: Array,
    begin: Array,
    end: Array,
    *,
    stride: Array | None = None,
    begin_mask: Array | None = None,
    end_mask: Array | None = None,
    squeeze_mask: Array | None = None,
) -> Array:
    """Like NumPy's slices; a mask leaves an end open, or takes one place and drops the axis."""
    nothing: Sequence[bool] = [False] * x.ndim
    steps = [1] * x.ndim if stride is None else stride
    open_begin = nothing if begin_mask is None else begin_mask
    open_end = nothing if end_mask is None else end_mask
    single = nothing if squeeze_mask is None else squeeze_mask
    at: list[int | slice] = []
    for axis in range(x.ndim):
        if single[axis]:
            at.append(int(begin[axis]))
            continue
        first = None if open_begin[axis] else int(begin[axis])
        last = None if open_end[axis] else int(end[axis])
        at.append(slice(first, last, int(steps[axis])))
    found: Array = np.asarray(x[tuple(at)])
    return found


def slice_by_size(x: Array, begin: Array, size: Array) -> Array:
    """A block of `size`, where -1 is all that is left."""
    found: Array = x[
        tuple(
            slice(int(first), None if count == -1 else int(first) + int(count))
            for first, count in zip(begin, size, strict=True)
        )
    ]
    return found


def split(
    x: Array,
    axis: int,
    num_splits: int | None = None,
    split_sizes: Array | None = None,
) -> tuple[Array, ...]:
    """Parts along an axis: equal ones, or of the given sizes."""
    if split_sizes is None:
        return tuple(np.split(x, int(num_splits or 1), axis=int(axis)))
    return tuple(np.split(x, np.cumsum(split_sizes)[:-1], axis=int(axis)))


def concat(values: Sequence[Array], axis: int, interleave: bool = False) -> Array:
    """Arrays one after the other, or their rows in turn."""
    if not interleave:
        return np.concatenate([np.atleast_1d(value) for value in values], axis=int(axis))
    along = int(axis) % values[0].ndim
    stacked = np.stack(values, axis=along + 1)
    shape = list(values[0].shape)
    shape[along] *= len(values)
    return stacked.reshape(shape)


def pad(x: Array, pad: Array, mode: str = "constant", constant_val: float = 0.0) -> Array:
    """More places before and after the last dimensions."""
    amounts = np.asarray(pad).reshape(-1, 2).tolist()
    around = [(0, 0)] * (x.ndim - len(amounts)) + [(int(a), int(b)) for a, b in amounts]
    if mode == "constant":
        return np.pad(x, around, constant_values=constant_val)
    return np.pad(x, around, mode="edge" if mode == "replicate" else "reflect")


def reshape(x: Array, shape: Array) -> Array:
    """The same numbers in another shape; -1 is what is left."""
    return np.reshape(x, [int(size) for size in shape])


def squeeze(x: Array, axes: Array | None = None) -> Array:
    """Without axes of size 1."""
    return np.squeeze(x, None if axes is None else tuple(int(axis) for axis in axes))


def expand_dims(x: Array, axes: Array) -> Array:
    """With new axes of size 1."""
    return np.expand_dims(x, tuple(int(axis) for axis in axes))


def cumsum(x: Array, axis: int = 0, exclusive: bool = False, reverse: bool = False) -> Array:
    """Sums of all before, with or without the number itself."""
    turned = np.flip(x, int(axis)) if reverse else x
    sums = np.cumsum(turned, axis=int(axis), dtype=turned.dtype)
    sums = sums - turned if exclusive else sums
    return np.flip(sums, int(axis)) if reverse else sums


def one_hot(
    indices: Array,
    one_hot_vector_size: int,
    axis: int = -1,
    on_value: float = 1,
    off_value: float = 0,
) -> Array:
    """`on_value` at a number's place, `off_value` elsewhere."""
    hit = np.asarray(indices)[..., None] == np.arange(int(one_hot_vector_size))
    return np.moveaxis(np.where(hit, on_value, off_value), -1, int(axis))


def select(cond: Array, a: Array, b: Array) -> Array:
    """`a` where the condition holds, `b` elsewhere."""
    return np.where(cond, a, b)


def logical_not(x: Array) -> Array:
    """Whether it is not so."""
    answer: Array = np.logical_not(x)
    return answer


def _of_two(function: Callable[[Any, Any], Any]) -> Callable[..., Any]:
    """NumPy's function with MIL's names for what it takes: NumPy's own has none."""

    def compute(x: Any, y: Any) -> Any:
        return function(x, y)

    return compute


_UPDATES: dict[str, Any] = {
    "add": np.add,
    "sub": np.subtract,
    "mul": np.multiply,
    "div": np.divide,
    "max": np.maximum,
    "min": np.minimum,
}

MOVEMENT: dict[str, Callable[..., Any]] = {
    "argsort": argsort,
    "cast": lambda x, dtype: x,  # every result is cast to the type that the program declares
    "concat": concat,
    "cumsum": cumsum,
    "expand_dims": expand_dims,
    "fill": lambda shape, value=0.0: np.full([int(size) for size in shape], value),
    "fill_like": lambda ref_tensor, value=0.0: np.full(ref_tensor.shape, value),
    "gather": gather,
    "gather_along_axis": gather_along_axis,
    "gather_nd": gather_nd,
    "identity": lambda x: x,
    "logical_and": _of_two(np.logical_and),
    "logical_not": logical_not,
    "logical_or": _of_two(np.logical_or),
    "logical_xor": _of_two(np.logical_xor),
    "one_hot": one_hot,
    "pad": pad,
    "range_1d": lambda end, start, step: np.arange(start, end, step),
    "reduce_argmax": lambda x, axis=-1, keep_dims=True, output_dtype="int32": np.argmax(
        x, axis=int(axis), keepdims=bool(keep_dims)
    ),
    "reduce_argmin": lambda x, axis=-1, keep_dims=True, output_dtype="int32": np.argmin(
        x, axis=int(axis), keepdims=bool(keep_dims)
    ),
    "reshape": reshape,
    "scatter": scatter,
    "scatter_along_axis": scatter_along_axis,
    "scatter_nd": scatter_nd,
    "select": select,
    "shape": lambda x: np.array(x.shape, dtype=np.int32),
    "slice_by_index": slice_by_index,
    "slice_by_size": slice_by_size,
    "split": split,
    "squeeze": squeeze,
    "stack": lambda values, axis: np.stack(values, axis=int(axis)),
    "tile": lambda x, reps: np.tile(x, [int(count) for count in reps]),
    "topk": topk,
    "transpose": lambda x, perm: np.transpose(x, [int(axis) for axis in perm]),
}
"""By the name of the operation."""
