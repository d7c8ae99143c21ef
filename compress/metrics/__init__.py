"""How good a model's answers are, and how sure we are of it.

Arrays in, arrays out; no files, clocks or models.
"""

from compress.metrics.classification import (
    ClassFigures,
    classification_statistics,
    multi_label_statistics,
    per_class_table,
)
from compress.metrics.exposure import (
    POPULARITY_GROUPS,
    Shown,
    gini,
    popularity_groups,
    self_information,
    shown_statistics,
)
from compress.metrics.groups import GroupSums, gap_by_chance, groups_differ
from compress.metrics.intervals import (
    CONFIDENCE,
    Interval,
    Statistic,
    bootstrap,
    mean_statistic,
    paired_difference,
    ratio_interval,
)
from compress.metrics.jackknife import jackknife
from compress.metrics.names import metric_name
from compress.metrics.ranking import (
    CUTOFFS,
    NOT_FOUND,
    coverage,
    drop_seen,
    ranking_metrics,
    target_ranks,
    top_k_overlap,
)
from compress.metrics.relevance import relevance_statistics

__all__ = [
    "CONFIDENCE",
    "CUTOFFS",
    "ClassFigures",
    "GroupSums",
    "Interval",
    "NOT_FOUND",
    "POPULARITY_GROUPS",
    "Shown",
    "Statistic",
    "bootstrap",
    "classification_statistics",
    "coverage",
    "drop_seen",
    "gap_by_chance",
    "gini",
    "groups_differ",
    "jackknife",
    "mean_statistic",
    "metric_name",
    "multi_label_statistics",
    "paired_difference",
    "per_class_table",
    "popularity_groups",
    "ranking_metrics",
    "ratio_interval",
    "relevance_statistics",
    "self_information",
    "shown_statistics",
    "target_ranks",
    "top_k_overlap",
]
