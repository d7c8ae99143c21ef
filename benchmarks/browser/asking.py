"""How the files of a task are asked about its test split, whatever runs them.

Batches of one, as an app asks, and as the quality stage asks files.
"""

from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

from benchmarks.browser.comparison import AnyEvaluation
from benchmarks.quality import Evaluation, evaluate
from benchmarks.text_quality import TextEvaluation, evaluate_texts
from compress.recipe import AnyRecipe, NextItemRecipe, TextLabel, TextPair
from export.blocked_items import NOTHING_BLOCKED, BlockedItems
from export.runner import Runner
from export.samples import Samples

Advance = Callable[[float], None]


@dataclass(frozen=True)
class Asking:
    """A task's test split."""

    ask: Callable[[Runner, Samples, Advance], AnyEvaluation]
    """Asks a file about every example; the function is told the finished share, 0...1."""
    load: Callable[[Path], AnyEvaluation]
    """Reads what was answered before."""


def asking(
    recipe: AnyRecipe, dataset_folder: Path, blocked: BlockedItems = NOTHING_BLOCKED
) -> Asking:
    """Return how files are asked.

    Args:
        recipe: Its task decides.
        dataset_folder: Of the finished stage.
        blocked: Next-item: what no answer may hold.
    """
    if isinstance(recipe, NextItemRecipe):
        return Asking(_ask_histories(dataset_folder, blocked), Evaluation.load)
    return Asking(_ask_texts(dataset_folder, recipe.task), TextEvaluation.load)


def _ask_histories(
    folder: Path, blocked: BlockedItems
) -> Callable[[Runner, Samples, Advance], Evaluation]:
    from compress.data.dataset import Dataset

    dataset = Dataset.open(folder)
    cases = dataset.cases("test")
    seen = dataset.seen(cases)

    def ask(runner: Runner, samples: Samples, advance: Advance) -> Evaluation:
        advance(0.0)
        return evaluate(
            runner,
            None,
            samples=samples,
            targets=cases.targets,
            seen=seen,
            items=dataset.items,
            batch_size=1,
            blocked=blocked,
            name="A file in the browser",
        )

    return ask


def _ask_texts(
    folder: Path, task: TextLabel | TextPair
) -> Callable[[Runner, Samples, Advance], TextEvaluation]:
    from compress.data.text_dataset import TextDataset
    from compress.tasks.text_task import Truth

    dataset = TextDataset.open(folder)
    truth = Truth.of(dataset, task, "test")

    def ask(runner: Runner, samples: Samples, advance: Advance) -> TextEvaluation:
        return evaluate_texts(
            runner,
            samples=samples,
            truth=truth,
            classes=dataset.classes,
            batch_size=1,
            progress=advance,
        )

    return ask
