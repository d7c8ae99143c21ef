"""What each scheme does to the weights: coremltools' settings for it."""

from collections.abc import Iterable
from typing import Any

import numpy as np

from compress.recipe.artifacts import CoreMl
from export.coreml.palette import palette_of
from export.source import Unsupported

COMPRESSED = frozenset({"linear", "conv", "gather", "matmul"})
"""Operations whose weights are compressed: matrices and tables. Masks, distances and positions,
which are added, stay as they are: they are small, and a mask's -10,000 would take the range."""
LEAST_NUMBERS = 512
"""Weights with no more numbers than this stay in fp16: scales would take what is saved."""
LARGEST_BLOCK = 32
"""Most numbers that share a scale in int4."""
_SMALLEST_BLOCK = 8

_PALETTE_BITS = {"palettized-4": 4, "palettized-6": 6}


def refuse_impossible(wanted: CoreMl) -> None:
    """Check that a scheme can be had, before anything is converted.

    Raises:
        Unsupported: It needs a newer target.
    """
    if wanted.scheme == "int4-weight" and wanted.target != "iOS18":
        raise Unsupported(
            f"coreml int4-weight: {wanted.target} has no int4 weights; set target: iOS18, "
            f"or choose scheme: palettized-4, which {wanted.target} has"
        )


def compress(model: Any, wanted: CoreMl) -> Any:
    """Return a converted model with its weights as the scheme says.

    Args:
        model: A coremltools `MLModel` in fp16.
        wanted: Its scheme and target have passed `refuse_impossible`.
    """
    if wanted.scheme in {"fp32", "fp16"}:
        return model
    from coremltools.optimize import coreml as optimize

    weights = optimize.get_weights_metadata(model, weight_threshold=LEAST_NUMBERS + 1)
    chosen = {
        name: _settings(optimize, wanted, weight)
        for name, weight in weights.items()
        if weight.val.ndim > 1 and all(one.op_type in COMPRESSED for one in weight.child_ops)
    }
    config = optimize.OptimizationConfig(op_name_configs=chosen)
    if wanted.scheme in _PALETTE_BITS:
        return optimize.palettize_weights(model, config)
    return optimize.linear_quantize_weights(model, config)


def compressed_share(operations: Iterable[Any]) -> float:
    """Return which share of a function's weights, by count of numbers, is compressed: 0 ... 1.

    Args:
        operations: Of a coremltools `Function`.
    """
    compressed = plain = 0
    for operation in operations:
        output = operation.outputs[0]
        if operation.op_type.startswith("constexpr_"):
            compressed += int(np.prod(output.shape))
        elif operation.op_type == "const" and np.asarray(output.val).dtype.kind == "f":
            users = [one.op_type for one in output.child_ops]
            if not all(user.startswith("constexpr_") for user in users):
                plain += int(np.size(output.val))
    return compressed / max(1, compressed + plain)


def _settings(optimize: Any, wanted: CoreMl, weight: Any) -> Any:
    """Settings of one weight."""
    if wanted.scheme in _PALETTE_BITS:
        return optimize.OpPalettizerConfig(
            mode="custom",
            lut_function=palette_of(_PALETTE_BITS[wanted.scheme]),
            weight_threshold=LEAST_NUMBERS,
        )
    if wanted.scheme == "int8-weight":
        return optimize.OpLinearQuantizerConfig(
            mode="linear_symmetric",
            dtype="int8",
            granularity="per_channel",
            weight_threshold=LEAST_NUMBERS,
        )
    block = _block(weight)
    return optimize.OpLinearQuantizerConfig(
        mode="linear",  # a zero point for each block: measured, less is lost than without
        dtype="uint4",
        granularity="per_block" if block else "per_channel",
        block_size=block or 0,
        weight_threshold=LEAST_NUMBERS,
    )


def _block(weight: Any) -> int | None:
    """How many numbers share a scale: they must divide the row; None: the whole row does."""
    if any(one.op_type == "matmul" for one in weight.child_ops):
        return None
    row = weight.val.shape[1]
    sizes = range(min(row, LARGEST_BLOCK), _SMALLEST_BLOCK - 1, -1)
    return next((size for size in sizes if row % size == 0), None)
