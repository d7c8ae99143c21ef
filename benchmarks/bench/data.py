"""The published shape of what `limbeck bench` finds; docs/benchmarks.md explains it to readers."""

from collections.abc import Sequence
from typing import Annotated, Literal, Protocol, Self

from pydantic import Field, NonNegativeFloat, NonNegativeInt, PositiveFloat, PositiveInt

from benchmarks.report.shape import EnvironmentData, IntervalData, Shape, Share
from benchmarks.timing.timing import Timing
from compress.recipe import MeasuredOn, ScenarioName


class _Percentiles(Protocol):
    def supports(self, percentile: float) -> bool: ...


def unsupported(timing: _Percentiles) -> tuple[str, ...]:
    """Return the percentiles that are always given and have too few queries behind them."""
    given = {"p50": 50.0, "p90": 90.0, "p95": 95.0}
    return tuple(name for name, at in given.items() if not timing.supports(at))


class BrokenRuleData(Shape):
    """A rule that a result breaks, and how."""

    rule: str
    because: str


class BenchRowData(Shape):
    """One model on one target in one scenario."""

    name: str
    target: MeasuredOn
    runtime: str
    """What answered, such as `onnx` or `litert`; in the browser its backend, such as `wasm`."""
    scenario: ScenarioName
    threads: PositiveInt
    batch: PositiveInt
    bytes: NonNegativeInt
    sha256: str = ""
    """Of everything that answered."""
    measured_at: str = ""
    """When it was done; empty in results of before."""
    asked_with: str
    least_seconds: PositiveFloat | None = None
    """It was to be asked at least so long..."""
    least_queries: PositiveInt | None = None
    """...and at least so many queries."""
    queries: NonNegativeInt
    examples: NonNegativeInt
    seconds: NonNegativeFloat
    throughput: NonNegativeFloat
    """Examples a second."""
    p50_ms: NonNegativeFloat | None
    p90_ms: NonNegativeFloat | None
    p95_ms: NonNegativeFloat | None
    p99_ms: NonNegativeFloat | None
    p99_9_ms: NonNegativeFloat | None
    unsupported: tuple[str, ...]
    """Those of p50, p90 and p95 that have too few queries behind them: read with care."""
    calls_a_reading: PositiveInt = 1
    """More than 1 in a browser whose clock is too coarse for one call: a latency is the mean of so
    many, which smooths single slow ones; `queries` counts latencies."""
    rate: PositiveFloat | None
    asked_rate: PositiveFloat | None = None
    """Queries a second that a server was to be sent; `rate` is what arrived."""
    bound_ms: PositiveFloat | None
    load_ms: NonNegativeFloat
    cold_start_ms: NonNegativeFloat | None
    """Process start to first answer, median of the starts; measured with single-stream."""
    memory_mb: float | None
    """Peak resident memory over that of the empty runtime, 10^6 bytes."""
    peak_rss_mb: NonNegativeFloat | None
    harness_us: float | None
    noise_drift: NonNegativeFloat
    quiet: bool
    stolen_share: NonNegativeFloat | None = None
    """Of a virtual machine: share of the time that its host kept for itself."""
    active_threads: NonNegativeInt | None
    cpu_share: NonNegativeFloat | None
    growth_kb: float | None
    repeat_ratio: NonNegativeFloat | None
    """As in report.json; null where it was not looked at."""
    tries: PositiveInt = 1
    """How often it was measured: the try with the quietest machine is kept."""
    answers_checked: NonNegativeInt
    agreement: Share | None
    pinned_to: tuple[int, ...]
    valid: bool
    broken: tuple[BrokenRuleData, ...]

    @classmethod
    def of(
        cls,
        timing: Timing,
        *,
        name: str,
        runtime: str,
        size: int,
        asked_with: str,
        cold_start_ms: float | None,
        faults: Sequence[str] = (),
    ) -> Self:
        """Put a measurement of a process into its published shape.

        Args:
            timing: What was measured.
            name: Of the model.
            runtime: What answered.
            size: Bytes of the file.
            asked_with: What the examples are, in words.
            cold_start_ms: Measured apart.
            faults: What is wrong with the model's answers, known before it was timed.
        """
        return cls(
            name=name,
            target="cpu",
            runtime=runtime,
            scenario=timing.scenario,
            threads=timing.threads,
            batch=timing.batch,
            bytes=size,
            asked_with=asked_with,
            queries=timing.queries,
            examples=timing.examples,
            seconds=timing.seconds,
            throughput=timing.throughput,
            p50_ms=timing.p50_ms,
            p90_ms=timing.p90_ms,
            p95_ms=timing.p95_ms,
            p99_ms=timing.p99_ms,
            p99_9_ms=timing.p99_9_ms,
            unsupported=unsupported(timing),
            rate=timing.rate,
            bound_ms=timing.bound_ms,
            load_ms=timing.load_ms,
            cold_start_ms=cold_start_ms,
            memory_mb=timing.peak_rss_mb - timing.rss_before_load_mb,
            peak_rss_mb=timing.peak_rss_mb,
            harness_us=timing.overhead_us,
            noise_drift=timing.noise.drift,
            quiet=timing.noise.is_quiet,
            stolen_share=timing.stolen_share,
            active_threads=timing.conduct.active_threads,
            cpu_share=timing.conduct.cpu_share,
            growth_kb=timing.conduct.growth_kb,
            repeat_ratio=timing.conduct.repeat_ratio,
            answers_checked=timing.conduct.answers_checked,
            agreement=timing.conduct.agreement,
            pinned_to=timing.pinned_to,
            valid=timing.valid and not faults,
            broken=(
                *(BrokenRuleData(rule=one.rule, because=one.because) for one in timing.broken),
                *(BrokenRuleData(rule="answers", because=fault) for fault in faults),
            ),
        )


class BenchComparisonData(Shape):
    """Two models asked in turn, round by round."""

    name: str
    against: str
    threads: PositiveInt
    p90_ratio: IntervalData
    """Its p90 latency divided by the other's; below 1 is faster."""
    rounds: PositiveInt
    """How often both were asked..."""
    restarts: PositiveInt = 1
    """...by so many processes of each; the interval is over these."""
    sha256: str = ""
    """Of everything that answered..."""
    against_sha256: str = ""
    """...and of what it was held against."""
    same_examples: bool = True
    """Whether both were asked the same; else each inputs of its own, as they take others."""
    agreement: Annotated[float, Field(ge=0, le=1)] | None = None
    """How far the other's answers to these examples are its own (`benchmarks.timing.answers`); null
    where that cannot be said."""


class NotMeasuredData(Shape):
    """What could not be measured, and why."""

    name: str
    target: MeasuredOn
    scenario: ScenarioName | None = None
    """Null: none of them."""
    threads: PositiveInt | None = None
    batch: PositiveInt | None = None
    because: str


class BenchData(Shape):
    """Everything that was measured."""

    schema_: Literal["limbeck.bench/1"] = Field("limbeck.bench/1", alias="schema")
    commands: tuple[str, ...] = ()
    """What was typed, first to last, each with its time: rows of later commands stand in place of
    earlier ones."""
    environment: EnvironmentData
    rows: tuple[BenchRowData, ...]
    comparisons: tuple[BenchComparisonData, ...] = ()
    not_measured: tuple[NotMeasuredData, ...] = ()

    def to_json(self) -> str:
        """Return it as JSON text."""
        return self.model_dump_json(by_alias=True, indent=1)
