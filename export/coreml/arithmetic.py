"""Operations of MIL that compute: in float32, whatever they are given, rounded by the caller.

Every function takes the inputs of the operation of its name by their names in the MIL
specification (iOS 15 ... iOS 18), and has that specification's defaults.
"""

from collections.abc import Callable
from typing import Any

import numpy as np
from numpy.typing import NDArray
from scipy import special  # type: ignore[import-untyped]  # scipy ships no type information

Array = NDArray[Any]


def linear(x: Array, weight: Array, bias: Array | None = None) -> Array:
    """`[..., I]` times `[O, I]` transposed, plus `[O]`."""
    product: Array = x @ weight.T
    return product if bias is None else product + bias


def matmul(x: Array, y: Array, transpose_x: bool = False, transpose_y: bool = False) -> Array:
    """Batches of matrix products."""
    left = x.swapaxes(-1, -2) if transpose_x else x
    right = y.swapaxes(-1, -2) if transpose_y else y
    product: Array = left @ right
    return product


def einsum(values: list[Array], equation: str) -> Array:
    """Einstein's sum of two arrays."""
    result: Array = np.einsum(equation, *values)
    return result


def conv(
    x: Array,
    weight: Array,
    bias: Array | None = None,
    *,
    strides: Array | None = None,
    pad_type: str = "valid",
    pad: Array | None = None,
    dilations: Array | None = None,
    groups: int = 1,
) -> Array:
    """Cross-correlation of `[N, C, *D]` with `[O, C / groups, *K]`, one to three dimensions."""
    rank = x.ndim - 2
    steps = [1] * rank if strides is None else [int(step) for step in strides]
    spread = [1] * rank if dilations is None else [int(gap) for gap in dilations]
    reach = [(size - 1) * gap + 1 for size, gap in zip(weight.shape[2:], spread, strict=True)]
    around = _conv_padding(x.shape[2:], reach, steps, pad_type, pad)
    padded = np.pad(x, [(0, 0), (0, 0), *around])
    axes: Any = tuple(range(2, 2 + rank))
    windows: Array = np.lib.stride_tricks.sliding_window_view(padded, tuple(reach), axes)
    every = tuple(slice(None, None, step) for step in steps)
    inside = tuple(slice(None, None, gap) for gap in spread)
    windows = windows[(slice(None), slice(None), *every, *inside)]
    over = tuple(range(2 + rank, 2 + 2 * rank))
    answers = [
        np.tensordot(part, kernel, axes=((1, *over), tuple(range(1, 2 + rank))))
        for part, kernel in zip(
            np.split(windows, int(groups), axis=1),
            np.split(weight, int(groups), axis=0),
            strict=True,
        )
    ]
    result: Array = np.moveaxis(np.concatenate(answers, axis=-1), -1, 1)
    return result if bias is None else result + bias.reshape(-1, *[1] * rank)


