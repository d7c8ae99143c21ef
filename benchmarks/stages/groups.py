"""The stage that compares quality by group, from what every row has answered already."""

from pathlib import Path
from typing import TYPE_CHECKING

from compress.files import write_atomically
from compress.recipe import NextItemRecipe
from compress.stage import Stage, StageContext

if TYPE_CHECKING:
    from benchmarks.groups.data import GroupsData, ModelRole
    from benchmarks.groups.model import Model

NAME = "groups"
FILE = "groups.json"
"""A `benchmarks.groups.data.GroupsData`."""


def compare_groups(context: StageContext[NextItemRecipe]) -> None:
    """Write quality by group and exposure of items, of teacher, student and measured files."""
    from benchmarks.groups.exposure import Training
    from benchmarks.groups.measure import measure_groups
    from benchmarks.resampling import Resampling
    from compress.data.dataset import Dataset
    from compress.stages.next_item.user_groups import read_user_groups

    recipe, inputs = context.recipe, context.inputs
    dataset = Dataset.open(inputs["dataset"])
    cases = dataset.cases("test")
    groupings = read_user_groups(inputs["user-groups"]).groupings
    context.progress.advance(f"{len(cases):,} test cases")
    found = measure_groups(
        models_of(inputs["export"], inputs["quality"]),
        [grouping.of(cases.users) for grouping in groupings],
        cases.targets,
        Training.of(*dataset.training_sequences(), dataset.items),
        metric=recipe.task.metric,
        minimum_cases=recipe.groups.minimum_cases,
        resampling=Resampling(recipe.benchmark.bootstrap, recipe.seed),
    )
    write_atomically(context.folder / FILE, found.model_dump_json(indent=1))


def read_groups(folder: Path) -> "GroupsData":
    """Return what the stage found.

    Args:
        folder: Of the finished stage.
    """
    from benchmarks.groups.data import GroupsData

    return GroupsData.model_validate_json((folder / FILE).read_text(encoding="utf-8"))


def models_of(export_folder: Path, quality_folder: Path) -> list["Model"]:
    """Teacher, student and every measured file, in this order.

    Args:
        export_folder: Of the finished stage: which rows there are.
        quality_folder: Of the finished stage: what they answered.
    """
    from benchmarks.groups.model import Model
    from benchmarks.quality import Evaluation
    from benchmarks.stages.subjects import subjects

    order: tuple[ModelRole, ...] = ("teacher", "student", "artifact")
    rows = [row for row in subjects(export_folder) if row.role in order]
    return [
        Model(
            name=row.name,
            role=role,
            path=None if row.artifact is None else f"export/{row.path}",
            evaluation=Evaluation.load(file),
        )
        for role in order
        for row in rows
        if row.role == role and (file := quality_folder / f"{row.slug}.npz").is_file()
    ]


GROUPS = Stage(
    name=NAME,
    title="Compare quality by group",
    needs=("dataset", "user-groups", "export", "quality"),
    version=2,
    settings=lambda recipe: [
        recipe.groups.minimum_cases,
        recipe.benchmark.bootstrap,
        recipe.seed,
    ],
    work=compare_groups,
    keep_partial=False,
)
