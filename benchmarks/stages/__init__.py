"""The stages that measure, and all stages of a job in their order."""

from typing import Any

from compress.recipe import NextItemRecipe, Recipe
from compress.stage import Stage


def stages_of(recipe: Recipe, *, quick: bool = False, peers: bool = False) -> list[Stage[Any]]:
    """Every stage of a job, each after those that it needs.

    Args:
        recipe: The job; its task decides, and what its `benchmark` section asks for.
        quick: Measure latency briefly.
        peers: Take the same student through other tools, too, and measure their files.

    Raises:
        UserError: Peers would have nothing to be compared with.
    """
    if isinstance(recipe, NextItemRecipe):
        from benchmarks.stages.groups import GROUPS
        from benchmarks.stages.next_item import QUALITY, report_stage
        from benchmarks.stages.robustness import HISTORY_ROBUSTNESS as ROBUSTNESS
        from compress.stages.next_item import STAGES as MAKE
        from export.stages.next_item import STAGES as WRITE

        quality: list[Stage[Any]] = [QUALITY, GROUPS]
        work: list[Stage[Any]] = [*MAKE, *WRITE]
        robustness: Stage[Any] = ROBUSTNESS
        report: Any = report_stage
    else:
        from benchmarks.stages.robustness import TEXT_ROBUSTNESS
        from benchmarks.stages.text import QUALITY as TEXT_QUALITY
        from benchmarks.stages.text import report_stage as text_report_stage
        from compress.stages.text import STAGES as MAKE_TEXT
        from export.stages.text import STAGES as WRITE_TEXT

        quality, work = [TEXT_QUALITY], [*MAKE_TEXT, *WRITE_TEXT]
        robustness, report = TEXT_ROBUSTNESS, text_report_stage
    measuring = [
        *quality,
        *([robustness] if recipe.benchmark.robustness else []),
        *_timing(recipe, quick),
        *(_peers(recipe, quick) if peers else []),
    ]
    return [*work, *measuring, report(one.name for one in measuring)]


def _timing(recipe: Any, quick: bool) -> list[Stage[Any]]:
    """Latency, and what a recipe asks for beside it."""
    from benchmarks.stages import browser, scenarios
    from benchmarks.stages.latency import latency_stage
    from benchmarks.stages.roofline import roofline_stage

    return [
        latency_stage(quick),
        *([scenarios.scenarios_stage(quick)] if scenarios.is_wanted(recipe) else []),
        *([browser.browser_stage(quick)] if browser.is_wanted(recipe) else []),
        roofline_stage(quick),
    ]


def _peers(recipe: Any, quick: bool) -> list[Stage[Any]]:
    from benchmarks.stages.peers import check_peers, peers_stage

    check_peers(recipe)
    return [peers_stage(quick)]
