"""What one query costs by the graph: multiply-adds and bytes, summed over its operators.

Williams, Waterman, Patterson 2009, "Roofline: An Insightful Visual Performance Model". A multiply
and the addition that follows are one multiply-add; only those of products (matrices, convolutions,
attention, recurrent layers) are counted. Operators that compute a number from a number (norms,
activations, sums) cost the bytes that they read and write.
"""

from collections import Counter
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from math import prod
from typing import Literal

NumberType = Literal["int8", "fp16", "fp32"]
"""What both factors of a multiplication are."""
NUMBER_TYPES: tuple[NumberType, ...] = ("int8", "fp16", "fp32")


@dataclass(frozen=True)
class Value:
    """A tensor that an operator reads or writes."""

    shape: tuple[int, ...]
    bytes: int
    """What it takes as it is stored: compressed weights are counted compressed."""
    number: NumberType | None = None
    """None: integers of more than 8 bits, booleans, texts."""
    is_weight: bool = False
    """Whether it is a constant of the file."""

    @property
    def size(self) -> int:
        """How many numbers it holds."""
        return prod(self.shape)


@dataclass(frozen=True)
class OperatorCost:
    """What one operator does in one query."""

    operator: str
    """Its type, with its domain where that is no runtime's own."""
    multiply_adds: Mapping[NumberType, int]
    weight_bytes: int
    """Read of constants: of a table that rows are gathered from, those rows."""
    activation_bytes: int
    """Read and written of what depends on the input."""
    is_understood: bool = True
    """Whether its multiply-adds are known; bytes are counted for any."""
    reads_text: bool = False
    """Whether it is an operator of a tokenizer, which multiplies nothing."""


@dataclass(frozen=True)
class GraphCost:
    """What one query costs, summed over the operators that are run.

    Bytes are those that pass between operators: each reads its inputs and writes its outputs once.
    Views (a reshape) move nothing. A runtime that fuses more than its graph says moves fewer.
    """

    multiply_adds: Mapping[NumberType, int]
    """By the numbers that are multiplied; only those that occur."""
    weight_bytes: int
    activation_bytes: int
    working_set_bytes: int
    """The weights read, and the most that one operator reads and writes beside: what has to stay in
    a cache for the next query to find it there."""
    operators: int
    not_understood: Mapping[str, int] = field(default_factory=dict)
    """Operators whose multiply-adds are not known, with how often each is run: never silently 0."""
    text_operators: int = 0
    """Operators of a tokenizer among them: their time is in the latency, and no multiply-add."""

    @property
    def bytes(self) -> int:
        """Weights and activations."""
        return self.weight_bytes + self.activation_bytes

    @property
    def all_multiply_adds(self) -> int:
        """Of all types."""
        return sum(self.multiply_adds.values())

    @property
    def intensity(self) -> float | None:
        """Multiply-adds a byte; None where nothing is read."""
        return self.all_multiply_adds / self.bytes if self.bytes else None


def total_cost(operators: Iterable[OperatorCost]) -> GraphCost:
    """Sum what the operators of a graph cost."""
    found = list(operators)
    sums: Counter[NumberType] = Counter()
    for one in found:
        sums.update(one.multiply_adds)
    weights = sum(one.weight_bytes for one in found)
    return GraphCost(
        multiply_adds={kind: sums[kind] for kind in NUMBER_TYPES if sums[kind]},
        weight_bytes=weights,
        activation_bytes=sum(one.activation_bytes for one in found),
        working_set_bytes=weights + max((one.activation_bytes for one in found), default=0),
        operators=len(found),
        not_understood=dict(
            sorted(Counter(one.operator for one in found if not one.is_understood).items())
        ),
        text_operators=sum(one.reads_text for one in found),
    )


def bytes_moved(
    inputs: Iterable[Value], outputs: Iterable[Value], gathered: Value | None = None
) -> tuple[int, int]:
    """Return the bytes that an operator reads of weights, and reads and writes of activations.

    Args:
        inputs: Read from first to last.
        outputs: Written likewise.
        gathered: The one of the inputs that only as much is read of as the first output holds,
            counted in numbers of its own type.
    """
    read, written = list(inputs), list(outputs)
    weights = 0
    activations = sum(one.bytes for one in written)
    for one in read:
        taken = one.bytes
        if gathered is not None and one is gathered and one.size and written:
            taken = min(taken, round(one.bytes * written[0].size / one.size))
        if one.is_weight:
            weights += taken
        else:
            activations += taken
    return weights, activations
