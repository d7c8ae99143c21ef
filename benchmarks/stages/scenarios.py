"""The stage that measures files in the scenarios beside single-stream, the same for all tasks."""

import shutil
from collections.abc import Callable
from dataclasses import asdict, replace
from typing import TYPE_CHECKING

from benchmarks.bench.data import BenchData, BenchRowData, NotMeasuredData
from benchmarks.bench.entrant import Entrant, entrants
from benchmarks.bench.plan import Case, Load
from benchmarks.environment import current_environment
from benchmarks.report.shape import EnvironmentData
from benchmarks.stages.latency import LOGS
from compress.errors import UserError
from compress.files import write_atomically
from compress.recipe import Recipe, content_hash
from compress.reuse import made_before, note_made
from compress.stage import Stage, StageContext
from export.samples import Samples

if TYPE_CHECKING:
    from benchmarks.bench.known_answers import Answers

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
        found = _measured(context, load(context.recipe))
        write_atomically(context.folder / RESULT, found.to_json())

    def settings(recipe: Recipe) -> object:
        return asdict(load(recipe))

    return Stage(
        name=NAME,
        title="Measure the files in every scenario" + (" (quick)" if quick else ""),
        needs=("export",),
        version=3,
        settings=settings,
        work=work,
    )


def _measured(context: StageContext[Recipe], load: Load) -> BenchData:
    """Put every file to every case; what was measured of it before is kept."""
    from benchmarks.bench.bench import not_measured

    environment = asdict(current_environment())
    models = entrants(context.inputs["export"])
    cases = list(load.cases())
    rows: list[BenchRowData] = []
    missing: list[NotMeasuredData] = []
    for order, model in enumerate(models):
        if model.cannot_run:
            missing.append(NotMeasuredData(name=model.name, target="cpu", because=model.cannot_run))
            continue
        asked = _asked(model)

        known = _AskedOnce(model)
        for number, case in enumerate(cases):
            done = (order + number / len(cases)) / len(models)
            context.progress.advance(f"{model.name}: {case.slug}", done)
            key = content_hash([asked, asdict(case), environment])
            try:
                rows.append(_row(context, model, case, key, known))
            except UserError as error:
                missing.append(not_measured(model, case, error))
    return BenchData(
        environment=EnvironmentData.model_validate(environment),
        rows=tuple(rows),
        not_measured=tuple(missing),
    )


class _AskedOnce:
    """What a model answers; one that cannot be asked is not asked again for the next case."""

    def __init__(self, model: Entrant) -> None:
        self._model = model
        self._found: Answers | UserError | None = None

    def __call__(self) -> "Answers":
        from benchmarks.bench.known_answers import known_answers

        if self._found is None:
            try:
                self._found = known_answers(self._model)
            except UserError as error:
                self._found = error
        if isinstance(self._found, UserError):
            raise self._found
        return self._found


def _row(
    context: StageContext[Recipe],
    model: Entrant,
    case: Case,
    key: str,
    known: Callable[[], "Answers"],
) -> BenchRowData:
    """Measure one file in one case, unless it was."""
    from benchmarks.bench.bench import measure_row
    from benchmarks.bench.entrant import slug_of

    name, logs = slug_of(model.name), f"{LOGS}/{slug_of(model.name)}/{case.slug}"
    target = f"{name}.{case.slug}.json"
    if made_before(context, f"{name}.{case.slug}", key) is None:
        shutil.rmtree(context.folder / logs, ignore_errors=True)
        row = measure_row(model, case, context.folder / LOGS, known=known())
        write_atomically(context.folder / target, row.model_dump_json(indent=1))
        note_made(context, f"{name}.{case.slug}", key, (target, logs), model.name)
    text = (context.folder / target).read_text(encoding="utf-8")
    return BenchRowData.model_validate_json(text)


def _asked(model: Entrant) -> tuple[str | int | None, ...]:
    """Return what a file's figures depend on beside case and machine, hashed where it is long."""
    right = None if not model.expected else Samples(dict(model.expected)).sha256()
    return (
        model.name, model.spec.runtime, model.sha256, model.bytes,
        model.samples.sha256(), model.asked_with, right, model.scheme,
    )  # fmt: skip
