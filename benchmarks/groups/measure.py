"""Every model held against the teacher, group by group: what they answered in, figures out."""

import math
from collections.abc import Sequence
from typing import Literal

import numpy as np
from numpy.typing import NDArray

from benchmarks.groups.by_group import MINIMUM_FINDS, ByGroup
from benchmarks.groups.data import ColumnData, GroupsData
from benchmarks.groups.exposure import Training, exposure
from benchmarks.groups.model import Model
from benchmarks.resampling import Resampling
from compress.data.grouping import Grouping
from compress.metrics import CONFIDENCE, POPULARITY_GROUPS, popularity_groups
from compress.recipe.groups import POPULARITY
from compress.tasks.item_codes import FIRST_ITEM

_DEALS = 20
"""Least p of a permutation test, as a part of the level that it is held against."""


def measure_groups(
    models: Sequence[Model],
    users: Sequence[Grouping],
    targets: NDArray[np.int32],
    training: Training,
    *,
    metric: str,
    minimum_cases: int,
    resampling: Resampling,
) -> GroupsData:
    """Hold every model against the teacher.

    Intervals of quality resample all cases, with the draws of the report's other figures: groups
    are as large as they would be among other users, and equal draws pair the models.

    Args:
        models: The teacher first; all asked about the same N cases.
        users: Groups of the cases, by each column.
        targets: `[N]` item codes.
        training: What popularity is counted from.
        metric: A key of `Evaluation.values`.
        minimum_cases: A smaller group is shown, and not judged by.
        resampling: Behind the intervals.

    Raises:
        ValueError: The first model is not the teacher, or there is no case.
    """
    if not models or models[0].role != "teacher":
        raise ValueError("groups are compared with the teacher's: it comes first")
    popularity = popularity_groups(training.events)
    of_targets = popularity[targets.astype(np.int64) - FIRST_ITEM]
    by_target = Grouping(POPULARITY, POPULARITY_GROUPS, of_targets)
    values = np.stack([model.evaluation.values()[metric] for model in models])
    # Two tests a column, quality and kept quality, and an error in 5% over all of them.
    level = (1.0 - CONFIDENCE) / (2 * (len(users) + 1))
    deals = max(resampling.resamples, math.ceil(_DEALS / level))

    def column(grouping: Grouping, of: Literal["users", "items"]) -> ColumnData:
        by_group = ByGroup(grouping, values, minimum_cases, resampling, deals)
        return by_group.column(of, models)

    columns = [*(column(one, "users") for one in users), column(by_target, "items")]
    return GroupsData(
        metric=metric,
        minimum_cases=minimum_cases,
        minimum_finds=MINIMUM_FINDS,
        level=level,
        cases=len(targets),
        columns=tuple(columns),
        exposure=exposure(models, popularity, of_targets, training, resampling),
    )
