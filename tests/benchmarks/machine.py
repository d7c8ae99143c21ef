"""A machine, and timings as it might have shown them."""

from benchmarks.environment import Environment
from benchmarks.timing.timing import Conduct, Noise, Timing

ENVIRONMENT = Environment(
    cpu="AMD EPYC 9R14",
    cores=2,
    memory_gb=25.3,
    system="Debian GNU/Linux 12 (bookworm)",
    architecture="x86_64",
    python="3.11.7",
    cpu_flags=("avx2", "avx512_vnni", "avx512f", "fma"),
    packages={"torch": "2.13.0", "onnxruntime": "1.31.1", "numpy": "2.3.5"},
)


def latency(p50: float, queries: int, memory: float, load: float) -> Timing:
    """A plausible distribution around a median."""
    return Timing(
        scenario="single-stream",
        threads=1,
        batch=1,
        queries=queries,
        examples=queries,
        seconds=queries * p50 / 1000,
        throughput=1000 / p50,
        p50_ms=p50,
        p90_ms=p50 * 1.06,
        p95_ms=p50 * 1.11,
        p99_ms=p50 * 1.4 if queries >= 662 else None,
        p99_9_ms=p50 * 1.9 if queries >= 6636 else None,
        load_ms=load,
        peak_rss_mb=memory,
        rss_before_load_mb=memory * 0.8,
        overhead_us=1.7,
        noise=Noise((101.0, 104.0, 102.0)),
        conduct=Conduct(1, 0.99, 4.1, 1.02, 240, 1.0),
        pinned_to=(1,),
    )
