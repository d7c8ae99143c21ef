"""Which of a device's processors a package's operations allow, as far as that is known off a Mac.

Apple publishes no list of what the Neural Engine runs: Core ML decides on the device, and only its
compute plan on a Mac or a phone tells. One rule is published, and it is the one used here: the
Neural Engine computes in fp16 alone (coremltools' guide, "Typed Execution"). Whatever reads or
writes other numbers therefore runs on the CPU or the GPU.
"""

from collections import Counter
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from typing import Any


@dataclass(frozen=True)
class ComputeUnits:
    """What can be said without the device."""

    allowed: str
    """In words, for a person."""
    operations: tuple[str, ...]
    """How often each operation occurs, weights apart: `linear 14`; most frequent first."""
    fp16_operations: int
    """Those that compute in fp16 alone: the Neural Engine may run them."""
    off_neural_engine: tuple[str, ...]
    """Operations that it cannot run, and the types that keep them off: `topk 1 (uint16)`. Empty
    where it runs none."""


def compute_units(operations: Iterable[Any]) -> ComputeUnits:
    """Say which processors a function's operations allow.

    Args:
        operations: Of a coremltools `Function`.
    """
    from coremltools.converters.mil.mil import types

    counts: Counter[str] = Counter()
    off: dict[tuple[str, str], int] = {}
    for operation in operations:
        name = operation.op_type
        if name == "const" or name.startswith("constexpr_"):
            continue
        counts[name] += 1
        found = {types.builtin_to_string(one.dtype) for one in _tensors(operation)}
        others = ", ".join(sorted(found - {"fp16"}))
        if others:
            off[name, others] = off.get((name, others), 0) + 1
    total = sum(counts.values())
    fp16 = total - sum(off.values())
    if fp16:
        allowed = (
            f"CPU: all {total} operations; GPU and Neural Engine: Core ML decides on the device; "
            f"Neural Engine: at most the {fp16} that compute in fp16 alone"
        )
    else:
        allowed = (
            f"CPU: all {total} operations; GPU: Core ML decides on the device; "
            "no Neural Engine, which has fp16 alone"
        )
    return ComputeUnits(
        allowed=allowed,
        operations=tuple(
            f"{name} {count}" for name, count in sorted(counts.items(), key=lambda x: (-x[1], x[0]))
        ),
        fp16_operations=fp16,
        off_neural_engine=tuple(
            f"{name} {off[name, why]} ({why})" for name, why in sorted(off) if fp16
        ),
    )


def _tensors(operation: Any) -> Iterator[Any]:
    """What is computed with or from: no parameters, such as axes, which are constants."""
    yield from operation.outputs
    for one in operation.get_flattened_inputs():
        if one.op is None or one.op.op_type != "const":
            yield one
