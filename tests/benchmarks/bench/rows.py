"""Measurements as a bench might have found them."""

from typing import Any

from benchmarks.bench.data import BenchData, BenchRowData
from benchmarks.report.shape import EnvironmentData

ENVIRONMENT = EnvironmentData(
    cpu="AMD EPYC 9R14",
    cores=2,
    memory_gb=25.3,
    system="Debian GNU/Linux 12 (bookworm)",
    architecture="x86_64",
    python="3.11.7",
    cpu_flags=("avx2", "avx512_vnni"),
    packages={"onnxruntime": "1.31.1"},
)


def row(name: str = "onnx int8-dynamic", **changes: Any) -> BenchRowData:
    """One row; quiet, valid, single-stream."""
    given: dict[str, Any] = {
        "name": name,
        "target": "cpu",
        "runtime": "onnx",
        "scenario": "single-stream",
        "threads": 1,
        "batch": 1,
        "bytes": 380_000,
        "asked_with": "the run's verification set",
        "queries": 2_000,
        "examples": 2_000,
        "seconds": 10.0,
        "throughput": 20_000.0,
        "p50_ms": 0.05,
        "p90_ms": 0.06,
        "p95_ms": 0.07,
        "p99_ms": 0.09,
        "p99_9_ms": None,
        "unsupported": (),
        "rate": None,
        "bound_ms": None,
        "load_ms": 12.0,
        "cold_start_ms": 210.0,
        "memory_mb": 8.5,
        "peak_rss_mb": 70.0,
        "harness_us": 1.6,
        "noise_drift": 0.02,
        "quiet": True,
        "active_threads": 1,
        "cpu_share": 1.0,
        "growth_kb": 4.0,
        "repeat_ratio": 1.02,
        "answers_checked": 64,
        "agreement": 0.99,
        "pinned_to": (1,),
        "valid": True,
        "broken": (),
    }
    return BenchRowData.model_validate({**given, **changes})


def broken(rule: str, because: str) -> dict[str, Any]:
    """What a row says of a rule that it breaks."""
    return {"valid": False, "broken": ({"rule": rule, "because": because},)}


def data(*rows: BenchRowData, **changes: Any) -> BenchData:
    """All that a bench found."""
    return BenchData(environment=ENVIRONMENT, rows=rows, **changes)
