"""Which items are shown, as text: popular ones or not, how many, how evenly."""

from collections.abc import Iterator, Mapping, Sequence

from benchmarks.groups.data import GroupsData, PopularityGroup, ShownData
from benchmarks.report.group_wording import POINTS, apart, ends, share_cell
from benchmarks.report.shape import IntervalData
from benchmarks.report.tables import Cell, Table
from benchmarks.report.wording import percent, signed

_FIGURES = {
    "head": ("head", POINTS, 1, " points"),
    "middle": ("middle", POINTS, 1, " points"),
    "tail": ("tail", POINTS, 1, " points"),
    "coverage": ("coverage", POINTS, 1, " points"),
    "gini": ("Gini", 1.0, 3, ""),
    "novelty": ("novelty", 1.0, 3, " bits"),
}
"""Of what is shown: its name, what it is multiplied by, digits, unit."""


def shown_sentences(data: GroupsData, place: int) -> Iterator[str]:
    """Yield what the page says of what a model shows.

    Args:
        data: What was measured.
        place: Of the model.
    """
    found, own = data.exposure, data.exposure.models[place]
    teacher = found.models[0]
    head, differences = own.shares["head"], own.against_teacher
    yield (
        f"Of what {own.name} shows in its first {found.cutoff}, {percent(head.value)}% "
        f"[{percent(head.low)}, {percent(head.high)}] is head: the {found.items['head']:,} items "
        f"that drew {percent(found.training_events['head'])}% of the training events. The teacher "
        f"shows {percent(teacher.shares['head'].value)}%; of what users really chose, "
        f"{percent(found.targets['head'])}% is head."
    )
    if differences is None:
        return
    said = [
        f"{name} {apart(differences[what], scale, digits)}{unit}"
        for what, (name, scale, digits, unit) in _FIGURES.items()
        if differences[what].low > 0 or differences[what].high < 0
    ]
    if said:
        yield f"Against its teacher these are shown to differ: {', '.join(said)}."
    else:
        yield "These test cases show no difference from its teacher in what it shows."


def shown_table(data: GroupsData, places: Sequence[int]) -> Table:
    """Return what models show, and how that differs from what the teacher shows.

    Args:
        data: What was measured.
        places: Of the models.
    """
    cutoff = data.exposure.cutoff
    headings = (
        *((name.capitalize(), f"% of the first {cutoff}") for name in data.exposure.items),
        (f"Coverage@{cutoff}", "%"),
        ("Gini", "0 = even"),
        ("Novelty", "bits"),
    )
    models = [data.exposure.models[place] for place in places]
    rows = [(model.name, _shown_cells(model)) for model in models]
    for model in models:
        if model.against_teacher is not None:
            cells = _difference_cells(model.against_teacher, data.exposure.items)
            rows.append((f"{model.name} − teacher", cells))
    return Table("", headings, tuple(rows))


def _shown_cells(model: ShownData) -> tuple[Cell, ...]:
    shares = [share_cell(interval) for interval in (*model.shares.values(), model.coverage)]
    rest = [
        Cell(f"{one.value:.3f}", f"{one.low:.3f}–{one.high:.3f}")
        for one in (model.gini, model.novelty)
    ]
    return (*shares, *rest)


def _difference_cells(
    differences: Mapping[str, IntervalData], groups: Mapping[PopularityGroup, int]
) -> tuple[Cell, ...]:
    def cell(what: str) -> Cell:
        _, scale, digits, _ = _FIGURES[what]
        value, low, high = (signed(one * scale, digits) for one in ends(differences[what]))
        return Cell(value, f"{low} to {high}")

    return tuple(cell(what) for what in (*groups, "coverage", "gini", "novelty"))
