"""How long one query takes in a browser: timed inside the page, one stream, batch 1.

The page keeps every reading of `performance.now()` and posts them back; percentiles are made here,
by the nearest rank. Where a call takes less than 20 steps of that clock (W3C High Resolution Time,
section 7.1: 5 microseconds when cross-origin isolated, else 100), a reading spans several calls,
and its latency is their mean.
"""

import time
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from benchmarks.timing.timing import Noise
from compress.errors import UserError
from export.browser.page import ROW_LENGTHS, Answer, Backend, BrowserPage, browser_obstacles
from export.browser.run import check_file, input_names, open_settings, taken
from export.samples import Samples

LATENCIES = "latencies.npy"
"""float64 `[readings]`, milliseconds a call, as the page posted them."""
SEED = 2020
"""Of the draws from the samples."""
_WARM_UP_SECONDS = 1.0
_LOAD_S = 300.0
_RUNTIME = "ort/"


@dataclass(frozen=True)
class BrowserTiming:
    """How one file answered in one page.

    Percentiles are of readings; p50, p90 and p95 are always given, p99 only if `queries_needed`
    allows (else None), and `supports` says it of any of them.
    """

    backend: Backend
    threads: int
    """Asked for."""
    threads_used: int
    """Workers that the page was seen to make, and its own thread; made, whether busy or not. What
    was busy is `cpu_share`."""
    simd: bool
    """Whether the runtime that the page loaded is built for WebAssembly SIMD."""
    cross_origin_isolated: bool
    browser: str
    """Such as `Chromium 156.0.8078.79`."""
    user_agent: str
    runtime_version: str
    """Of onnxruntime-web, as it says itself."""
    readings: int
    calls_a_reading: int
    """1: every latency is one call's. More: the mean of so many, which hides single slow ones."""
    seconds: float
    """That the page spent asking, probes left out."""
    p50_ms: float
    p90_ms: float
    p95_ms: float
    p99_ms: float | None
    cold_start_ms: float
    """From just before Chromium is started to the first answer: the browser, the page, model and
    runtime over loopback (so without a network), the session and one call."""
    load_ms: float
    """Creating the session in a runtime that is already there, of a file already in memory."""
    resolution_us: float
    """Smallest step of the page's clock."""
    noise: Noise
    cpu_share: float
    """CPU time of all of the browser's processes over wall time, warm-up included."""
    model_bytes: int
    runtime_bytes: int
    """Of the runtime's files that the page loaded, uncompressed."""

    @property
    def queries(self) -> int:
        """Calls that were timed."""
        return self.readings * self.calls_a_reading

    def supports(self, percentile: float) -> bool:
        """Return whether there are enough readings for `percentile` (0...100)."""
        from benchmarks.timing.early_stopping import queries_needed

        return self.readings >= queries_needed(percentile)


def measure_in_browser(
    file: Path,
    samples: Samples,
    *,
    queries: int,
    seconds: float,
    threads: int = 1,
    backend: Backend = "wasm",
    isolated: bool = True,
    log_folder: Path | None = None,
) -> BrowserTiming:
    """Measure one file in a browser of its own.

    The page loads the file twice (first with the runtime, then alone), warms up, and asks examples
    that it draws from `samples` with a fixed seed, each without padding. An answer counts when its
    arrays are in the page's hands.

    Args:
        file: ONNX or ORT.
        samples: Real inputs: histories or word pieces.
        queries: Take at least so many readings...
        seconds: ...and for at least so long, after the warm-up.
        threads: Of WebAssembly; without cross-origin isolation it takes one, whatever is asked.
        backend: What computes.
        isolated: Whether the page is cross-origin isolated.
        log_folder: Gets the raw latencies; None: they are not kept.

    Raises:
        UserError: No browser, or the page could not load or run the file.
        ValueError: There are no samples.
    """
    from benchmarks.timing.measure import evenly_spaced

    if not len(samples):
        raise ValueError("no samples to ask with")
    check_file(file)
    asked = evenly_spaced(samples)
    started = time.monotonic()
    with BrowserPage(file, isolated=isolated, gpu=backend == "webgpu") as page:
        about = page.ask("about").content
        if backend == "webgpu" and about["gpu"] is None:
            raise UserError(f"{file}: the browser finds no GPU that WebGPU could use")
        opened = page.ask(
            "open",
            open_settings(backend, threads, timed=True),
            asked.row(0),
            timeout_s=_LOAD_S,
        ).content
        # The session is created a second time after the first answer.
        cold_start_ms = (time.monotonic() - started) * 1000 - opened["loadMs"]
        names = input_names(file, opened["inputs"])
        began, cpu = time.monotonic(), page.cpu_seconds()
        timed = page.ask(
            "time",
            {
                "readings": queries,
                "seconds": seconds,
                "warmUpSeconds": min(_WARM_UP_SECONDS, seconds / 4),
                "seed": SEED,
            },
            _rows(asked, taken(file, names, asked.arrays)),
            # What the page took for its first answer had a whole call in it: none takes longer.
            timeout_s=180.0 + 4 * seconds + 2 * queries * opened["coldStartMs"] / 1000,
        )
        share = (page.cpu_seconds() - cpu) / (time.monotonic() - began)
        served = page.served
    if log_folder is not None:
        log_folder.mkdir(parents=True, exist_ok=True)
        np.save(log_folder / LATENCIES, timed.tensors["latencies"])
    return _timing(
        file,
        backend,
        threads=threads,
        about=about,
        opened=opened,
        timed=timed,
        cold_start_ms=cold_start_ms,
        cpu_share=share,
        served=served,
    )


