"""Files in a browser: sentences and tables of the report."""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass

from benchmarks.browser.data import BrowserData, BrowserFileData, BrowserTimingData
from benchmarks.report.tables import Cell, Table, interval_cell
from benchmarks.report.task_view import TaskView, metric_heading
from benchmarks.report.wording import NOT_MEASURED, percent, signed, significant
from compress.metrics import metric_name

_BACKENDS = {"wasm": "WebAssembly", "webgpu": "WebGPU"}


@dataclass(frozen=True)
class BrowserSection:
    """What the section says."""

    sentences: tuple[str, ...]
    """The finding first."""
    latency: Table | None
    quality: Table | None
    not_measured: tuple[tuple[str, str], ...]
    """Name of a file, and why."""


def browser_section(
    data: BrowserData | None,
    view: TaskView,
    *,
    best: str | None = None,
    native_p90: Mapping[str, Cell] | None = None,
) -> BrowserSection | None:
    """Return what the section says; None where the recipe asks for no browser.

    Args:
        data: What was measured.
        view: How the task reads.
        best: Path of the file to ship: the finding is about it, if it was measured.
        native_p90: p90 of files in their own runtime, by name, to stand beside.
    """
    if data is None:
        return None
    measured = [one for one in data.files if one.quality is not None]
    return BrowserSection(
        sentences=tuple(_sentences(data, measured, view, best)),
        latency=_latency_table(measured, native_p90 or {}) if measured else None,
        quality=_quality_table(measured, data.metric, view) if measured else None,
        not_measured=tuple(
            (_name(one), one.not_measured_because)
            for one in data.files
            if one.not_measured_because is not None and data.not_measured_because is None
        ),
    )


def finding(one: BrowserFileData, metric: str, view: TaskView) -> str:
    """Say whether a file answers in the browser as it does on the CPU; no more than is known."""
    where = f"In the browser {one.name}"
    difference = one.difference_from_cpu
    if difference is None or one.agreement_with_cpu is None:
        return f"{where} was asked the test {view.examples}; on the CPU it was not."
    shared = f"{_alike(one.agreement_with_cpu)}%"
    if view.fidelity_measure == "overlap@10":
        alike = f"shares {shared} of the top 10 with the same file on the CPU"
    else:
        alike = f"agrees with the same file on the CPU on {shared} of the test {view.examples}"
    figures = (
        f"{signed(difference.value)} [{signed(difference.low)}, {signed(difference.high)}] "
        f"{metric_name(metric)}"
    )
    return f"{where} {alike}; {_verdict(difference.low, difference.high)}: {figures}."


def _alike(agreement: float | None) -> str:
    """Return an agreement in percent that says 100 of nothing less."""
    if agreement is None:
        return NOT_MEASURED
    return "100" if agreement == 1.0 else f"{min(100 * agreement, 99.99):.2f}"


def _verdict(low: float, high: float) -> str:
    if high < 0:
        return "it does worse there"
    if low > 0:
        return "it does better there"
    if low == high == 0:
        return "quality is the same"
    return "the interval contains 0, so no difference of quality is shown"


def _sentences(
    data: BrowserData, measured: list[BrowserFileData], view: TaskView, best: str | None
) -> Iterator[str]:
    if data.not_measured_because is not None:
        yield f"The recipe asks for a browser, and there was none: {data.not_measured_because}."
        return
    if not measured:
        yield "No file could be measured in the browser."
        return
    first = next((one for one in measured if one.path == best), measured[0])
    yield finding(first, data.metric, view)
    timings = [timing for one in measured for timing in one.timings]
    if timings:
        browsers = ", ".join(dict.fromkeys(one.browser for one in timings))
        isolated = all(one.cross_origin_isolated for one in timings)
        yield (
            f"Timed inside the page, in headless {browsers} with {data.runtime}"
            f"{' and WebAssembly SIMD' if all(one.simd for one in timings) else ''}; the page is "
            f"{'' if isolated else 'not '}cross-origin isolated. The runtime is "
            f"{significant(max(one.runtime_bytes for one in timings) / 1e6)} MB before compression."
        )
    if any(one.calls_a_reading > 1 for one in timings):
        yield (
            "Where a call is too short for the page’s clock, a latency is the mean of several "
            "calls: single slow ones are smoothed."
        )
    if data.webgpu is None:
        yield f"WebGPU was not measured: {data.webgpu_not_measured_because}."


def _name(one: BrowserFileData) -> str:
    return one.name if one.backend == "wasm" else f"{one.name}, {_BACKENDS[one.backend]}"


def _latency_table(measured: list[BrowserFileData], native: Mapping[str, Cell]) -> Table:
    headings = [("p50", "ms"), ("p90", "ms"), ("p95", "ms"), ("p99", "ms")]
    headings += [("p90 on the CPU", "ms, minutes apart")] if native else []
    headings += [("Cold start", "ms, no network"), ("Load", "ms"), ("Readings", "")]
    rows = []
    for one in measured:
        for timing in one.timings:
            rows.append((_timing_name(one, timing), tuple(_latency_cells(one, timing, native))))
    return Table("Latency, one query", tuple(headings), tuple(rows))


def _timing_name(one: BrowserFileData, timing: BrowserTimingData) -> str:
    if timing.backend == "webgpu":
        return f"{one.name}, WebGPU"
    used = timing.threads_used
    return f"{one.name}, {used} thread{'' if used == 1 else 's'}"


def _latency_cells(
    one: BrowserFileData, timing: BrowserTimingData, native: Mapping[str, Cell]
) -> Iterator[Cell]:
    for name in ("p50", "p90", "p95", "p99"):
        about = "≈ " if name in timing.unsupported else ""
        note = "noisy machine" if timing.noisy and name == "p90" else ""
        yield Cell(about + significant(getattr(timing, f"{name}_ms")), note)
    if native:
        yield native.get(one.name, Cell(NOT_MEASURED))
    yield Cell(significant(timing.cold_start_ms))
    yield Cell(significant(timing.load_ms))
    calls = timing.calls_a_reading
    yield Cell(f"{timing.readings:,}", "" if calls == 1 else f"of {calls} calls each")


def _quality_table(measured: list[BrowserFileData], metric: str, view: TaskView) -> Table:
    shows_difference = any(one.max_abs_difference is not None for one in measured)
    headings = [
        (metric_heading(metric), ""),
        ("Kept", "% of teacher"),
        ("Browser − CPU", metric_name(metric)),
        (view.fidelity, "the CPU, %"),
        *([(f"Largest {view.answer} difference", "from the CPU")] if shows_difference else []),
    ]

    def cells(one: BrowserFileData) -> Iterator[Cell]:
        yield interval_cell((one.quality or {}).get(metric))
        kept, difference = one.kept_quality, one.difference_from_cpu
        yield (
            Cell(NOT_MEASURED)
            if kept is None
            else Cell(percent(kept.value), f"{percent(kept.low)}–{percent(kept.high)}")
        )
        yield (
            Cell(NOT_MEASURED)
            if difference is None
            else Cell(
                signed(difference.value), f"{signed(difference.low)} to {signed(difference.high)}"
            )
        )
        yield Cell(_alike(one.agreement_with_cpu))
        if shows_difference:
            yield Cell(significant(one.max_abs_difference))

    rows = tuple((_name(one), tuple(cells(one))) for one in measured)
    return Table("Quality, the same test " + view.examples, tuple(headings), rows)
