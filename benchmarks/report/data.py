"""The published shape of `report.json`; docs/report.md explains it to readers.

A figure that was not measured is null. A percentile that too few queries were asked for is not
there at all.
"""

from typing import Annotated, Any, Literal

from pydantic import (
    Field,
    NonNegativeFloat,
    NonNegativeInt,
    PositiveInt,
    SerializerFunctionWrapHandler,
    model_serializer,
)

from benchmarks.bench.data import BenchData, BrokenRuleData
from benchmarks.browser.data import BrowserData
from benchmarks.groups.data import GroupsData, ProtectVerdictData
from benchmarks.measurement import Role
from benchmarks.peers.data import PeerComparisonData, PeerNotMeasuredData, PeerRouteData
from benchmarks.report.shape import EnvironmentData, IntervalData, MetricInterval, Shape, Share
from benchmarks.report.task_view import FidelityMeasure
from benchmarks.robustness.data import RobustnessData
from benchmarks.roofline.data import RooflineData
from export.verification import Checked

SCHEMA = "limbeck.report/4"

Plain = bool | int | float | str
Detail = Plain | tuple[Plain, ...] | None
"""What a format says of a file: one value, or a list of them."""


class LatencyData(Shape):
    """One query at a time, batch 1."""

    scenario: Literal["single-stream"]
    threads: PositiveInt
    active_threads: PositiveInt | None = None
    """Threads seen at work while the model answered."""
    cpu_share: NonNegativeFloat
    """Processor time over wall time meanwhile: about the number of threads on a quiet machine."""
    pinned_to: tuple[NonNegativeInt, ...]
    """Processors that the process was kept on; empty where that is not allowed."""
    queries: PositiveInt
    examples: PositiveInt
    throughput: NonNegativeFloat
    """Examples answered a second."""
    p50_ms: NonNegativeFloat
    p90_ms: NonNegativeFloat
    p95_ms: NonNegativeFloat
    p99_ms: NonNegativeFloat | None = None
    p99_9_ms: NonNegativeFloat | None = None
    unsupported: tuple[str, ...]
    """Those of p50, p90 and p95 that have too few queries behind them: read with care."""
    harness_us: float
    """What LoadGen adds to the median query, microseconds."""
    noise_drift: NonNegativeFloat
    """The slowest reading of the noise probe over the fastest, minus 1."""
    quiet: bool
    """Whether the drift is within 10%; else the row is noisy."""
    growth_kb: float | None = None
    """How much memory grew in a thousand queries, 10^3 bytes."""
    repeat_ratio: NonNegativeFloat | None = None
    """Time of an example never asked before over that of the same one asked again."""
    answers_checked: NonNegativeInt
    """Timed answers that were held against those whose quality was measured."""
    agreement: Share | None = None
    """Share of them that is the same."""
    valid: bool
    broken: tuple[BrokenRuleData, ...]
    """Why it is not valid; empty if it is."""

    @model_serializer(mode="wrap")
    def _leave_out_unsupported(self, handler: SerializerFunctionWrapHandler) -> dict[str, Any]:
        return {name: value for name, value in handler(self).items() if value is not None}


class FidelityData(Shape):
    """How closely a row answers like the teacher and like the student."""

    measure: FidelityMeasure
    """What the shares are of: a top 10 in common, or examples with the same answer."""
    teacher: Share | None
    student: Share | None
    max_abs_difference: NonNegativeFloat | None


class ClassData(Shape):
    """How one class fares in one row."""

    precision: Share
    recall: Share
    f1: Share
    support: NonNegativeInt
    predicted: NonNegativeInt


class _AnyRowData(Shape):
    """What every row has."""

    name: str
    bytes: PositiveInt
    fidelity: FidelityData
    kept_quality: MetricInterval | None
    quality_unmasked: dict[str, IntervalData] | None
    coverage: dict[str, Share] | None
    cold_start_ms: NonNegativeFloat | None
    """Process start to first answer."""
    p90_ratio_to_teacher: IntervalData | None
    """Its p90 over the teacher's, both asked in turn in one session; null for the teacher."""
    short_lists: NonNegativeInt | None
    classes: dict[str, ClassData] | None
    """By the name of the class."""


class RowData(_AnyRowData):
    """Any model of the run that is not an artifact."""

    role: Role
    load_ms: NonNegativeFloat
    peak_rss_mb: NonNegativeFloat
    rss_before_load_mb: NonNegativeFloat
    latency: LatencyData
    quality: dict[str, IntervalData]


