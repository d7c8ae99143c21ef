"""Answers of a teacher, a student and a file to cases of two groups, known by construction."""

import numpy as np
from numpy.typing import NDArray

from benchmarks.groups.data import GroupsData
from benchmarks.groups.exposure import Training
from benchmarks.groups.measure import measure_groups
from benchmarks.groups.model import Model
from benchmarks.quality import Evaluation
from benchmarks.resampling import Resampling
from compress.data.grouping import Grouping
from compress.metrics import target_ranks

CASES, ITEMS = 120, 40
FILE = "export/student.onnx"
AREA = Grouping("area", ("north", "south", "unknown"), np.repeat([0, 1, 2], [60, 50, 10]))
TARGETS = (np.arange(CASES) % ITEMS + 2).astype(np.int32)
EVENTS = np.array([100] * 4 + [20] * 16 + [5] * 20)
TRAINING = Training(events=EVENTS, item_users=EVENTS, users=100)


def model(name: str, role: str, found: NDArray[np.bool_], path: str | None = None) -> Model:
    """A model that ranks the target first in the cases of `found`, and nowhere in the others."""
    first = np.where(found, TARGETS, (TARGETS - 2 + 1) % ITEMS + 2)
    others = [(TARGETS - 2 + step) % ITEMS + 2 for step in range(2, 21)]
    top = np.column_stack([first, *others]).astype(np.int32)
    return Model(name, role, path, Evaluation(top, target_ranks(top, TARGETS), None, ITEMS))


def models(path: str = FILE) -> list[Model]:
    """The teacher finds half of both groups; the student as many, its file none in the south."""
    half = np.arange(CASES) % 2 == 0
    return [
        model("teacher", "teacher", half),
        model("student", "student", ~half),
        model("onnx fp32", "artifact", half & (AREA.codes != 1), path),
    ]


def groups_data(
    minimum_cases: int = 30, resamples: int = 200, path: str = FILE, grouping: Grouping = AREA
) -> GroupsData:
    """What is measured of them."""
    return measure_groups(
        models(path),
        [grouping],
        TARGETS,
        TRAINING,
        metric="ndcg@10",
        minimum_cases=minimum_cases,
        resampling=Resampling(resamples, 1),
    )
