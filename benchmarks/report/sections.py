"""The sections that not every report has: built once, laid out by the page, Markdown and CSV."""

from collections.abc import Iterator, Mapping
from typing import Any

from benchmarks.report.browser import BrowserSection, browser_section
from benchmarks.report.data import ReportData
from benchmarks.report.groups import GroupsSection, groups_section, protected_as_table
from benchmarks.report.markdown import FoldedPart
from benchmarks.report.peers import PeersSection, peers_section
from benchmarks.report.robustness import RobustnessSection, robustness_section
from benchmarks.report.roofline import RooflineSection, roofline_section
from benchmarks.report.scenarios import ScenariosSection, scenarios_section
from benchmarks.report.tables import Cell, latency_marks
from benchmarks.report.task_view import task_view
from benchmarks.report.wording import significant

TITLES: Mapping[str, str] = {
    "peers": "Beside other tools",
    "scenarios": "Scenarios",
    "browser": "In a browser",
    "roofline": "Roofline",
    "robustness": "Robustness",
    "groups": "By group",
}
"""By the name of a section, which is its template's and its anchor's; in their order."""

Section = (
    PeersSection
    | ScenariosSection
    | BrowserSection
    | RooflineSection
    | RobustnessSection
    | GroupsSection
)


def further_sections(report: ReportData) -> dict[str, Section]:
    """Return the sections that there is something to say in, by their names, in their order."""
    view = task_view(report.task)
    native = {
        one.name: Cell(significant(one.latency.p90_ms), "; ".join(latency_marks(one)))
        for one in report.artifacts
        if one.latency is not None
    }
    scenarios, roofline = report.scenarios, report.roofline
    robustness, groups = report.robustness, report.groups
    found: dict[str, Section | None] = {
        "peers": peers_section(report, view),
        "scenarios": None if scenarios is None else scenarios_section(scenarios),
        "browser": browser_section(report.browser, view, best=report.best, native_p90=native),
        "roofline": None if roofline is None else roofline_section(roofline),
        "robustness": None if robustness is None else robustness_section(robustness),
        "groups": None
        if groups is None
        else groups_section(groups, report.best, report.budget.protected),
    }
    return {name: section for name, section in found.items() if section is not None}


def folded_sections(report: ReportData) -> Iterator[FoldedPart]:
    """Yield the same sections as parts of a Markdown report; groups have a part a column."""
    for name, section in further_sections(report).items():
        if isinstance(section, GroupsSection):
            yield from _group_parts(TITLES[name], section)
        else:
            yield FoldedPart(TITLES[name], **_parts(section))


def _group_parts(title: str, section: GroupsSection) -> Iterator[FoldedPart]:
    protected = section.protected
    tables = () if protected is None else (protected_as_table(protected),)
    yield FoldedPart(title, (*section.findings, *section.notes), tables=tables, first="File")
    for column in section.columns:
        yield FoldedPart(
            f"{title}: {column.title}", column.sentences, tables=(column.table,), first="Group"
        )
    yield FoldedPart(
        f"{title}: items that are shown", section.shown_sentences, tables=(section.shown,)
    )


def _parts(
    section: PeersSection | ScenariosSection | BrowserSection | RooflineSection | RobustnessSection,
) -> dict[str, Any]:
    if isinstance(section, PeersSection):
        return {
            "sentences": section.sentences,
            "points": tuple(f"{name} was not measured: {why}" for name, why in section.missing),
            "tables": (section.table,),
        }
    if isinstance(section, ScenariosSection):
        return {
            "sentences": section.sentences,
            "points": section.broken,
            "tables": section.tables,
            "first": "File",
        }
    if isinstance(section, BrowserSection):
        return {
            "sentences": section.sentences,
            "points": tuple(f"{name}: {why}" for name, why in section.not_measured),
            "tables": tuple(one for one in (section.latency, section.quality) if one is not None),
            "first": "File",
        }
    if isinstance(section, RooflineSection):
        return {
            "sentences": section.sentences,
            "points": (
                *section.cautions,
                *(f"{name}: {why}" for name, why in section.not_counted),
            ),
            "tables": (section.table,) if section.table.rows else (),
            "first": "File",
        }
    return {
        "sentences": (section.finding, *section.sentences, section.shift_sentence),
        "tables": tuple(one for one in (section.table, section.shift) if one is not None),
        "first": "Damage",
    }
