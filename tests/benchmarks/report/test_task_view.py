import pytest

from benchmarks.report.task_view import metric_heading, task_view
from compress.metrics import metric_name
from compress.recipe import RECIPES


@pytest.mark.parametrize(
    ("metric", "name", "heading"),
    [
        ("ndcg@10", "NDCG@10", "NDCG@10"),
        ("mrr@20", "MRR@20", "MRR@20"),
        ("macro_f1", "macro-F1", "Macro-F1"),
        ("macro_precision", "macro precision", "Macro precision"),
        ("top5_accuracy", "top-5 accuracy", "Top-5 accuracy"),
        ("coverage@10", "coverage@10", "Coverage@10"),
    ],
)
def test_metrics_have_the_names_of_the_field(metric, name, heading):
    assert (metric_name(metric), metric_heading(metric)) == (name, heading)


def test_every_task_has_a_view_with_its_own_metric():
    for kind, recipe in RECIPES.items():
        assert task_view(kind).metric == recipe.model_fields["task"].annotation.metric


@pytest.mark.parametrize(
    ("task", "measured", "shown"),
    [
        ("next-item", {"ndcg@10", "hit@10", "mrr@10"}, ("ndcg@10", "hit@10", "mrr@10")),
        (
            "text-label",
            {"macro_f1", "accuracy", "micro_f1", "top5_accuracy"},
            ("macro_f1", "accuracy", "top5_accuracy"),
        ),
        # Several classes a text: there is no top 5.
        (
            "text-label",
            {"macro_f1", "accuracy", "micro_f1"},
            ("macro_f1", "accuracy", "micro_f1"),
        ),
        ("text-pair", {"ndcg@10", "mrr@10", "spearman"}, ("ndcg@10", "mrr@10", "spearman")),
    ],
)
def test_the_main_table_has_three_metrics_the_tasks_own_first(task, measured, shown):
    assert task_view(task).main_metrics(measured) == shown
