"""What crosses between the process that asks for a measurement and the one that is measured."""

import json
from dataclasses import asdict, dataclass
from typing import Any

from benchmarks.timing.asking import WARM_UP_QUERIES
from benchmarks.timing.isolation import LEAST_LIMIT_SECONDS
from benchmarks.timing.scenario import Scenario
from export.runner import RunnerSpec

SAMPLES = "samples.npz"
LATENCIES = "latencies.npy"
"""int64 `[calls]`: nanoseconds a call, in the order asked, by the measured process's own clock."""
ANSWERS = "answers.npz"
"""Some of the answers that were timed: `rows` int64 `[M]`, and each answer by its name `[M, ...]`.
"""
OBSERVED = "observed.json"
LOADGEN_DETAIL = "mlperf_log_detail.txt"
SLOWEST_SECONDS = 2.0
"""An example that takes longer than this on the average is not waited for."""
_SLOWER = 10.0
"""How much longer than asked for a run may last: LoadGen prepares, and a machine is busy."""


@dataclass(frozen=True)
class MeasuringJob:
    """What to measure; results are written into `folder`."""

    spec: RunnerSpec
    scenario: Scenario
    folder: str
    warm_up_seconds: float

    @property
    def limit_seconds(self) -> float:
        """After so long the process is thought to hang, seconds."""
        scenario = self.scenario
        examples = scenario.queries + WARM_UP_QUERIES
        if scenario.name == "multi-stream":
            examples *= scenario.batch
        arriving = scenario.queries / scenario.rate if scenario.rate else 0.0
        wanted = self.warm_up_seconds + scenario.seconds + arriving
        return LEAST_LIMIT_SECONDS + _SLOWER * wanted + SLOWEST_SECONDS * examples

    def to_json(self) -> str:
        """Return the job as JSON text."""
        return json.dumps(asdict(self), indent=2)

    @classmethod
    def from_json(cls, text: str) -> "MeasuringJob":
        """Read what `to_json` wrote."""
        fields = json.loads(text)
        typed = {"spec": RunnerSpec(**fields["spec"]), "scenario": Scenario(**fields["scenario"])}
        return cls(**fields | typed)


@dataclass(frozen=True)
class Observed:
    """What the measured process saw of itself and of the model; None where it could not look."""

    load_ms: float
    rss_before_load_mb: float
    peak_rss_mb: float
    pinned_to: tuple[int, ...]
    probe_us: tuple[float, ...]
    """Readings of the noise probe, in the order taken."""
    seconds: float
    """From the first query to the last answer, by its own clock, `paused_seconds` left out."""
    examples: int
    """Answered in that time."""
    active_threads: int | None
    cpu_share: float
    children_share: float
    """Of processes that the model started, as `cpu_share` is of its own."""
    awake_share: float | None
    stolen_share: float | None
    """Of the time, by the host of a virtual machine."""
    rss_kb: tuple[float, ...]
    """Resident memory between blocks of queries after the timed ones, 10^3 bytes."""
    growth_queries: int
    """Queries of all those blocks together."""
    first_ns: tuple[int, ...]
    """Examples that had never been asked, each one asked..."""
    again_ns: tuple[int, ...]
    """...and asked again at once."""
    answers_kept: int
    """Answers of the timed queries, chosen at random, that were looked at."""
    answers_faulty: int
    faults: tuple[str, ...]
    """What is wrong with them in themselves, one line a kind."""
    paused_seconds: float = 0.0
    """Between the first query and the last answer, but in no time that is reported: the probe's
    readings, and putting an offline system's calls together."""

    def to_json(self) -> str:
        """Return it as JSON text."""
        return json.dumps(asdict(self), indent=1)

    @classmethod
    def from_json(cls, text: str) -> "Observed":
        """Read what `to_json` wrote."""
        fields: dict[str, Any] = json.loads(text)
        lists = {name: tuple(one) for name, one in fields.items() if isinstance(one, list)}
        return cls(**fields | lists)
