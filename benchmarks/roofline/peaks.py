"""What this machine can do at most: multiply-adds a second, and bytes a second from each cache.

Measured, not read off a data sheet: matrix products of ONNX Runtime (`MatMul` in fp32,
`MatMulInteger` in int8) and NumPy's copies and dot products over working sets of growing size, on
as many threads as the files were timed with. A peak is the best that was seen, never a mean:
whatever else the machine did can only have made it lower.
"""

import json
from collections.abc import Mapping
from dataclasses import asdict, dataclass, field
from pathlib import Path
from typing import Any, Literal

from benchmarks.roofline.cost import NumberType

READINGS = "readings.json"
MODULE = "benchmarks.roofline.peaks_process"
SHAPES = (
    (1, 384, 384),
    (1, 1024, 1024),
    (64, 384, 1536),
    (256, 256, 256),
    (512, 512, 512),
    (1024, 1024, 1024),
)
"""Rows, inner size, columns: from one query's vector to a square."""
WORKING_SETS = tuple(kib * 1024 for kib in (16, 32, 128, 512, 2048, 8192, 16384, 65536, 262144))
"""Bytes, from a first-level cache to memory."""


@dataclass(frozen=True)
class ProductReading:
    """The fastest of several products `[rows, inner] @ [inner, columns]`."""

    number: NumberType
    rows: int
    inner: int
    columns: int
    seconds: float
    """Of the fastest call."""
    repetitions: int

    @property
    def multiply_adds_per_second(self) -> float:
        """Of the fastest call."""
        return self.rows * self.inner * self.columns / self.seconds


@dataclass(frozen=True)
class TransferReading:
    """The fastest of several passes over a working set."""

    kind: Literal["read", "copy"]
    """A copy counts what it reads and what it writes."""
    working_set_bytes: int
    bytes_per_second: float
    repetitions: int


@dataclass(frozen=True)
class Peaks:
    """The roofs of a machine, and every reading behind them.

    Raises:
        ValueError: There are no readings of fp32, of int8 or of bytes.
    """

    threads: int
    products: tuple[ProductReading, ...]
    transfers: tuple[TransferReading, ...]
    caches: Mapping[str, int] = field(default_factory=dict)
    """Bytes of each cache of the first CPU by its name, as the system tells; empty: it does not."""
    private_caches: tuple[str, ...] = ()
    """Those of them that every core has for itself."""
    pinned_to: tuple[int, ...] = ()
    """CPUs that the process was kept on; empty where that is not allowed."""

    def __post_init__(self) -> None:
        if not self.transfers or {"fp32", "int8"} - {one.number for one in self.products}:
            raise ValueError("peaks take products of fp32 and of int8, and transfers")

    def multiply_adds_per_second(self, number: NumberType) -> float | None:
        """Return the compute roof; None where no product of such numbers was measured."""
        rates = [one.multiply_adds_per_second for one in self.products if one.number == number]
        return max(rates, default=None)

    def transfer(self, working_set_bytes: int) -> TransferReading:
        """Return the reading that is the memory roof of so many bytes.

        The fastest over working sets that are as large or larger: what fits into a small cache is
        not slower there than from a larger one. Beyond the largest, that of the largest.
        """
        largest = max(one.working_set_bytes for one in self.transfers)
        needed = min(working_set_bytes, largest)
        fitting = [one for one in self.transfers if one.working_set_bytes >= needed]
        return max(fitting, key=lambda one: one.bytes_per_second)

    def level(self, working_set_bytes: int) -> str:
        """Name the smallest cache that holds so many bytes, or `memory`.

        What every core has for itself counts once a thread: they share the work. `unknown` where
        the system does not tell its caches.
        """
        if not self.caches:
            return "unknown"
        sizes = {
            name: size * (self.threads if name in self.private_caches else 1)
            for name, size in self.caches.items()
        }
        fitting = [name for name, size in sizes.items() if size >= working_set_bytes]
        return min(fitting, key=lambda name: self.caches[name], default="memory")

    def to_json(self) -> str:
        """Return the readings as JSON text."""
        return json.dumps(asdict(self), indent=1)

    @classmethod
    def from_json(cls, text: str) -> "Peaks":
        """Read what `to_json` wrote."""
        found: dict[str, Any] = json.loads(text)
        return cls(
            threads=found["threads"],
            products=tuple(ProductReading(**one) for one in found["products"]),
            transfers=tuple(TransferReading(**one) for one in found["transfers"]),
            caches=found["caches"],
            private_caches=tuple(found["private_caches"]),
            pinned_to=tuple(found["pinned_to"]),
        )


def measure_peaks(threads: int, folder: Path, *, seconds: float = 0.25) -> Peaks:
    """Measure the machine in a fresh process.

    Args:
        threads: That the files were timed with.
        folder: Gets the job, what the process said, and the readings.
        seconds: For each shape and each working set.

    Raises:
        UserError: The process failed.
    """
    from benchmarks.timing.isolation import run_apart

    folder.mkdir(parents=True, exist_ok=True)
    readings = folder / READINGS
    readings.unlink(missing_ok=True)
    job_file = folder / "job.json"
    job = {"threads": threads, "seconds": seconds, "readings": str(readings.resolve())}
    job_file.write_text(json.dumps(job), encoding="utf-8")
    run_apart(MODULE, job_file, threads, "the machine's peak")
    return Peaks.from_json(readings.read_text(encoding="utf-8"))
