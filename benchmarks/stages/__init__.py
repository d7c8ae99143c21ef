"""The stages that measure, and all stages of a job in their order."""

from typing import Any

from compress.errors import UserError
from compress.recipe import NextItemRecipe, Recipe
from compress.stage import Stage


def stages_of(recipe: Recipe, *, quick: bool = False, peers: bool = False) -> list[Stage[Any]]:
    """Every stage of a job, each after those that it needs.

    Args:
        recipe: The job; its task decides.
        quick: Measure latency briefly.
        peers: Take the same student through other tools, too, and measure their files.

    Raises:
        UserError: There is no peer for this task.
    """
    from benchmarks.stages.latency import latency_stage

    latency = latency_stage(quick)
    if isinstance(recipe, NextItemRecipe):
        from benchmarks.stages.next_item import QUALITY, REPORT
        from compress.stages.next_item import STAGES as MAKE
        from export.stages.next_item import STAGES as WRITE

        if peers:
            raise UserError(
                "--peers compares Hugging Face students with the plain Optimum route, and a "
                "next-item student is none. Leave --peers out, or run a recipe that reads text."
            )
        return [*MAKE, *WRITE, QUALITY, latency, REPORT]
    from benchmarks.stages.peers import check_peers, peers_stage
    from benchmarks.stages.text import QUALITY as TEXT_QUALITY
    from benchmarks.stages.text import report_stage
    from compress.stages.text import STAGES as MAKE_TEXT
    from export.stages.text import STAGES as WRITE_TEXT

    if peers:
        check_peers(recipe)
    beside = [peers_stage(quick)] if peers else []
    return [*MAKE_TEXT, *WRITE_TEXT, TEXT_QUALITY, latency, *beside, report_stage(peers)]
