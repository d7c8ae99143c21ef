"""A comparison as text: sentences, a table of files, and one of what stands behind them."""

from collections.abc import Iterator
from dataclasses import dataclass

from benchmarks.compare.comparison import signed_share
from benchmarks.compare.data import ChangeData, CompareData, ComparisonData, ModelData
from benchmarks.report.shape import IntervalData
from benchmarks.report.tables import Cell, Table, interval_cell
from benchmarks.report.task_view import metric_heading
from benchmarks.report.wording import NOT_MEASURED, rounds_in_words, share, significant
from compress.metrics import metric_name


@dataclass(frozen=True)
class CompareView:
    """What is said, whatever it is said in."""

    title: str
    """`passed`, `failed`, or `passed, not decided`."""
    sentences: tuple[str, ...]
    """One a run, its verdict first."""
    failures: tuple[str, ...]
    files: Table
    behind: Table
    """Teachers and students."""
    notes: tuple[str, ...]
    footnote: str
    """How to read the verdicts."""


def compare_view(data: CompareData) -> CompareView:
    """Return what is said of a comparison."""
    return CompareView(
        title=_title(data),
        sentences=tuple(_sentence(one, data) for one in data.comparisons),
        failures=tuple(line for one in data.comparisons for line in one.failures),
        files=_files(data),
        behind=_behind(data),
        notes=tuple(_notes(data)),
        footnote=_footnote(data),
    )


def _title(data: CompareData) -> str:
    if not data.passed:
        return "failed"
    verdicts = {one.verdict for one in data.comparisons}
    speeds = {one.speed.verdict for one in data.comparisons if one.speed is not None}
    return "passed, not decided" if "not decided" in verdicts | speeds else "passed"


def _title_of(model: ModelData) -> str:
    return f"{model.run}: {model.name}"


def _sentence(one: ComparisonData, data: CompareData) -> str:
    change = one.file.relative
    assert change is not None, "a comparison without a change of its file is refused"
    size = one.file.size_ratio
    bytes_said = "the same size" if size == 1 else f"{significant(size)} times the size"
    said = (
        f"{one.run} is {one.verdict}: {metric_name(data.metric)} "
        f"{_interval(change)} against {data.base}, {_how(one)}; {bytes_said}"
    )
    ratio = None if one.speed is None else one.speed.p90_ratio
    if one.speed is not None and ratio is not None:
        said += (
            f"; {one.speed.verdict}: {ratio.value:.3f} [{ratio.low:.3f}, {ratio.high:.3f}] "
            f"times the p90, asked in turn over "
            f"{rounds_in_words(one.speed.rounds, one.speed.restarts)}"
        )
    open_ends = []
    if one.verdict == "not decided":
        open_ends.append(f"a drop of up to {share(-change.low)}")
    if one.speed is not None and ratio is not None and one.speed.verdict == "not decided":
        open_ends.append(f"a p90 of up to {ratio.high:.3f} times the base’s")
    if not open_ends:
        return f"{said}."
    hint = "" if data.strict else "; use --strict to fail such a run"
    return f"{said}. {' and '.join(open_ends).capitalize()} is not excluded{hint}."


def _how(one: ComparisonData) -> str:
    return {
        "paired": "paired over the same test cases",
        "unpaired": "unpaired",
        "published intervals": "from the published intervals",
    }[one.file.method]


def _interval(change: IntervalData) -> str:
    low, high = signed_share(change.low), signed_share(change.high)
    return f"{signed_share(change.value)} [{low}, {high}]"


def _change_cell(change: ChangeData) -> Cell:
    if change.relative is None:
        return Cell(NOT_MEASURED)
    low, high = signed_share(change.relative.low), signed_share(change.relative.high)
    return Cell(signed_share(change.relative.value), f"{low} to {high}")


def _files(data: CompareData) -> Table:
    first = data.comparisons[0].file.base
    timed = any(one.speed for one in data.comparisons)
    headings = [
        (metric_heading(data.metric), "95%"),
        ("Change", "95%"),
        ("Verdict", ""),
        ("Size", "KB"),
        ("Size", "times base"),
        ("p90", "ms, own session"),
    ]
    headings += [("p90, in turn", "times base"), ("Speed", "")] if timed else []
    blank = (Cell(""),) * 2 if timed else ()
    base = (*_own(first, Cell("base"), Cell(""), None), *blank)
    rows = [(_title_of(first), base)]
    for one in data.comparisons:
        cells = _own(one.file.other, _change_cell(one.file), Cell(one.verdict), one.file.size_ratio)
        rows.append((_title_of(one.file.other), (*cells, *(_speed(one) if timed else ()))))
    return Table("", tuple(headings), tuple(rows))


def _own(
    model: ModelData, change: Cell, verdict: Cell, size_ratio: float | None
) -> tuple[Cell, ...]:
    return (
        interval_cell(model.quality),
        change,
        verdict,
        Cell(f"{model.bytes / 1000:,.0f}"),
        Cell("" if size_ratio is None else f"{size_ratio:.3f}"),
        Cell(significant(model.p90_ms)),
    )


def _speed(one: ComparisonData) -> tuple[Cell, Cell]:
    if one.speed is None:
        return Cell(NOT_MEASURED), Cell("")
    ratio = one.speed.p90_ratio
    return (
        Cell(f"{ratio.value:.3f}", f"{ratio.low:.3f} to {ratio.high:.3f}"),
        Cell(one.speed.verdict),
    )


def _behind(data: CompareData) -> Table:
    """Teachers and students: where a change of the file comes from."""
    headings = ((metric_heading(data.metric), "95%"), ("Change", "95%"), ("Size", "KB"))

    def cells(model: ModelData, change: Cell) -> tuple[str, tuple[Cell, ...]]:
        size = Cell(f"{model.bytes / 1000:,.0f}")
        return _title_of(model), (interval_cell(model.quality), change, size)

    rows = []
    for role in ("teacher", "student"):
        changes: list[ChangeData] = [getattr(one, role) for one in data.comparisons]
        rows.append(cells(changes[0].base, Cell("base")))
        rows += [cells(one.other, _change_cell(one)) for one in changes]
    return Table("", headings, tuple(rows))


def _notes(data: CompareData) -> Iterator[str]:
    said: dict[str, list[str]] = {}
    for one in data.comparisons:
        for note in one.notes:
            said.setdefault(note, []).append(one.run)
    for note, runs in said.items():
        everywhere = len(runs) == len(data.comparisons)
        yield note if everywhere else f"{', '.join(runs)}: {note}"


def _footnote(data: CompareData) -> str:
    allowed = share(data.max_drop)
    rule = (
        f"A run fails if its drop is more than {allowed} and the interval excludes 0; where the "
        "interval holds 0, such a drop is not decided."
    )
    if data.strict:
        rule = f"Strict: a run fails unless its interval excludes a drop of more than {allowed}."
    return f"Changes are relative to {data.base}, with 95% intervals. {rule}"
