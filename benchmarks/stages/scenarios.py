"""The stage that measures files in the scenarios beside single-stream, the same for all tasks."""

from dataclasses import asdict, replace

from benchmarks.bench.plan import Load
from compress.files import write_atomically
from compress.recipe import Recipe
from compress.stage import Stage, StageContext

NAME = "scenarios"
RESULT = "scenarios.json"
QUICK_SECONDS = 1.0


def is_wanted(recipe: Recipe) -> bool:
    """Whether the recipe asks for more than single-stream."""
    return any(Load.of_recipe(recipe.benchmark).cases())


def scenarios_stage(quick: bool) -> Stage[Recipe]:
    """The stage `scenarios`: as the recipe says, or quickly."""

    def load(recipe: Recipe) -> Load:
        found = Load.of_recipe(recipe.benchmark)
        return replace(found, seconds=min(QUICK_SECONDS, found.seconds)) if quick else found

    def work(context: StageContext[Recipe]) -> None:
        from benchmarks.bench.bench import bench
        from benchmarks.bench.entrant import entrants

        models = [one for one in entrants(context.inputs["export"]) if not one.cannot_run]
        found = bench(
            models,
            load(context.recipe),
            log_folder=context.folder / "loadgen",
            cold_starts=0,
            advance=context.progress.advance,
        )
        write_atomically(context.folder / RESULT, found.to_json())

    def settings(recipe: Recipe) -> object:
        return asdict(load(recipe))

    return Stage(
        name=NAME,
        title="Measure the files in every scenario" + (" (quick)" if quick else ""),
        needs=("export",),
        version=1,
        settings=settings,
        work=work,
    )
