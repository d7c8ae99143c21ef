"""Counts, peaks and measured times, put together into the published shape."""

from dataclasses import dataclass

from benchmarks.roofline.cost import NUMBER_TYPES, GraphCost
from benchmarks.roofline.data import (
    CostData,
    PeaksData,
    ProductData,
    RoofData,
    RooflineData,
    RooflineRowData,
    TransferData,
)
from benchmarks.roofline.peaks import Peaks
from benchmarks.roofline.roofline import NEITHER_BELOW, Roof, reached, roof_of


@dataclass(frozen=True)
class Counted:
    """One file with what was found of it."""

    name: str
    path: str
    """Relative to the run's folder."""
    counted_with: str
    cost: GraphCost | None
    because: str | None
    """Why it was not counted."""
    measured_ms: float | None
    """Median of one query at a time; None: not timed."""


def roofline_data(files: list[Counted], peaks: Peaks) -> RooflineData:
    """Return the published shape.

    Args:
        files: In the report's order; times measured at the threads of the peaks.
        peaks: Of the machine.
    """
    return RooflineData(
        peaks=_peaks(peaks),
        neither_below=NEITHER_BELOW,
        rows=tuple(_row(one, peaks) for one in files),
    )


def _peaks(peaks: Peaks) -> PeaksData:
    rates = {one: peaks.multiply_adds_per_second(one) for one in NUMBER_TYPES}
    return PeaksData(
        threads=peaks.threads,
        giga_multiply_adds_per_s={
            name: rate / 1e9 for name, rate in rates.items() if rate is not None
        },
        products=tuple(
            ProductData(
                number=one.number,
                rows=one.rows,
                inner=one.inner,
                columns=one.columns,
                giga_multiply_adds_per_s=one.multiply_adds_per_second / 1e9,
                repetitions=one.repetitions,
            )
            for one in peaks.products
        ),
        transfers=tuple(
            TransferData(
                kind=one.kind,
                working_set_bytes=one.working_set_bytes,
                gigabytes_per_s=one.bytes_per_second / 1e9,
                repetitions=one.repetitions,
            )
            for one in peaks.transfers
        ),
        caches=dict(peaks.caches),
        private_caches=peaks.private_caches,
        pinned_to=peaks.pinned_to,
    )


def _row(one: Counted, peaks: Peaks) -> RooflineRowData:
    if one.cost is None:
        return RooflineRowData(
            name=one.name,
            path=one.path,
            cost=None,
            not_counted_because=one.because,
            roof=None,
            measured_ms=one.measured_ms,
            share=None,
            bound=None,
            unexplained_us_per_operator=None,
        )
    roof, under = None, None
    if one.measured_ms is not None:
        roof = roof_of(one.cost, peaks)
        under = reached(one.cost, roof, one.measured_ms)
    return RooflineRowData(
        name=one.name,
        path=one.path,
        cost=_cost(one.cost, one.counted_with),
        not_counted_because=None,
        roof=None if roof is None else _roof(roof),
        measured_ms=one.measured_ms,
        share=None if under is None else under.share,
        bound=None if under is None else under.bound,
        unexplained_us_per_operator=None if under is None else under.unexplained_us_per_operator,
    )


def _roof(roof: Roof) -> RoofData:
    return RoofData(
        compute_ms=roof.compute_ms,
        memory_ms=roof.memory_ms,
        attainable_ms=roof.attainable_ms,
        level=roof.level,
        gigabytes_per_s=roof.transfer.bytes_per_second / 1e9,
    )


def _cost(cost: GraphCost, counted_with: str) -> CostData:
    return CostData(
        counted_with=counted_with,
        multiply_adds=dict(cost.multiply_adds),
        weight_bytes=cost.weight_bytes,
        activation_bytes=cost.activation_bytes,
        working_set_bytes=cost.working_set_bytes,
        intensity=cost.intensity,
        operators=cost.operators,
        text_operators=cost.text_operators,
        not_understood=dict(cost.not_understood),
    )
