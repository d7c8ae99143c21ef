"""Latency inside the page: what is counted, how finely, and what was really used."""

import numpy as np
import pytest

from benchmarks.browser.data import timing_data
from benchmarks.browser.timing import (
    LATENCIES,
    BrowserTiming,
    browser_name,
    measure_in_browser,
    percentile,
)
from benchmarks.timing.timing import Noise
from compress.errors import UserError
from export.samples import Samples

from .browser import needs_chromium, web_runtime

HISTORIES = Samples({"history": np.arange(64, dtype=np.int32).reshape(8, 8) % 30 + 2})


@pytest.fixture(scope="session")
def browser():
    return web_runtime()


@needs_chromium
def test_one_stream_is_timed_and_what_was_used_is_seen(browser, tiny_model, tmp_path):
    timing = measure_in_browser(
        tiny_model, HISTORIES, queries=70, seconds=0.2, threads=2, log_folder=tmp_path
    )
    latencies = np.load(tmp_path / LATENCIES)
    assert len(latencies) == timing.readings >= 70
    assert latencies.min() > 0
    middle = np.sort(latencies)[(len(latencies) + 1) // 2 - 1]
    assert timing.p50_ms == pytest.approx(middle, abs=1e-6)
    assert timing.p50_ms <= timing.p90_ms <= timing.p95_ms
    assert (timing.threads, timing.threads_used, timing.simd) == (2, 2, True)
    assert timing.cross_origin_isolated
    assert timing.resolution_us == pytest.approx(5, rel=0.01)
    assert timing.calls_a_reading > 1  # A call takes much less than 20 steps of the clock.
    assert timing.seconds >= 0.2
    assert len(timing.noise.readings_us) == 3
    assert timing.cpu_share > 0
    # Chromium, a page and 14 MB of runtime are before the first answer, as well as the session.
    assert timing.cold_start_ms > timing.load_ms + 50
    assert timing.load_ms > 0
    assert timing.model_bytes == tiny_model.stat().st_size
    assert 14e6 < timing.runtime_bytes < 16e6
    assert "Chrom" in timing.browser
    assert timing.runtime_version == "1.30.0"
    data = timing_data(timing)
    assert data.drift == timing.noise.drift
    assert data.p99_ms is None or data.readings >= 662


@pytest.mark.slow
@needs_chromium
def test_without_isolation_there_are_no_threads_and_calls_are_timed_together(browser, tiny_model):
    timing = measure_in_browser(
        tiny_model, HISTORIES, queries=64, seconds=0.2, threads=2, isolated=False
    )
    assert not timing.cross_origin_isolated
    assert (timing.threads, timing.threads_used) == (2, 1)
    assert timing.resolution_us == pytest.approx(100, rel=0.01)
    assert timing.calls_a_reading > 5
    assert timing.queries == timing.readings * timing.calls_a_reading


@pytest.mark.slow
@needs_chromium
def test_without_a_gpu_webgpu_is_refused_in_words(browser, tiny_model):
    with pytest.raises(UserError, match="finds no GPU that WebGPU could use|browser ended"):
        measure_in_browser(tiny_model, HISTORIES, queries=16, seconds=0.1, backend="webgpu")


def test_something_must_be_asked(tiny_model):
    none = Samples({"history": np.zeros((0, 8), np.int32)})
    with pytest.raises(ValueError, match="no samples"):
        measure_in_browser(tiny_model, none, queries=16, seconds=0.1)


def test_percentiles_are_of_the_nearest_rank():
    latencies = np.array([5.0, 1.0, 4.0, 2.0, 3.0])
    # 50% of 5 is 2.5: the third of the sorted ones; 90% is 4.5: the fifth.
    assert percentile(latencies, 50) == 3.0
    assert percentile(latencies, 90) == 5.0
    assert percentile(latencies, 20) == 1.0


def test_a_browser_is_called_by_its_full_version():
    brands = [("Not=A?Brand", "8.0"), ("Chromium", "156.0.8078.79")]
    about = {"versions": [dict(zip(("brand", "version"), one, strict=True)) for one in brands]}
    assert browser_name(about) == "Chromium 156.0.8078.79"
    about["versions"].append({"brand": "Google Chrome", "version": "156.0.1"})
    assert browser_name(about) == "Google Chrome 156.0.1"
    assert browser_name({"versions": [], "userAgent": "Mozilla/5.0"}) == "Mozilla/5.0"


def test_a_drifting_machine_and_few_readings_are_published_as_such():
    timing = BrowserTiming(
        backend="wasm",
        threads=1,
        threads_used=1,
        simd=True,
        cross_origin_isolated=True,
        browser="Chromium 1",
        user_agent="agent",
        runtime_version="1.30.0",
        readings=63,
        calls_a_reading=2,
        seconds=1.0,
        p50_ms=1.0,
        p90_ms=2.0,
        p95_ms=3.0,
        p99_ms=None,
        cold_start_ms=100.0,
        load_ms=10.0,
        resolution_us=5.0,
        noise=Noise((1000.0, 1200.0, 1100.0)),
        cpu_share=1.0,
        model_bytes=1,
        runtime_bytes=1,
    )
    data = timing_data(timing)
    assert data.unsupported == ("p90", "p95")
    assert data.drift == pytest.approx(0.2)
    assert data.noisy