def _conv_padding(
    sizes: tuple[int, ...], reach: list[int], steps: list[int], pad_type: str, pad: Array | None
) -> list[tuple[int, int]]:
    """How much to add before and after each dimension."""
    if pad_type == "valid":
        return [(0, 0)] * len(sizes)
    if pad_type == "custom":
        amounts = [int(amount) for amount in ([] if pad is None else pad)]
        return list(zip(amounts[::2], amounts[1::2], strict=True))
    missing = [
        max(0, (-(-size // step) - 1) * step + width - size)
        for size, step, width in zip(sizes, steps, reach, strict=True)
    ]
    smaller = [amount // 2 for amount in missing]
    larger = [amount - half for amount, half in zip(missing, smaller, strict=True)]
    first, last = (smaller, larger) if pad_type == "same" else (larger, smaller)
    return list(zip(first, last, strict=True))


def layer_norm(
    x: Array,
    axes: Array | None = None,
    gamma: Array | None = None,
    beta: Array | None = None,
    epsilon: float = 1e-5,
) -> Array:
    """Zero mean and unit variance over `axes`, then scaled and shifted."""
    over = tuple(range(x.ndim)) if axes is None else tuple(int(axis) for axis in axes)
    centred = x - x.mean(axis=over, keepdims=True)
    result: Array = centred / np.sqrt(np.square(centred).mean(axis=over, keepdims=True) + epsilon)
    if gamma is not None:
        result = result * gamma
    return result if beta is None else result + beta


def softmax(x: Array, axis: int = -1) -> Array:
    """Exponentials over their sum."""
    exponentials = np.exp(x - x.max(axis=axis, keepdims=True))
    result: Array = exponentials / exponentials.sum(axis=axis, keepdims=True)
    return result


def scaled_dot_product_attention(
    query: Array, key: Array, value: Array, attn_mask: Array | None = None
) -> Array:
    """Vaswani et al. 2017, eq. 1; a mask of booleans says what is seen, one of floats is added."""
    scores = query @ key.swapaxes(-1, -2) / np.sqrt(np.float32(query.shape[-1]))
    if attn_mask is not None and attn_mask.dtype == np.bool_:
        scores = np.where(attn_mask, scores, -np.inf)
    elif attn_mask is not None:
        scores = scores + attn_mask
    answer: Array = softmax(scores) @ value
    return answer


def gelu(x: Array, mode: str = "EXACT") -> Array:
    """Hendrycks and Gimpel 2016, exact or by one of its two approximations."""
    if mode == "EXACT":
        result: Array = 0.5 * x * (1.0 + special.erf(x * np.float32(0.5**0.5)))
        return result
    if mode == "SIGMOID_APPROXIMATION":
        return x * sigmoid(1.702 * x)
    inner = np.float32((2.0 / np.pi) ** 0.5) * (x + 0.044715 * x * x * x)
    return 0.5 * x * (1.0 + np.tanh(inner))


def sigmoid(x: Array) -> Array:
    """The logistic function, without overflow."""
    result: Array = 0.5 * (1.0 + np.tanh(0.5 * x))
    return result


def silu(x: Array) -> Array:
    """`x` times its sigmoid."""
    return x * sigmoid(x)


def erf(x: Array) -> Array:
    """The error function."""
    result: Array = special.erf(x)
    return result


def softplus(x: Array) -> Array:
    """`log(1 + exp(x))`."""
    return np.logaddexp(x, np.zeros_like(x))


def leaky_relu(x: Array, alpha: float) -> Array:
    """`x`, and `alpha * x` below 0."""
    return np.where(x >= 0, x, alpha * x)


def elu(x: Array, alpha: float) -> Array:
    """`x`, and `alpha * (exp(x) - 1)` below 0."""
    return np.where(x >= 0, x, alpha * np.expm1(np.minimum(x, 0)))


def clip(x: Array, alpha: float, beta: float) -> Array:
    """`x` between `alpha` and `beta`."""
    return np.clip(x, alpha, beta)


def rsqrt(x: Array, epsilon: float = 1e-12) -> Array:
    """One over the square root."""
    result: Array = 1.0 / np.sqrt(x + np.float32(epsilon))
    return result


def inverse(x: Array, epsilon: float = 1e-4) -> Array:
    """One over `x + epsilon`."""
    result: Array = 1.0 / (x + np.float32(epsilon))
    return result


def log(x: Array, epsilon: float = 1e-45) -> Array:
    """Natural logarithm of `x + epsilon`."""
    return np.log(x + np.float32(epsilon))


def real_div(x: Array, y: Array) -> Array:
    """Division; of integers, towards zero."""
    quotient: Array = np.true_divide(x, y)
    if np.issubdtype(np.result_type(x, y), np.integer):
        return np.trunc(quotient)
    return quotient


def _reduction(function: Callable[..., Any]) -> Callable[..., Array]:
    def reduce(x: Array, axes: Array | None = None, keep_dims: bool = False) -> Array:
        over = None if axes is None else tuple(int(axis) for axis in np.atleast_1d(axes))
        return np.asarray(function(x, axis=over, keepdims=bool(keep_dims)))

    return reduce


def _l2_norm(x: Array, axis: tuple[int, ...] | None, keepdims: bool) -> Array:
    norm: Array = np.sqrt(np.sum(np.square(x), axis=axis, keepdims=keepdims))
    return norm


def _of_one(function: Callable[[Any], Any]) -> Callable[..., Any]:
    """NumPy's function with MIL's name for what it takes: NumPy's own has none."""

    def compute(x: Any) -> Any:
        return function(x)

    return compute


def _of_two(function: Callable[[Any, Any], Any]) -> Callable[..., Any]:
    """See `_of_one`."""

    def compute(x: Any, y: Any) -> Any:
        return function(x, y)

    return compute


ARITHMETIC: dict[str, Callable[..., Any]] = {
    "abs": _of_one(np.abs),
    "add": _of_two(np.add),
    "clip": clip,
    "conv": conv,
    "cos": _of_one(np.cos),
    "einsum": einsum,
    "elu": elu,
    "equal": _of_two(np.equal),
    "erf": erf,
    "exp": _of_one(np.exp),
    "floor": _of_one(np.floor),
    "floor_div": _of_two(np.floor_divide),
    "gelu": gelu,
    "greater": _of_two(np.greater),
    "greater_equal": _of_two(np.greater_equal),
    "inverse": inverse,
    "layer_norm": layer_norm,
    "leaky_relu": leaky_relu,
    "less": _of_two(np.less),
    "less_equal": _of_two(np.less_equal),
    "linear": linear,
    "log": log,
    "matmul": matmul,
    "maximum": _of_two(np.maximum),
    "minimum": _of_two(np.minimum),
    "mod": _of_two(np.mod),
    "mul": _of_two(np.multiply),
    "not_equal": _of_two(np.not_equal),
    "pow": _of_two(np.power),
    "real_div": real_div,
    "reduce_l2_norm": _reduction(_l2_norm),
    "reduce_max": _reduction(np.max),
    "reduce_mean": _reduction(np.mean),
    "reduce_min": _reduction(np.min),
    "reduce_prod": _reduction(np.prod),
    "reduce_sum": _reduction(np.sum),
    "relu": lambda x: np.maximum(x, 0),
    "rsqrt": rsqrt,
    "scaled_dot_product_attention": scaled_dot_product_attention,
    "sigmoid": sigmoid,
    "silu": silu,
    "sin": _of_one(np.sin),
    "softmax": softmax,
    "softplus": softplus,
    "sqrt": _of_one(np.sqrt),
    "square": _of_one(np.square),
    "sub": _of_two(np.subtract),
    "tanh": _of_one(np.tanh),
}
"""By the name of the operation."""
