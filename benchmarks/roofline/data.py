"""The published shape of the roofline: docs/report.md explains it to readers."""

from typing import Literal

from pydantic import NonNegativeFloat, NonNegativeInt, PositiveFloat, PositiveInt

from benchmarks.report.shape import Shape
from benchmarks.roofline.cost import NumberType


class ProductData(Shape):
    """The fastest of several matrix products `[rows, inner] @ [inner, columns]`."""

    number: NumberType
    rows: PositiveInt
    inner: PositiveInt
    columns: PositiveInt
    giga_multiply_adds_per_s: PositiveFloat
    repetitions: PositiveInt


class TransferData(Shape):
    """The fastest of several passes over a working set."""

    kind: Literal["read", "copy"]
    """`read`: dot products; `copy`: what is read and written together."""
    working_set_bytes: PositiveInt
    gigabytes_per_s: PositiveFloat
    repetitions: PositiveInt


class PeaksData(Shape):
    """What the machine can do at most, and every reading behind it."""

    threads: PositiveInt
    giga_multiply_adds_per_s: dict[NumberType, PositiveFloat]
    """The best product of each type. fp16 is missing: no kernel here multiplies in it."""
    products: tuple[ProductData, ...]
    transfers: tuple[TransferData, ...]
    caches: dict[str, PositiveInt]
    """Bytes of each data cache that a core reaches, as the system tells."""
    private_caches: tuple[str, ...] = ()
    """Those of them that every core has for itself: a working set is held against as many of them
    as there are threads."""
    pinned_to: tuple[NonNegativeInt, ...]


class CostData(Shape):
    """What one query costs by the graph: one example, batch 1."""

    counted_with: str
    """The example: its sizes. LiteRT and Core ML files have their own, to which an app pads."""
    multiply_adds: dict[NumberType, PositiveInt]
    """By the numbers that are multiplied; those that do not occur are missing."""
    weight_bytes: NonNegativeInt
    """Read of constants; of a table that rows are gathered from, those rows."""
    activation_bytes: NonNegativeInt
    """Read and written by operators of what depends on the input."""
    working_set_bytes: NonNegativeInt
    """Weights and the activations of the largest operator: decides which memory is the roof."""
    intensity: NonNegativeFloat | None
    """Multiply-adds a byte."""
    operators: NonNegativeInt
    text_operators: NonNegativeInt
    """Those of them that belong to a tokenizer; they take time and multiply nothing."""
    not_understood: dict[str, PositiveInt]
    """Operators whose multiply-adds are unknown, with how often each is run: where there are any,
    multiply-adds are a lower bound, attainable time and share too low."""


class RoofData(Shape):
    """The times that this cost takes on this machine: estimates, no least times."""

    compute_ms: NonNegativeFloat | None
    """Null: a type occurs that no peak was measured of."""
    memory_ms: NonNegativeFloat
    attainable_ms: NonNegativeFloat | None
    """The larger of the two."""
    level: str
    """The cache that holds the working set, `memory`, or `unknown`."""
    gigabytes_per_s: PositiveFloat
    """The roof of memory: the best transfer with a working set as large or larger."""


class RooflineRowData(Shape):
    """One file."""

    name: str
    path: str
    """Relative to the run's folder."""
    cost: CostData | None
    not_counted_because: str | None
    """Null exactly if there is a cost."""
    roof: RoofData | None
    """Null where the file was not timed here: these are no roofs of another device."""
    measured_ms: PositiveFloat | None
    """Median (p50) of one query at a time, at the threads of the peaks; null: not timed here."""
    share: NonNegativeFloat | None
    """Attainable over measured time. Above 1 the roof is wrong."""
    bound: Literal["compute", "memory", "neither"] | None
    """`neither`: less than a quarter of the time is explained by the roofs."""
    unexplained_us_per_operator: NonNegativeFloat | None
    """Measured less attainable time, by the number of operators."""


class RooflineData(Shape):
    """Every file under the roofs of this machine."""

    peaks: PeaksData
    neither_below: PositiveFloat
    """The share under which `bound` is `neither`."""
    rows: tuple[RooflineRowData, ...]
