"""The published shape of what was measured in a browser; docs/report.md explains it to readers."""

from typing import Annotated, Literal

from pydantic import Field, NonNegativeFloat, PositiveFloat, PositiveInt

from benchmarks.browser.timing import BrowserTiming
from benchmarks.report.shape import IntervalData, MetricInterval, Shape, Share

BackendName = Literal["wasm", "webgpu"]


class BrowserTimingData(Shape):
    """One file in one page: one query at a time, batch 1, timed inside the page."""

    backend: BackendName
    threads: PositiveInt
    """Asked for."""
    threads_used: PositiveInt
    """The page's own, and every worker that the runtime made, whether it was busy or not."""
    simd: bool
    """The runtime that the page loaded is built for WebAssembly SIMD."""
    cross_origin_isolated: bool
    """Without it there are no threads, and the clock is coarse."""
    browser: str
    user_agent: str
    runtime_version: str
    """Of onnxruntime-web."""
    readings: PositiveInt
    """Latencies that the percentiles are of."""
    calls_a_reading: PositiveInt
    """1: every latency is one call's. More: the mean of so many, as the clock is too coarse for
    one; single slow calls are smoothed then."""
    seconds: PositiveFloat
    p50_ms: NonNegativeFloat
    p90_ms: NonNegativeFloat
    p95_ms: NonNegativeFloat
    p99_ms: NonNegativeFloat | None
    """Null where too few readings were taken."""
    unsupported: tuple[str, ...]
    """Those of p50, p90 and p95 that have too few readings behind them: read with care."""
    cold_start_ms: NonNegativeFloat
    """From just before Chromium is started to the first answer, over loopback."""
    load_ms: NonNegativeFloat
    """Creating the session in a runtime that is already there."""
    clock_us: PositiveFloat
    """Smallest step of the page's clock, microseconds."""
    noise_us: tuple[NonNegativeFloat, ...]
    """A fixed loop in the page, timed before, between and after the queries, microseconds."""
    drift: NonNegativeFloat
    """The slowest of these readings over the fastest, minus 1."""
    noisy: bool
    """It drifted by more than 10%: read the latencies with care."""
    cpu_share: NonNegativeFloat
    """CPU time of all of the browser's processes over wall time; about the number of threads."""
    runtime_bytes: PositiveInt
    """Of the runtime's files that the page loaded, uncompressed."""


class BrowserFileData(Shape):
    """One file on one backend."""

    name: str
    """Of the artifact's row."""
    path: str
    bytes: PositiveInt
    backend: BackendName
    timings: tuple[BrowserTimingData, ...]
    """One a number of threads."""
    cases: PositiveInt | None
    """Test examples that it was asked, the same as every row's."""
    quality: dict[str, IntervalData] | None
    kept_quality: MetricInterval | None
    """Share of the teacher's metric that is left, paired over the test examples."""
    difference_from_cpu: MetricInterval | None
    """The metric in the browser minus that of the same file in its own runtime, paired."""
    agreement_with_cpu: Share | None
    """As `fidelity`: the mean share of the top 10 in common, or examples with the same answer."""
    max_abs_difference: NonNegativeFloat | None
    """Of a probability or score over the test texts; null for next-item."""
    not_measured_because: str | None


class BrowserData(Shape):
    """Every ONNX and ORT file of a run in headless Chromium."""

    runtime: str
    """Such as `onnxruntime-web 1.30.0`."""
    metric: str
    """What `kept_quality` and `difference_from_cpu` are of."""
    files: tuple[BrowserFileData, ...]
    webgpu: str | None
    """The GPU that WebGPU found; null: none, and files were asked in WebAssembly alone."""
    webgpu_not_measured_because: str | None
    not_measured_because: Annotated[str | None, Field(min_length=1)]
    """Why there was no browser to measure in."""


def timing_data(timing: BrowserTiming) -> BrowserTimingData:
    """Return a measurement as it is published."""
    percentiles = {"p50": 50.0, "p90": 90.0, "p95": 95.0}
    return BrowserTimingData(
        backend=timing.backend,
        threads=timing.threads,
        threads_used=timing.threads_used,
        simd=timing.simd,
        cross_origin_isolated=timing.cross_origin_isolated,
        browser=timing.browser,
        user_agent=timing.user_agent,
        runtime_version=timing.runtime_version,
        readings=timing.readings,
        calls_a_reading=timing.calls_a_reading,
        seconds=timing.seconds,
        p50_ms=timing.p50_ms,
        p90_ms=timing.p90_ms,
        p95_ms=timing.p95_ms,
        p99_ms=timing.p99_ms,
        unsupported=tuple(name for name, at in percentiles.items() if not timing.supports(at)),
        cold_start_ms=timing.cold_start_ms,
        load_ms=timing.load_ms,
        clock_us=timing.resolution_us,
        noise_us=timing.noise.readings_us,
        drift=timing.noise.drift,
        noisy=not timing.noise.is_quiet,
        cpu_share=timing.cpu_share,
        runtime_bytes=timing.runtime_bytes,
    )