class CheckData(Shape):
    """What the comparison of a file with the student saw."""

    cases: NonNegativeInt
    agreement: Share | None
    """Share in which the file answers as the student does; null where it answered nothing."""
    max_abs_difference: NonNegativeFloat | None
    max_regret: NonNegativeFloat | None
    seconds_per_example: NonNegativeFloat | None


class ArtifactData(_AnyRowData):
    """A file that was written; figures are null where the machine could not measure them."""

    role: Literal["artifact"]
    path: str
    format: str
    scheme: str
    target: str
    sha256: Annotated[str, Field(pattern="^[0-9a-f]{64}$")]
    usable: bool
    refused_because: str | None
    checked: Checked
    checked_with: str | None
    check: CheckData
    details: dict[str, Detail]
    sidecars: tuple[str, ...]
    load_ms: NonNegativeFloat | None
    peak_rss_mb: NonNegativeFloat | None
    rss_before_load_mb: NonNegativeFloat | None
    latency: LatencyData | None
    quality: dict[str, IntervalData] | None


class NotWrittenData(Shape):
    """A file that the recipe asks for and that could not be written."""

    name: str
    format: str
    scheme: str
    because: str
    optional: bool
    """The recipe can do without."""


class VerdictData(Shape):
    """One limit of the budget, held against one usable file that it was measured of."""

    limit: Literal["megabytes", "milliseconds", "kept_quality"]
    path: str
    allowed: NonNegativeFloat
    reached: float
    met: bool


class BudgetData(Shape):
    """The user's limits and who keeps them."""

    limits: dict[str, float]
    verdicts: tuple[VerdictData, ...]
    protected: tuple[ProtectVerdictData, ...] = ()
    """Differences between groups that the recipe limits, of every usable file, measured or not."""
    fits: tuple[str, ...]
    """Paths of the usable artifacts of which every limit was measured and is kept."""
    met: bool
    """At least one does."""


class EpochData(Shape):
    """One epoch of a training."""

    epoch: PositiveInt
    loss: float
    validation: Share
    """The report's metric on the validation split."""
    seconds: NonNegativeFloat


class CurveData(Shape):
    """How one network learned."""

    name: str
    epochs: tuple[EpochData, ...]


class ReportData(Shape):
    """Everything that report.html shows, and nothing else."""

    schema_: Literal["limbeck.report/4"] = Field(alias="schema")
    task: Literal["next-item", "text-label", "text-pair"]
    metric: str
    """What rows are compared by, a key of their `quality`."""
    headline: str
    recipe: dict[str, Any]
    recipe_hash: str
    quick: bool
    """Measured with fewer queries than the recipe asks for."""
    protocol: tuple[str, ...]
    warnings: tuple[str, ...]
    """What a reader should know of the data: leaks between splits, rare classes, cut texts."""
    counts: dict[str, int]
    baselines: tuple[RowData, ...]
    teacher: RowData
    student: RowData
    student_without_teacher: RowData
    distillation_gain: MetricInterval
    """Metric of the student minus that of the same student trained without a teacher."""
    artifacts: tuple[ArtifactData, ...]
    not_written: tuple[NotWrittenData, ...]
    peers: tuple[RowData, ...]
    """Files that other tools made of the same student, measured alike."""
    peer_comparisons: tuple[PeerComparisonData, ...] = ()
    """Our files beside peers, each pair asked in turn."""
    peer_routes: tuple[PeerRouteData, ...] = ()
    """How each peer was made."""
    peers_not_measured: tuple[PeerNotMeasuredData, ...] = ()
    best: str | None
    """Path of the artifact to ship, the one that the headline speaks of."""
    budget: BudgetData
    groups: GroupsData | None = None
    """Next-item: quality by group, and which items are shown."""
    scenarios: BenchData | None = None
    """The files beyond single-stream, where the recipe asks for it."""
    browser: BrowserData | None = None
    """The files in a browser, where the recipe asks for it."""
    roofline: RooflineData | None = None
    """What the files could reach on this machine."""
    robustness: RobustnessData | None = None
    """Quality on damaged inputs."""
    curves: tuple[CurveData, ...]
    environment: EnvironmentData
    timings_s: dict[str, NonNegativeFloat]

    def to_json(self) -> str:
        """Return the text of report.json."""
        return self.model_dump_json(by_alias=True, indent=2)
