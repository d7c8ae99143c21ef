"""Stages of the student: with its teacher and, for comparison, without."""

from typing import Any

from compress.recipe import NextItemRecipe, TransformerStudent
from compress.stage import Stage, StageContext
from compress.stages.training_settings import training_settings, use_threads
from compress.stages.validation_record import VALIDATION, write_validation


def train_student(context: StageContext[NextItemRecipe]) -> None:
    """Train the student on the teacher's soft labels and the true items."""
    from compress.distill.losses import WeightedLoss
    from compress.distill.soft_labels import SoftLabels

    losses = [
        WeightedLoss(loss.weight, loss.build()) for loss in context.recipe.distillation.losses
    ]
    _train_student(
        context, context.recipe.student, losses, SoftLabels(context.inputs["soft-labels"])
    )


def train_student_without_teacher(context: StageContext[NextItemRecipe]) -> None:
    """Train the same student on the true items alone: what distillation is compared with."""
    from compress.distill.losses import LabelLoss, WeightedLoss

    _train_student(context, _plain_student(context.recipe), [WeightedLoss(1.0, LabelLoss())], None)


def _plain_student(recipe: NextItemRecipe) -> TransformerStudent:
    """The student section with the dropout that it has without a teacher."""
    dropout = recipe.student.dropout_without_teacher
    return recipe.student.model_copy(update={} if dropout is None else {"dropout": dropout})


def _train_student(
    context: StageContext[NextItemRecipe],
    section: TransformerStudent,
    losses: list[Any],
    soft_labels: Any,
) -> None:
    import torch

    from compress.data.dataset import Dataset
    from compress.distill.next_item_objective import NextItemObjective
    from compress.distill.training import discard_checkpoints, train
    from compress.distill.validation import ValidationSet
    from compress.saved_model import is_saved, save_model

    if is_saved(context.folder) and (context.folder / VALIDATION).is_file():
        discard_checkpoints(context.folder)  # killed after its last file
        return
    recipe = context.recipe
    use_threads(recipe)
    dataset = Dataset.open(context.inputs["dataset"])
    length = recipe.task.history_length
    seed = recipe.seed * 1000
    torch.manual_seed(seed)
    network = section.build(items=dataset.items, history_length=length)
    curve = train(
        network,
        objective=NextItemObjective(
            dataset.windows(length),
            ValidationSet.of(dataset, length),
            losses,
            soft_labels,
            mask_seen=recipe.task.mask_seen,
        ),
        settings=section.training,
        logs=recipe.logging,
        seed=seed,
        folder=context.folder,
        log_folder=context.logs,
        progress=context.progress,
        title="on soft labels" if soft_labels is not None else "on the items alone",
    )
    save_model(context.folder, network, section, dataset.items, length)
    write_validation(
        context.folder,
        {"student": max(epoch["validation_ndcg@10"] for epoch in curve)},
    )
    discard_checkpoints(context.folder)


def _student_settings(recipe: NextItemRecipe) -> object:
    losses = [loss.model_dump(mode="json") for loss in recipe.distillation.losses]
    return {
        **training_settings(recipe),
        "student": _student_section(recipe.student),
        "losses": losses,
    }


def _plain_student_settings(recipe: NextItemRecipe) -> object:
    return {**training_settings(recipe), "student": _student_section(_plain_student(recipe))}


def _student_section(section: TransformerStudent) -> object:
    return section.model_dump(mode="json", exclude={"dropout_without_teacher"})


STAGES = (
    Stage(
        name="student",
        title="Train the student on them",
        needs=("dataset", "soft-labels"),
        version=1,
        settings=_student_settings,
        work=train_student,
    ),
    Stage(
        name="student-without-teacher",
        title="Train the same student without a teacher",
        needs=("dataset",),
        version=1,
        settings=_plain_student_settings,
        work=train_student_without_teacher,
    ),
)
