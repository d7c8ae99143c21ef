"""Stages of the teacher: fine-tune it or take it, hold it against counting, write its answers."""

from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np
from numpy.typing import NDArray

from compress.recipe import AnyTextRecipe
from compress.stage import Stage, StageContext
from compress.stages.teacher_gate import judge_teacher
from compress.stages.text.dataset import TOKENIZER, TRAIN
from compress.stages.text.training_settings import training_settings
from compress.stages.training_settings import use_threads
from compress.stages.validation_record import write_validation

if TYPE_CHECKING:
    from compress.data.pieces import Pieces
    from compress.recipe import Target
    from compress.teachers.text_baselines import TextBaseline

TEXTS_AT_ONCE = 2048
"""Sorted by length among themselves, so that little is padding."""
ROWS_AT_ONCE = 1024
"""Asked of a baseline, which is fast: all padded to the longest of them."""


def fit_baselines(context: StageContext[AnyTextRecipe]) -> None:
    """Fit the baselines on the teacher's pieces and measure them on the validation split."""
    from compress.data.text_dataset import TextDataset
    from compress.tasks.text_task import Truth
    from compress.teachers.text_baselines import fit_text_baselines
    from compress.tokenizers.tokenizer import PieceTokenizer

    dataset = TextDataset.open(context.inputs["dataset"])
    pieces = open_pieces(context.inputs["teacher-pieces"], TRAIN)
    validation = open_pieces(context.inputs["teacher-pieces"], "validation")
    truth = Truth.of(dataset, context.recipe.task, "validation")
    train = dataset.split("train")
    results = {}
    context.progress.advance("counting")
    tokenizer = PieceTokenizer.load(context.inputs["teacher-pieces"] / TOKENIZER)
    for name, fitted in fit_text_baselines(dataset, pieces, train.targets, tokenizer).items():
        fitted.save(context.folder / f"{name}.npz")
        results[name] = truth.metric(answers_in_parts(fitted, validation))
    write_validation(context.folder, results)


def answers_in_parts(baseline: "TextBaseline", pieces: "Pieces") -> NDArray[np.float32]:
    """Ask a baseline about all rows, `[N, outputs]`, a bounded number at once."""
    starts = range(0, len(pieces), ROWS_AT_ONCE)
    parts = (np.arange(start, min(start + ROWS_AT_ONCE, len(pieces))) for start in starts)
    return np.concatenate([baseline.answers(pieces.batch(rows)) for rows in parts])


def prepare_teacher(context: StageContext[AnyTextRecipe]) -> None:
    """Fine-tune the teacher, or check that it was fine-tuned for these classes already."""
    import torch

    from compress.data.text_dataset import TextDataset
    from compress.distill.losses import LabelLoss, WeightedLoss
    from compress.distill.text_objective import TextObjective
    from compress.distill.training import discard_checkpoints, train
    from compress.saved_text_model import is_saved, save_text_model
    from compress.tasks.text_task import Truth, class_weights
    from compress.teachers.hugging_face import load_teacher

    recipe, section = context.recipe, context.recipe.teacher
    use_threads(recipe)
    dataset = TextDataset.open(context.inputs["dataset"])
    truth = Truth.of(dataset, recipe.task, "validation")
    validation = open_pieces(context.inputs["teacher-pieces"], "validation")
    if not is_saved(context.folder):
        seed = recipe.seed * 1000
        torch.manual_seed(seed)
        model, tokenizer = load_teacher(
            section,
            context.recipe_folder,
            dataset.classes,
            dataset.target,
            max_length=recipe.task.max_length,
            announce=context.progress.say,
        )
        if section.train:
            targets = dataset.split("train").targets
            train(
                model,
                objective=TextObjective(
                    metric=recipe.task.metric,
                    target=dataset.target,
                    pieces=open_pieces(context.inputs["teacher-pieces"], TRAIN),
                    targets=targets,
                    rows=len(targets),
                    validation=validation,
                    score=lambda logits: truth.metric(_answers(logits, dataset.target)),
                    losses=[WeightedLoss(1.0, LabelLoss())],
                    class_weights=class_weights(recipe.task, dataset.classes, targets),
                    frozen_embeddings=section.frozen_embeddings,
                    frozen_layers=section.frozen_layers,
                    unfreeze_every=section.unfreeze_every,
                ),
                settings=section.training,
                logs=recipe.logging,
                seed=seed,
                folder=context.folder,
                log_folder=context.logs,
                progress=context.progress,
                title="fine-tuning",
            )
        save_text_model(context.folder, model, tokenizer, dataset.classes, dataset.target)
    discard_checkpoints(context.folder)
    answers = answer_all(context, context.folder, validation, dataset.target)
    write_validation(context.folder, {"teacher": truth.metric(answers)})


