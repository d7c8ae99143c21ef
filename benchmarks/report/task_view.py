"""What a report says of each task: names, columns and sentences, in one place."""

from collections.abc import Collection
from dataclasses import dataclass
from typing import Literal

from compress.metrics import metric_name
from compress.recipe import NextItem, TextLabel, TextPair

FidelityMeasure = Literal["overlap@10", "agreement"]

LOWER_IS_BETTER = frozenset({"calibration_error"})
_MAIN_COLUMNS = 3


def metric_heading(metric: str) -> str:
    """Return a metric's name as the heading of a column."""
    name = metric_name(metric)
    return name[0].upper() + name[1:]


@dataclass(frozen=True)
class TaskView:
    """How the report of one task reads."""

    metric: str
    """What models are compared by: the task's own."""
    further_metrics: tuple[str, ...]
    """What stands beside it, best first; a report shows the first that it has."""
    examples: str
    """What the test split is made of."""
    quality: str
    """Heading of the quality columns."""
    fidelity_measure: FidelityMeasure
    fidelity: str
    """Heading of the fidelity columns."""
    fidelity_in_terminal: str
    answer: str
    """What a file's largest difference is a difference of."""
    all_metrics: str
    """Title of the table of all metrics."""

    def main_metrics(self, measured: Collection[str]) -> tuple[str, ...]:
        """Return the few metrics of the main table, the task's own first.

        Args:
            measured: Those that there are.
        """
        beside = [one for one in self.further_metrics if one in measured]
        return (self.metric, *beside)[:_MAIN_COLUMNS]


_VIEWS = {
    "next-item": TaskView(
        metric=NextItem.metric,
        further_metrics=("hit@10", "mrr@10"),
        examples="cases",
        quality="Quality, masked",
        fidelity_measure="overlap@10",
        fidelity="Top 10 shared",
        fidelity_in_terminal="overlap with\nteacher",
        answer="score",
        all_metrics="All ranking metrics, masked and unmasked",
    ),
    "text-label": TaskView(
        metric=TextLabel.metric,
        further_metrics=("accuracy", "top5_accuracy", "micro_f1"),
        examples="texts",
        quality="Quality",
        fidelity_measure="agreement",
        fidelity="Same answer as",
        fidelity_in_terminal="same answer\nas teacher",
        answer="probability",
        all_metrics="All metrics",
    ),
    "text-pair": TaskView(
        metric=TextPair.metric,
        further_metrics=("mrr@10", "spearman", "accuracy"),
        examples="pairs",
        quality="Quality",
        fidelity_measure="agreement",
        fidelity="Agreement with",
        fidelity_in_terminal="agreement\nwith teacher",
        answer="probability or score",
        all_metrics="All metrics",
    ),
}


def task_view(task: str) -> TaskView:
    """Return how the report of a task reads.

    Args:
        task: The task's kind, `recipe.task.kind`.

    Raises:
        KeyError: There is no such task.
    """
    return _VIEWS[task]
