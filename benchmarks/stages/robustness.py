"""The stages that measure quality on damaged inputs, teacher and student side by side."""

from collections.abc import Callable, Sequence
from typing import TYPE_CHECKING, Any, Literal

import numpy as np
from numpy.typing import NDArray

from benchmarks.stages.quality import runner_of
from benchmarks.stages.subjects import Subject, samples_of
from compress.files import write_atomically
from compress.recipe import AnyTextRecipe, NextItemRecipe
from compress.stage import Stage, StageContext
from export.samples import Samples

if TYPE_CHECKING:
    from benchmarks.quality import Evaluation
    from benchmarks.robustness.asking import UnderDamage
    from benchmarks.robustness.compare import Condition
    from benchmarks.robustness.damage import Damage
    from benchmarks.robustness.data import PopularityShiftData
    from compress.data.dataset import Cases, Dataset
    from compress.tasks.text_task import Truth

NAME = "robustness"
ROBUSTNESS = "robustness.json"
MOST_CASES = 5000
"""Test cases that are asked under each damage."""
MOST_TEXTS = 500
"""Test texts, or pairs, likewise: a teacher of texts takes its time."""
SHORT = 10
"""Items that a list should have left: the metric's cutoff."""

_DAMAGED: dict[str, Literal["history", "text", "query"]] = {
    "next-item": "history",
    "text-label": "text",
    "text-pair": "query",
}
NO_SHIFT_SPLIT = (
    "The test split takes each user’s last event (leave-one-out), so training and test lie at the "
    "same time and popularity has no way to move between them. A split by time has it: "
    "limbeck run RECIPE --set data.split.kind=global-time --out FOLDER."
)
NO_SHIFT_TEXTS = "Texts are no items: they have no popularity that could move."


def measure_histories(context: StageContext[NextItemRecipe]) -> None:
    """Ask about damaged histories, and about targets whose popularity moved."""
    from benchmarks.quality import DEFAULT_BATCH, Evaluation, evaluate
    from benchmarks.robustness.asking import DamagedInputs, RobustnessTask, ask_all, rows_to_damage
    from benchmarks.robustness.compare import Condition
    from benchmarks.robustness.damage import HISTORY_DAMAGES, UNDAMAGED
    from benchmarks.robustness.histories import damaged_histories
    from compress.data.dataset import Dataset
    from export.blocked_items import exported_blocked_items

    recipe, export_folder = context.recipe, context.inputs["export"]
    dataset = Dataset.open(context.inputs["dataset"])
    chosen, cases, of_cases = _chosen_cases(dataset, recipe.seed)
    seen, rows = dataset.seen(cases), rows_to_damage(export_folder)
    given = samples_of(rows, export_folder)
    histories = next(iter(given.values())).arrays["history"][chosen]
    blocked = exported_blocked_items(export_folder)

    def has_target(codes: NDArray[np.int32]) -> NDArray[np.bool_]:
        return np.asarray((codes == cases.targets[:, None]).any(axis=1))

    def inputs(damage: "Damage") -> DamagedInputs:
        damaged = damaged_histories(
            histories, cases.users, damage, items=dataset.items, seed=recipe.seed
        )
        return DamagedInputs(
            damage,
            dict.fromkeys(given, Samples({"history": damaged})),
            changed=int((damaged != histories).any(axis=1).sum()),
            targets_in_input=int((has_target(damaged) & ~has_target(histories)).sum()),
        )

    def ask(row: Subject, samples: Samples, advance: object) -> Evaluation:
        return evaluate(
            runner_of(row, export_folder),
            None,
            samples=samples,
            targets=cases.targets,
            seen=seen,
            items=dataset.items,
            batch_size=DEFAULT_BATCH if row.artifact is None else 1,
            blocked=blocked,
            name=row.name,
        )

    def condition(under: "UnderDamage[Evaluation]") -> Condition:
        answers, metric = under.answers, recipe.task.metric
        return Condition(
            {name: one.statistics()[metric] for name, one in answers.items()},
            {
                name: int(((one.top != 0).sum(axis=1) < SHORT).sum())
                for name, one in answers.items()
            },
        )

    damages = (UNDAMAGED, *HISTORY_DAMAGES)
    task = RobustnessTask(len(cases), damages, inputs, ask, Evaluation.load, "test cases")
    found = ask_all(context, rows, task)
    is_by_time = dataset.description["split"]["kind"] == "global-time"
    shift = _popularity_shift(context, dataset, cases, found[0]) if is_by_time else None
    no_shift, counts = None if is_by_time else NO_SHIFT_SPLIT, (len(cases), of_cases)
    _write(context, rows, found, condition, counts=counts, shift=(shift, no_shift))