def percentile(latencies: NDArray[np.float64], share: float) -> float:
    """Return the smallest latency that at least `share` (0...100) of them do not exceed."""
    return float(np.percentile(latencies, share, method="inverted_cdf"))


def browser_name(about: Mapping[str, Any]) -> str:
    """Return the browser with its full version, as it says itself.

    Args:
        about: What the page's job `about` found.
    """
    versions = {one["brand"]: one["version"] for one in about["versions"]}
    for brand in ("Google Chrome", "Chromium"):
        if brand in versions:
            return f"{brand} {versions[brand]}"
    return str(about["userAgent"])


def installed_browser() -> str | None:
    """Return the browser that a measurement would be made in; None where there is none that runs.

    It is asked itself, in a page: `find_chromium` may name a script that starts another.
    """
    if browser_obstacles():
        return None
    try:
        with BrowserPage() as page:
            return browser_name(page.ask("about", timeout_s=60.0).content)
    except UserError:
        return None


def _rows(samples: Samples, arrays: dict[str, NDArray[Any]]) -> dict[str, NDArray[Any]]:
    return arrays if samples.lengths is None else {**arrays, ROW_LENGTHS: samples.lengths}


def _timing(
    file: Path,
    backend: Backend,
    *,
    threads: int,
    about: Mapping[str, Any],
    opened: Mapping[str, Any],
    timed: Answer,
    cold_start_ms: float,
    cpu_share: float,
    served: Mapping[str, int],
) -> BrowserTiming:
    from benchmarks.timing.early_stopping import queries_needed

    latencies, found = timed.tensors["latencies"], timed.content
    latencies = np.round(latencies, 6)  # Differences of doubles; the clock knows microseconds.
    runtime = {name: size for name, size in served.items() if name.startswith(_RUNTIME)}
    return BrowserTiming(
        backend=backend,
        threads=threads,
        threads_used=1 + opened["workers"],
        simd=any("simd" in name and name.endswith(".wasm") for name in runtime),
        cross_origin_isolated=about["crossOriginIsolated"],
        browser=browser_name(about),
        user_agent=about["userAgent"],
        runtime_version=opened["version"],
        readings=len(latencies),
        calls_a_reading=found["calls"],
        seconds=found["elapsedMs"] / 1000,
        p50_ms=percentile(latencies, 50),
        p90_ms=percentile(latencies, 90),
        p95_ms=percentile(latencies, 95),
        p99_ms=percentile(latencies, 99) if len(latencies) >= queries_needed(99) else None,
        cold_start_ms=cold_start_ms,
        load_ms=opened["loadMs"],
        resolution_us=found["resolutionMs"] * 1000,
        noise=Noise(tuple(found["noiseUs"])),
        cpu_share=cpu_share,
        model_bytes=file.stat().st_size,
        runtime_bytes=sum(runtime.values()),
    )
