"""Stages of the student: with its teacher and, for comparison, without."""

from typing import TYPE_CHECKING, Any

import numpy as np

from compress.recipe import AnyTextRecipe, AnyTextStudent
from compress.stage import Stage, StageContext
from compress.stages.text.dataset import TOKENIZER, TRAIN
from compress.stages.text.teacher import answer_all, open_pieces
from compress.stages.text.training_settings import training_settings
from compress.stages.training_settings import use_threads
from compress.stages.validation_record import VALIDATION, write_validation

if TYPE_CHECKING:
    from compress.distill.soft_labels import SoftLabels


def train_student(context: StageContext[AnyTextRecipe]) -> None:
    """Train the student on the teacher's soft labels, the true labels, and its features."""
    from compress.distill.soft_labels import SoftLabels

    soft_labels = SoftLabels(context.inputs["soft-labels"])
    _train_student(context, context.recipe.student, soft_labels)


def train_student_without_teacher(context: StageContext[AnyTextRecipe]) -> None:
    """Train the same student, from the same start, on the true labels alone.

    It is what distillation is compared with: the start may be the teacher's, too, so that the
    difference is what the teacher's answers were worth.
    """
    _train_student(context, _plain_student(context.recipe), None)


def _plain_student(recipe: AnyTextRecipe) -> AnyTextStudent:
    """The student section with the dropout that it has without a teacher."""
    dropout = recipe.student.dropout_without_teacher
    return recipe.student.model_copy(update={} if dropout is None else {"dropout": dropout})


def _train_student(
    context: StageContext[AnyTextRecipe],
    section: AnyTextStudent,
    soft_labels: "SoftLabels | None",
) -> None:
    import torch

    from compress.data.text_dataset import TextDataset
    from compress.distill.text_objective import TextObjective
    from compress.distill.training import discard_checkpoints, train
    from compress.saved_text_model import is_saved, load_text_model, save_text_model
    from compress.students.initialise import initialise
    from compress.tasks.text_task import Truth, answers_of, class_weights
    from compress.tokenizers.tokenizer import PieceTokenizer
    from compress.tokenizers.vocabulary_map import VocabularyMap

    recipe = context.recipe
    if is_saved(context.folder) and (context.folder / VALIDATION).is_file():
        discard_checkpoints(context.folder)  # killed after its last file
        return
    use_threads(recipe)
    dataset = TextDataset.open(context.inputs["dataset"])
    truth = Truth.of(dataset, recipe.task, "validation")
    cut = context.inputs["student-pieces"]
    tokenizer = PieceTokenizer.load(cut / TOKENIZER)
    validation = open_pieces(cut, "validation")
    pieces = open_pieces(cut, TRAIN)
    targets = dataset.split("train").targets
    saved_teacher = load_text_model(context.inputs["teacher"])
    teacher = saved_teacher.model
    vocabulary = VocabularyMap.between(
        tokenizer, saved_teacher.tokenizer, np.zeros(tokenizer.pieces, np.int64)
    )
    seed = recipe.seed * 1000
    torch.manual_seed(seed)
    network = section.build(
        pieces=tokenizer.pieces,
        outputs=dataset.outputs,
        max_length=recipe.task.max_length,
        padding_id=tokenizer.padding_id,
    )
    for taken_over in initialise(network, teacher, section.initialise, vocabulary):
        context.progress.say(taken_over)
    reads_features = soft_labels is not None and recipe.distillation.reads_features
    train(
        network,
        objective=TextObjective(
            metric=recipe.task.metric,
            target=dataset.target,
            pieces=pieces,
            targets=targets,
            rows=len(targets) if soft_labels is None else len(pieces),
            validation=validation,
            score=lambda logits: truth.metric(answers_of(logits, dataset.target)),
            losses=_losses(recipe, network, teacher, alone=soft_labels is None),
            soft_labels=soft_labels,
            class_weights=class_weights(recipe.task, dataset.classes, targets),
            teacher=teacher if reads_features else None,
            teacher_ids=vocabulary.teacher_ids,
        ),
        settings=section.training,
        logs=recipe.logging,
        seed=seed,
        folder=context.folder,
        log_folder=context.logs,
        progress=context.progress,
        title="on soft labels" if soft_labels is not None else "on the labels alone",
    )
    save_text_model(
        context.folder, network, tokenizer, dataset.classes, dataset.target, section=section
    )
    answers = answer_all(context, context.folder, validation, dataset.target)
    write_validation(context.folder, {"student": truth.metric(answers)})
    discard_checkpoints(context.folder)


def _losses(recipe: AnyTextRecipe, network: Any, teacher: Any, *, alone: bool) -> list[Any]:
    from compress.distill.feature_losses import FeatureShape
    from compress.distill.losses import LabelLoss, WeightedLoss
    from compress.recipe import FEATURE_LOSSES

    if alone:
        return [WeightedLoss(1.0, LabelLoss())]
    shapes = {}
    if recipe.distillation.reads_features:
        shapes = {"student": FeatureShape.of(network), "teacher": FeatureShape.of(teacher)}
    return [
        WeightedLoss(loss.weight, loss.build(**shapes if isinstance(loss, FEATURE_LOSSES) else {}))
        for loss in recipe.distillation.losses
    ]


def _student_settings(recipe: AnyTextRecipe) -> object:
    losses = [loss.model_dump(mode="json") for loss in recipe.distillation.losses]
    return {
        **training_settings(recipe),
        "student": _student_section(recipe.student),
        "losses": losses,
    }


def _plain_student_settings(recipe: AnyTextRecipe) -> object:
    return {**training_settings(recipe), "student": _student_section(_plain_student(recipe))}


def _student_section(section: AnyTextStudent) -> object:
    return section.model_dump(mode="json", exclude={"dropout_without_teacher", "tokenizer"})


STAGES: tuple[Stage[AnyTextRecipe], ...] = (
    Stage(
        name="student",
        title="Train the student on them",
        needs=("dataset", "student-pieces", "teacher", "soft-labels"),
        version=1,
        settings=_student_settings,
        work=train_student,
    ),
    Stage(
        name="student-without-teacher",
        title="Train the same student without a teacher",
        needs=("dataset", "student-pieces", "teacher"),
        version=1,
        settings=_plain_student_settings,
        work=train_student_without_teacher,
    ),
)