def check_teacher(context: StageContext[AnyTextRecipe]) -> None:
    """Refuse a teacher that counting beats; see `judge_teacher`."""
    judge_teacher(
        context,
        "Train it longer or freeze less of it (teacher.training.epochs, teacher.freeze)",
    )


def compute_soft_labels(context: StageContext[AnyTextRecipe]) -> None:
    """Ask the teacher once for every text that the student will learn from.

    In the precision that it was trained in: soft labels are kept in 16 bits anyhow.
    """
    import torch

    from compress.distill.soft_labels import layout, write_soft_labels
    from compress.distill.text_answers import text_logits
    from compress.saved_text_model import load_text_model

    recipe = context.recipe
    use_threads(recipe)
    pieces = open_pieces(context.inputs["teacher-pieces"], TRAIN)
    model = load_text_model(context.inputs["teacher"]).model
    plan = layout(len(pieces), model.outputs, top_k=model.outputs, temperature=1.0)  # all of them

    def answers(start: int, stop: int) -> torch.Tensor:
        rows = np.arange(start, stop)
        precision = recipe.teacher.training.precision
        return torch.from_numpy(text_logits(model, pieces, rows, precision=precision))

    write_soft_labels(
        context.folder,
        plan,
        answers,
        batch=TEXTS_AT_ONCE,
        advance=lambda done: context.progress.advance(
            f"{plan.rows:,} texts, {plan.items} answers each", done
        ),
    )


def open_pieces(folder: Path, name: str) -> "Pieces":
    """Open the pieces that a stage cut, with the padding of its tokenizer."""
    from compress.data.pieces import Pieces
    from compress.tokenizers.tokenizer import PieceTokenizer

    return Pieces.open(folder, name, PieceTokenizer.load(folder / TOKENIZER).padding_id)


def answer_all(
    context: StageContext[AnyTextRecipe], model_folder: Path, pieces: "Pieces", target: "Target"
) -> NDArray[np.float32]:
    """Ask a saved model about all rows, `[N, outputs]`; see `compress.tasks.text_task`."""
    from compress.distill.text_answers import text_logits
    from compress.saved_text_model import load_text_model

    logits = text_logits(
        load_text_model(model_folder).model,
        pieces,
        np.arange(len(pieces)),
        advance=lambda done: context.progress.advance(f"{len(pieces):,} texts answered", done),
    )
    return _answers(logits, target)


def _answers(logits: NDArray[np.float32], target: "Target") -> NDArray[np.float32]:
    from compress.tasks.text_task import answers_of

    return answers_of(logits, target)


def _teacher_settings(recipe: AnyTextRecipe) -> object:
    section = recipe.teacher.model_dump(mode="json", exclude={"allow_weak_teacher", "model"})
    return {**training_settings(recipe), "teacher": section if recipe.teacher.train else None}


STAGES: tuple[Stage[AnyTextRecipe], ...] = (
    Stage(
        name="baselines",
        title="Fit the baselines",
        needs=("dataset", "teacher-pieces"),
        version=1,
        settings=lambda recipe: None,
        work=fit_baselines,
    ),
    Stage(
        name="teacher",
        title="Fine-tune the teacher, or take it as it is",
        needs=("dataset", "teacher-pieces"),
        version=1,
        settings=_teacher_settings,
        work=prepare_teacher,
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
        needs=("teacher-pieces", "teacher"),
        after=("teacher-check",),
        version=1,
        settings=lambda recipe: recipe.teacher.training.precision,
        work=compute_soft_labels,
    ),
)
