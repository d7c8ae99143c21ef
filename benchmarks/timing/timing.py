"""What was measured of one model in one scenario, and its JSON."""

import json
from dataclasses import asdict, dataclass

from benchmarks.timing.early_stopping import queries_needed
from compress.recipe import ScenarioName

MOST_DRIFT = 0.10
"""How much slower the slowest reading of the noise probe may be than the fastest."""


@dataclass(frozen=True)
class Noise:
    """A fixed calibration loop, timed before, between and after the queries.

    Raises:
        ValueError: There are no readings.
    """

    readings_us: tuple[float, ...]

    def __post_init__(self) -> None:
        if not self.readings_us:
            raise ValueError("the noise probe was never read")

    @property
    def drift(self) -> float:
        """The slowest reading over the fastest, minus 1."""
        return max(self.readings_us) / min(self.readings_us) - 1.0

    @property
    def is_quiet(self) -> bool:
        """Whether the machine was the same machine all the time."""
        return self.drift <= MOST_DRIFT


@dataclass(frozen=True)
class Conduct:
    """What the measured process was seen to do, beside answering.

    None where the system does not say (macOS has no /proc), or there were too few examples.
    """

    active_threads: int | None
    """Threads that spent a twentieth of the measured time on a CPU, LoadGen's own left out."""
    cpu_share: float
    """CPU time over wall time while the model was answering; about the number of threads."""
    growth_kb: float | None
    """How much resident memory grew in a thousand queries after the timed ones, 10^3 bytes; None,
    too, where the model is too slow for a thousand."""
    repeat_ratio: float | None
    """Time of an example that was never asked before, over that of the same one asked again at
    once; the median over examples kept back until then."""
    answers_checked: int
    """Answers of the timed queries that were held against what is known to be right; 0: nothing is
    known."""
    agreement: float | None = None
    """Share of them that is as it should be, 0...1."""


@dataclass(frozen=True)
class BrokenRule:
    """A rule that a result breaks, and how."""

    rule: str
    """Such as `loadgen-min-duration`, `p99-bound`, `clocks`, `threads`, `sleeps`, `caches`,
    `leaks`, `answers`."""
    because: str
    """One sentence with the figures."""


@dataclass(frozen=True)
class Timing:
    """How one model did in one scenario.

    Percentiles are LoadGen's, of a query; None where `queries_needed` finds too few of them (p50,
    p90 and p95 are always given, and `supports` says it of them) and for `offline`, which has one
    query.
    """

    scenario: ScenarioName
    threads: int
    batch: int
    queries: int
    examples: int
    seconds: float
    """From the first query to the last answer, by our own clock, without the probe's readings and
    without the time in which an offline system's calls were put together."""
    throughput: float
    """Examples answered a second."""
    p50_ms: float | None
    p90_ms: float | None
    p95_ms: float | None
    p99_ms: float | None
    p99_9_ms: float | None
    load_ms: float
    """Loading the file into a runtime that is already imported; from the page cache."""
    peak_rss_mb: float
    """Highest resident memory of the process up to the end of the warm-up, 10^6 bytes."""
    rss_before_load_mb: float
    """What interpreter and runtime alone took."""
    overhead_us: float | None
    """LoadGen's median minus our own clock's; None where queries overlap."""
    noise: Noise
    conduct: Conduct
    broken: tuple[BrokenRule, ...] = ()
    pinned_to: tuple[int, ...] = ()
    """CPUs that the process was kept on; empty where that is not allowed."""
    rate: float | None = None
    """Server: queries a second that arrived, as LoadGen counted them."""
    bound_ms: float | None = None
    """Server: the p99 allowed."""
    stolen_share: float | None = None
    """Share of the time that the host of a virtual machine kept for itself; None: not counted."""

    @property
    def valid(self) -> bool:
        """Whether no rule is broken."""
        return not self.broken

    def supports(self, percentile: float) -> bool:
        """Return whether enough queries were asked for `percentile` (0...100)."""
        return self.queries >= queries_needed(percentile)

    def to_json(self) -> str:
        """Return it as JSON text."""
        return json.dumps(asdict(self), indent=1)

    @classmethod
    def from_json(cls, text: str) -> "Timing":
        """Read what `to_json` wrote."""
        fields = json.loads(text)
        nested = {
            "noise": Noise(tuple(fields["noise"]["readings_us"])),
            "conduct": Conduct(**fields["conduct"]),
            "broken": tuple(BrokenRule(**one) for one in fields["broken"]),
            "pinned_to": tuple(fields["pinned_to"]),
        }
        return cls(**fields | nested)
