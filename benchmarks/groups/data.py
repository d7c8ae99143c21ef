"""The published shape of `groups` in `report.json`."""

from typing import Annotated, Literal

from pydantic import Field, NonNegativeFloat, NonNegativeInt, PositiveInt

from benchmarks.report.shape import IntervalData, Shape, Share

ModelRole = Literal["teacher", "student", "artifact"]
PopularityGroup = Literal["head", "middle", "tail"]


class GroupData(Shape):
    """Test cases that belong together."""

    name: str
    """Such as `25–34`; `unknown`: users of whom the table says nothing."""
    cases: NonNegativeInt
    teacher_finds: NonNegativeInt
    """Cases of which the teacher finds the item: what kept shares are shares of."""
    judged: bool
    """Whether `quality_gap` is judged by it: known, and of no fewer cases than `minimum_cases`. For
    `kept_gap` the teacher must find the item of `minimum_finds` of them, too."""


class EstimateData(Shape):
    """A figure of a group; no interval where it has fewer cases than `minimum_cases`."""

    value: float
    low: float | None = None
    high: float | None = None


class GapData(Shape):
    """The best group's figure minus the worst's.

    It is never negative, and a bootstrap of it is inconsistent, so it has no interval: `p` says
    whether there is a difference at all.
    """

    value: NonNegativeFloat
    best: str
    worst: str
    judged: PositiveInt
    """How many groups it is between."""
    not_judged: tuple[str, ...]
    """The other groups but for `unknown`: of them nothing is said."""
    by_chance: IntervalData
    """Gaps between as many groups of these sizes that are served alike, each varying as it does:
    mean, and the middle 95% of them. No interval of the gap itself."""
    p: Share
    """Of a studentized permutation test of the hypothesis that these groups are served alike."""


class ModelGroupsData(Shape):
    """How one model serves each group of a column."""

    name: str
    role: ModelRole
    path: str | None
    """Of a file, as in `artifacts`."""
    quality: dict[str, EstimateData]
    """By group; a group without cases is not there."""
    quality_gap: GapData | None
    """Of the metric; null where fewer than two groups are judged."""
    kept_quality: dict[str, IntervalData] | None
    """By group, the share of the teacher's metric, paired; a group with fewer than `minimum_cases`,
    or with fewer than `minimum_finds` of the teacher's, is not there. Null for the teacher."""
    kept_gap: GapData | None
    """Of the kept share: 0.12 is 12 points."""
    wider: IntervalData | None
    """The model's `quality_gap` minus the teacher's, paired; above 0: compression widened it."""


class ColumnData(Shape):
    """Groups by one column of the users, or by the popularity of the item that is looked for."""

    column: str
    of: Literal["users", "items"]
    groups: tuple[GroupData, ...]
    models: tuple[ModelGroupsData, ...]
    """The teacher first."""


class ShownData(Shape):
    """Which items one model shows."""

    name: str
    role: ModelRole
    path: str | None
    shares: dict[PopularityGroup, IntervalData]
    """Of all that is shown, how much is head, middle and tail."""
    novelty: IntervalData
    """Mean self-information of what is shown, bits."""
    coverage: IntervalData
    """Share of the catalogue that is shown to anyone; jackknife interval."""
    gini: IntervalData
    """Of how often each item is shown, 0 all alike; jackknife interval."""
    against_teacher: dict[str, IntervalData] | None
    """Each of these minus the teacher's, paired; null for the teacher itself."""


class ExposureData(Shape):
    """Head, middle and tail of the catalogue, and who shows what of it."""

    cutoff: PositiveInt
    """Items of a list that count as shown."""
    items: dict[PopularityGroup, NonNegativeInt]
    training_events: dict[PopularityGroup, Share]
    """What each draws of the training events."""
    targets: dict[PopularityGroup, Share]
    """How much of what the test users really chose is of each."""
    models: tuple[ShownData, ...]
    """The teacher first."""


class GroupsData(Shape):
    """Quality by group, and exposure of items, of teacher, student and every measured file."""

    metric: str
    minimum_cases: PositiveInt
    minimum_finds: PositiveInt
    """A group in which the teacher finds fewer has no kept share."""
    level: Share
    """The p below which chance is ruled out: 5% over two tests a column (Bonferroni)."""
    cases: PositiveInt
    columns: tuple[ColumnData, ...]
    """Of the users first, then `popularity`."""
    exposure: ExposureData


class ProtectVerdictData(Shape):
    """One entry of `protect`, held against one usable file."""

    column: str
    of: Literal["kept_quality", "quality"]
    path: str
    max_gap: Annotated[float, Field(gt=0, le=1)]
    reached: NonNegativeFloat | None
    """The gap; null where it could not be measured."""
    by_chance: IntervalData | None
    """What groups of these sizes reach that are served alike: a limit below it fails by luck."""
    p: Share | None
    """Of the hypothesis that the groups are served alike."""
    best: str | None
    worst: str | None
    judged: NonNegativeInt
    """How many groups the gap is between."""
    not_judged: tuple[str, ...]
    """Groups that the verdict says nothing of; `unknown` beside them."""
    met: bool
    """A gap that could not be measured is not kept."""
    because: str | None
    """Why it could not be measured."""