def measure_texts(context: StageContext[AnyTextRecipe]) -> None:
    """Ask about damaged texts; of pairs the query alone is damaged, as users type no product."""
    from benchmarks.robustness.asking import DamagedInputs, RobustnessTask, ask_all, rows_to_damage
    from benchmarks.robustness.compare import Condition
    from benchmarks.robustness.damage import TEXT_DAMAGES, UNDAMAGED
    from benchmarks.robustness.texts import damaged_texts
    from benchmarks.text_quality import DEFAULT_BATCH, TextEvaluation, evaluate_texts
    from compress.data.text_dataset import TextDataset
    from compress.tasks.text_task import Truth

    recipe, export_folder = context.recipe, context.inputs["export"]
    dataset = TextDataset.open(context.inputs["dataset"])
    every = Truth.of(dataset, recipe.task, "test")
    chosen, truth = _chosen_texts(every, recipe.seed)
    rows = rows_to_damage(export_folder)
    first, second = dataset.split("test").texts(chosen)
    # The pairs of a query have one number, so that it is damaged in one way for all its products.
    numbers = chosen if truth.queries is None else truth.queries
    cutters = _cutters(context, {row.inputs for row in rows})

    def inputs(damage: "Damage") -> DamagedInputs:
        damaged = damaged_texts(first, numbers, damage, seed=recipe.seed)
        return DamagedInputs(
            damage,
            {name: cut(damaged, second) for name, cut in cutters.items()},
            changed=sum(one != was for one, was in zip(damaged, first, strict=True)),
        )

    def ask(row: Subject, samples: Samples, advance: Callable[[float], None]) -> TextEvaluation:
        return evaluate_texts(
            runner_of(row, export_folder),
            samples=samples,
            truth=truth,
            classes=dataset.classes,
            batch_size=DEFAULT_BATCH if row.artifact is None else 1,
            progress=advance,
        )

    def condition(under: "UnderDamage[TextEvaluation]") -> Condition:
        metric = recipe.task.metric
        return Condition({name: one.statistics()[metric] for name, one in under.answers.items()})

    examples = "test texts" if second is None else "test pairs"
    damages = (UNDAMAGED, *TEXT_DAMAGES)
    task = RobustnessTask(len(chosen), damages, inputs, ask, TextEvaluation.load, examples)
    found, counts = ask_all(context, rows, task), (len(chosen), len(every.targets))
    _write(context, rows, found, condition, counts=counts, shift=(None, NO_SHIFT_TEXTS))


def _chosen_cases(dataset: "Dataset", seed: int) -> "tuple[Any, Cases, int]":
    """Return the rows of the test cases that are asked, the cases, and how many there are."""
    from benchmarks.robustness.asking import sampled
    from compress.data.dataset import Cases

    every = dataset.cases("test")
    rows = sampled(len(every), MOST_CASES, seed)
    cases = Cases(every.users[rows], every.first[rows], every.index[rows], every.targets[rows])
    return rows, cases, len(every)


def _chosen_texts(every: "Truth", seed: int) -> "tuple[Any, Truth]":
    """Return the rows of the texts that are asked, and what is true of them."""
    from benchmarks.robustness.asking import sampled, sampled_queries
    from compress.tasks.text_task import Truth

    if (queries := every.queries) is None:
        rows = sampled(len(every.targets), MOST_TEXTS, seed)
    else:
        rows = sampled_queries(queries, MOST_TEXTS, seed)
        queries = queries[rows]
    own = Truth(every.task, every.targets[rows], every.groups[rows], queries, every.class_gains)
    return rows, own


Cut = Callable[[list[str], list[str] | None], Samples]


