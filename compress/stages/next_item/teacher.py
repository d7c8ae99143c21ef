"""Stages of the teacher: train it, hold it against the baselines, write down its answers."""

from pathlib import Path
from typing import TYPE_CHECKING

from compress.errors import UserError
from compress.recipe import NextItemRecipe
from compress.stage import Stage, StageContext
from compress.stages.next_item.dataset import TEXT_EMBEDDINGS
from compress.stages.teacher_gate import judge_teacher
from compress.stages.training_settings import (
    soft_label_temperatures,
    training_settings,
    use_threads,
)
from compress.stages.validation_record import write_validation

if TYPE_CHECKING:
    from torch import Tensor

    from compress.teachers.ensemble import Ensemble


def train_teacher(context: StageContext[NextItemRecipe]) -> None:
    """Train every member of the teacher; one that is already there is kept."""
    import numpy as np
    import torch

    from compress.data.dataset import Dataset
    from compress.distill.losses import LabelLoss, WeightedLoss
    from compress.distill.next_item_objective import NextItemObjective
    from compress.distill.training import discard_checkpoints, train
    from compress.distill.validation import ValidationSet
    from compress.saved_model import is_saved, save_model

    recipe = context.recipe
    use_threads(recipe)
    dataset = Dataset.open(context.inputs["dataset"])
    length = recipe.task.history_length
    windows = dataset.windows(length)
    validation = ValidationSet.of(dataset, length)
    embeddings = torch.from_numpy(np.load(context.inputs["item-texts"] / TEXT_EMBEDDINGS))
    for number, folder in enumerate(member_folders(recipe, context.folder), start=1):
        if is_saved(folder):
            discard_checkpoints(folder)
            continue
        seed = recipe.seed * 1000 + number
        torch.manual_seed(seed)
        network = recipe.teacher.build(
            items=dataset.items, history_length=length, text_embeddings=embeddings
        )
        train(
            network,
            objective=NextItemObjective(
                windows,
                validation,
                [WeightedLoss(1.0, LabelLoss())],
                mask_seen=recipe.task.mask_seen,
            ),
            settings=recipe.teacher.training,
            logs=recipe.logging,
            seed=seed,
            folder=folder,
            log_folder=context.logs / folder.name,
            progress=context.progress,
            title=f"member {number} of {recipe.teacher.members}",
        )
        save_model(folder, network, recipe.teacher, dataset.items, length)
        discard_checkpoints(folder)
    ensemble = _ensemble(recipe, context.folder)
    with torch.inference_mode():
        value = validation.mean_ndcg(
            lambda histories: ensemble.log_probabilities(torch.from_numpy(histories)).numpy()
        )
    write_validation(context.folder, {"teacher": value})


def check_teacher(context: StageContext[NextItemRecipe]) -> None:
    """Refuse a teacher that a training-free baseline beats; see `judge_teacher`."""
    judge_teacher(
        context,
        "Train it longer, make it wider or give it more members "
        "(teacher.training.epochs, teacher.width, teacher.members)",
    )


def compute_soft_labels(context: StageContext[NextItemRecipe]) -> None:
    """Ask the teacher once for every position of the training windows."""
    import torch

    from compress.data.dataset import Dataset
    from compress.distill.next_item_answers import PositionAnswers
    from compress.distill.soft_labels import layout, write_soft_labels
    from compress.tasks.next_item import hide_seen

    recipe = context.recipe
    use_threads(recipe)
    dataset = Dataset.open(context.inputs["dataset"])
    windows = dataset.windows(recipe.task.history_length)
    ensemble = _ensemble(recipe, context.inputs["teacher"])
    temperature = soft_label_temperatures(recipe)[0]
    plan = layout(windows.positions, dataset.items, recipe.distillation.top_k, temperature)
    if plan.top_k is not None and len(soft_label_temperatures(recipe)) > 1:
        raise UserError(
            f"distillation.losses name several temperatures, but soft labels of {dataset.items:,} "
            "items keep the tail for one. Give all losses the same temperature."
        )

    def log_probabilities(history: "Tensor", positions: "tuple[Tensor, Tensor]") -> "Tensor":
        answers = ensemble.position_log_probabilities(history, positions)
        if not recipe.task.mask_seen:
            return answers
        return torch.log_softmax(hide_seen(answers, history, positions), dim=-1)

    answers = PositionAnswers(windows, log_probabilities)
    with torch.inference_mode():
        write_soft_labels(
            context.folder,
            plan,
            answers,
            advance=lambda done: context.progress.advance(
                f"{plan.rows:,} positions, {plan.top_k or plan.items:,} classes each, "
                f"{plan.bytes / 1e6:,.0f} MB",
                done,
            ),
            batch=answers.batch_end,
        )


def member_folders(recipe: NextItemRecipe, teacher: Path) -> list[Path]:
    """Where the networks of a teacher are."""
    return [teacher / f"member-{number}" for number in range(1, recipe.teacher.members + 1)]


def _ensemble(recipe: NextItemRecipe, teacher: Path) -> "Ensemble":
    """Load every member, ready to answer."""
    from compress.saved_model import load_model
    from compress.teachers.ensemble import Ensemble

    members = [load_model(folder) for folder in member_folders(recipe, teacher)]
    ensemble = Ensemble(members, mask_seen=recipe.task.mask_seen)
    ensemble.cache_item_tables()
    return ensemble


def _teacher_settings(recipe: NextItemRecipe) -> object:
    section = recipe.teacher.model_dump(mode="json", exclude={"allow_weak_teacher"})
    return {**training_settings(recipe), "teacher": section}


def _soft_label_settings(recipe: NextItemRecipe) -> object:
    top_k = recipe.distillation.top_k
    temperature = soft_label_temperatures(recipe)[0]
    return {"top_k": top_k, "temperature": temperature, **training_settings(recipe)}


STAGES = (
    Stage(
        name="teacher",
        title="Train the teacher",
        needs=("dataset", "item-texts"),
        version=1,
        settings=_teacher_settings,
        work=train_teacher,
    ),
    Stage(
        name="teacher-check",
        title="Compare the teacher with the baselines",
        needs=("baselines", "teacher"),
        version=1,
        settings=lambda recipe: recipe.teacher.allow_weak_teacher,
        work=check_teacher,
    ),
    Stage(
        name="soft-labels",
        title="Write down the teacher's answers",
        needs=("dataset", "teacher"),
        after=("teacher-check",),
        version=1,
        settings=_soft_label_settings,
        work=compute_soft_labels,
    ),
)