def _cutters(context: StageContext[AnyTextRecipe], wanted: set[str]) -> dict[str, Cut]:
    """Return how texts become what rows are asked with: each model has its own tokenizer."""
    from compress.stages.text.dataset import TOKENIZER
    from compress.tokenizers.tokenizer import PieceTokenizer
    from export.stages.text import STUDENT_PIECES, TEACHER_PIECES, TEXTS
    from export.text_samples import cut_samples, text_samples

    def cutting(stage: str) -> Cut:
        tokenizer = PieceTokenizer.load(context.inputs[stage] / TOKENIZER)
        length = context.recipe.task.max_length
        return lambda first, second: cut_samples(tokenizer, first, second, length)

    makes: dict[str, Callable[[], Cut]] = {
        TEACHER_PIECES: lambda: cutting("teacher-pieces"),
        STUDENT_PIECES: lambda: cutting("student-pieces"),
        TEXTS: lambda: text_samples,
    }
    return {name: make() for name, make in makes.items() if name in wanted}


def _popularity_shift(
    context: StageContext[NextItemRecipe],
    dataset: "Dataset",
    cases: "Cases",
    undamaged: "UnderDamage[Evaluation]",
) -> "PopularityShiftData":
    from benchmarks.resampling import Resampling
    from benchmarks.robustness.compare import shift_data
    from benchmarks.robustness.popularity import popularity_change
    from compress.tasks.item_codes import FIRST_ITEM

    recipe = context.recipe
    times = np.load(dataset.folder / "times.npy", mmap_mode="r")
    learned = dataset.training_sequences()[1]
    tested = dataset.events[times >= dataset.description["times"]["test_from"]]
    training, later = (
        np.bincount(codes - FIRST_ITEM, minlength=dataset.items) for codes in (learned, tested)
    )
    return shift_data(
        popularity_change(training, later, cases.targets.astype(np.int64) - FIRST_ITEM),
        {name: one.values()[recipe.task.metric] for name, one in undamaged.answers.items()},
        Resampling(recipe.benchmark.bootstrap, recipe.seed),
        training_events=len(learned),
        test_events=len(tested),
    )


def _write(
    context: StageContext[Any],
    rows: Sequence[Subject],
    found: "Sequence[UnderDamage[Any]]",
    condition: "Callable[[UnderDamage[Any]], Condition]",
    *,
    counts: tuple[int, int],
    shift: "tuple[PopularityShiftData | None, str | None]",
) -> None:
    """Hold every damage against the undamaged inputs, which come first, and publish it."""
    from benchmarks.report.shape import interval_data
    from benchmarks.resampling import Resampling
    from benchmarks.robustness.compare import damage_data
    from benchmarks.robustness.data import RobustnessData, RobustRowData
    from compress.metrics import bootstrap

    context.progress.advance("intervals")
    recipe, undamaged = context.recipe, condition(found[0])
    draws = Resampling(recipe.benchmark.bootstrap, recipe.seed)
    quality = bootstrap(undamaged.statistics, draws.resamples, draws.seed)
    data = RobustnessData(
        metric=recipe.task.metric,
        damaged=_DAMAGED[recipe.task.kind],
        cases=counts[0],
        of_cases=counts[1],
        rows=tuple(
            RobustRowData(
                name=row.name,
                role=row.role,
                quality=interval_data(quality[row.name]),
                short_lists=undamaged.short_lists.get(row.name),
            )
            for row in rows
        ),
        damages=tuple(
            damage_data(
                one.inputs.damage,
                condition(one),
                undamaged,
                draws,
                changed=one.inputs.changed,
                targets_in_input=one.inputs.targets_in_input,
            )
            for one in found[1:]
        ),
        popularity_shift=shift[0],
        popularity_shift_because=shift[1],
    )
    write_atomically(context.folder / ROBUSTNESS, data.model_dump_json(indent=1))


def _settings(recipe: NextItemRecipe | AnyTextRecipe) -> object:
    return [recipe.seed, recipe.benchmark.bootstrap, recipe.task.model_dump(mode="json")]


HISTORY_ROBUSTNESS: Stage[NextItemRecipe] = Stage(
    name=NAME,
    title="Measure quality on damaged histories",
    needs=("dataset", "export"),
    version=1,
    settings=_settings,
    work=measure_histories,
)

TEXT_ROBUSTNESS: Stage[AnyTextRecipe] = Stage(
    name=NAME,
    title="Measure quality on damaged texts",
    needs=("dataset", "teacher-pieces", "student-pieces", "export"),
    version=1,
    settings=_settings,
    work=measure_texts,
)
