"""The stage that writes a text student's files: emit, verify, and describe the rows beside them."""

import json
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np

from compress.errors import UserError
from compress.files import file_sha256, write_atomically
from compress.recipe import AnyTextRecipe, OnnxText, TextLabel, content_hash
from compress.run import Stage, StageContext
from compress.stages.text.dataset import TOKENIZER
from compress.stages.text.teacher import open_pieces
from export.artifact import Artifact
from export.rows import SAMPLES, RowFiles, write_artifacts, write_rows
from export.verification import Check

if TYPE_CHECKING:
    from compress.data.text_dataset import TextDataset
    from export.samples import Samples
    from export.signature import Signature
    from export.text_verification import TextReference, TextTolerance

CLASSES = "classes.json"
TEACHER_PIECES = "teacher-pieces.npz"
STUDENT_PIECES = "student-pieces.npz"
TEXTS = "texts.npz"
"""The samples that rows are asked with: the test split, as each reads it."""


def export_models(context: StageContext[AnyTextRecipe]) -> None:
    """Write every file of the recipe, verify each, and describe the rows to compare them with."""
    from compress.data.text_dataset import TextDataset

    dataset = TextDataset.open(context.inputs["dataset"])
    _write_samples(context, dataset)
    tokenizer_sha256 = _write_tokenizer(context)
    classes_sha256 = _write_classes(context, dataset)
    rows = _describe_rows(context, dataset)
    signature = _signature(context.recipe, dataset, tokenizer_sha256, classes_sha256)
    artifacts = list(_Emission(context, dataset, signature).artifacts())
    write_rows(context.folder, rows)
    write_artifacts(context.folder, artifacts)


def _write_samples(context: StageContext[AnyTextRecipe], dataset: "TextDataset") -> None:
    from export.text_samples import piece_samples, text_samples

    (context.folder / SAMPLES).mkdir(exist_ok=True)
    for stage, name in (("teacher-pieces", TEACHER_PIECES), ("student-pieces", STUDENT_PIECES)):
        pieces = open_pieces(context.inputs[stage], "test")
        samples = piece_samples(pieces, is_pair=dataset.is_pair)
        samples.save(context.folder / SAMPLES / name)
    if context.recipe.export.text_input:
        examples = dataset.split("test")
        texts = text_samples(*examples.texts(np.arange(len(examples))))
        texts.save(context.folder / SAMPLES / TEXTS)


def _write_tokenizer(context: StageContext[AnyTextRecipe]) -> str:
    """Put the student's tokenizer beside the files; return the hash that they carry."""
    from compress.tokenizers.tokenizer import PieceTokenizer

    folder = context.folder / TOKENIZER
    PieceTokenizer.load(context.inputs["student-pieces"] / TOKENIZER).save(folder)
    return file_sha256(folder / "tokenizer.json")


def _write_classes(context: StageContext[AnyTextRecipe], dataset: "TextDataset") -> str:
    """Write which class each probability is of: the app's side of the contract."""
    task = context.recipe.task
    contract: dict[str, object] = {"target": dataset.target, "classes": dataset.classes}
    if isinstance(task, TextLabel) and task.multi_label:
        contract["threshold"] = task.threshold
    if dataset.gains is not None:
        contract["gains"] = dataset.gains
    sha256 = content_hash(contract)
    found = {"schema": 1, "classes_sha256": sha256, **contract}
    write_atomically(context.folder / CLASSES, json.dumps(found, ensure_ascii=False, indent=1))
    return sha256


def _describe_rows(context: StageContext[AnyTextRecipe], dataset: "TextDataset") -> list[RowFiles]:
    from compress.saved_text_model import served_bytes
    from compress.stages.validation_record import read_validation
    from export.baselines.emit_text import emit_text_baseline
    from export.pytorch.emit_text import emit_pytorch_text

    folder = context.folder / "rows"
    folder.mkdir(exist_ok=True)
    rows = []
    for name in read_validation(context.inputs["baselines"]):
        fitted, path = context.inputs["baselines"] / f"{name}.npz", f"rows/{name}.json"
        emit_text_baseline(
            context.folder / path, fitted, is_score=dataset.target == "score", gains=dataset.gains
        )
        size = fitted.stat().st_size
        rows.append(RowFiles(name, "baseline", "baseline-text", path, size, TEACHER_PIECES))
    for role, inputs in (
        ("teacher", TEACHER_PIECES),
        ("student", STUDENT_PIECES),
        ("student_without_teacher", STUDENT_PIECES),
    ):
        model, path = context.inputs[role.replace("_", "-")], f"rows/{role}.json"
        emit_pytorch_text(context.folder / path, model, dataset.gains)
        name = role.replace("_", " ")
        rows.append(RowFiles(name, role, "pytorch-text", path, served_bytes(model), inputs))
    return rows


def _signature(
    recipe: AnyTextRecipe, dataset: "TextDataset", tokenizer_sha256: str, classes_sha256: str
) -> "Signature":
    from export.signature import text_signature

    return text_signature(
        task=recipe.task.kind,
        target=dataset.target,
        classes=len(dataset.classes),
        max_length=recipe.task.max_length,
        is_pair=dataset.is_pair,
        has_gains=dataset.gains is not None,
        recipe_sha256=recipe.hash,
        tokenizer_sha256=tokenizer_sha256,
        classes_sha256=classes_sha256,
    )


@dataclass(frozen=True)
class _Emission:
    """Emitting and verifying, with what all files share."""

    context: StageContext[AnyTextRecipe]
    dataset: "TextDataset"
    signature: "Signature"

    def artifacts(self) -> Iterator[Artifact]:
        """Yield what was written, each file verified."""
        from export.text_verification import TOLERANCES

        export = self.context.recipe.export
        texts, reference = self._reference()
        for order, wanted in enumerate(export.artifacts):
            name = f"{wanted.format} {wanted.scheme}"
            self.context.progress.advance(name, order / len(export.artifacts))
            tolerance = TOLERANCES[wanted.scheme]
            path, answers, check = self._pieces_in(wanted, reference, tolerance)
            yield self._artifact(wanted, path, STUDENT_PIECES, check)
            if export.text_input and answers is not None:
                twin = self._text_in(
                    wanted,
                    path,
                    texts=texts,
                    answers=answers,
                    reference=reference,
                    tolerance=tolerance,
                )
                if twin is not None:
                    yield twin

    def _reference(self) -> "tuple[Samples, TextReference]":
        """Ask the PyTorch student, in fp32, about real texts and hard ones."""
        from compress.tokenizers.tokenizer import PieceTokenizer
        from export.pytorch.emit_text import emit_pytorch_text
        from export.pytorch.run_text import PyTorchTextRunner
        from export.text_samples import cut_samples, text_samples, verification_texts
        from export.text_verification import TextReference
        from export.verification import ask_one_by_one

        recipe, context = self.context.recipe, self.context
        lengths = open_pieces(context.inputs["student-pieces"], "validation").lengths
        examples = self.dataset.split("validation")
        max_length = recipe.task.max_length
        first, second = verification_texts(
            examples, lengths, recipe.export.verify_cases, max_length
        )
        tokenizer = PieceTokenizer.load(context.folder / TOKENIZER)
        samples = cut_samples(tokenizer, first, second, max_length)
        description = context.folder / "rows" / "student.json"
        emit_pytorch_text(description, context.inputs["student"], self.dataset.gains)
        with PyTorchTextRunner(description) as runner:
            answers = ask_one_by_one(runner, samples)
        threshold = recipe.task.threshold if isinstance(recipe.task, TextLabel) else 0.5
        gains = self.dataset.gains
        reference = TextReference(samples, answers, self.dataset.target, threshold, gains)
        return text_samples(first, second), reference

    def _pieces_in(
        self, wanted: OnnxText, reference: "TextReference", tolerance: "TextTolerance"
    ) -> tuple[str, Any, Check]:
        """Write the file that takes pieces; return its answers, None where it cannot be run."""
        from export.onnx.emit_text import emit_text_onnx
        from export.onnx.run import OnnxRunner
        from export.text_verification import compare
        from export.verification import ask_one_by_one

        path = f"student.{wanted.scheme}.onnx"
        emit_text_onnx(
            self.context.inputs["student"],
            self.signature,
            self.context.folder / path,
            scheme=wanted.scheme,
            preset=wanted.preset,
            gains=self.dataset.gains,
        )
        try:
            with OnnxRunner(self.context.folder / path) as runner:
                answers = ask_one_by_one(runner, reference.samples)
        except UserError as error:
            return path, None, Check.failed(f"it cannot be run: {error}")
        return path, answers, compare(answers, reference, tolerance)

    def _text_in(
        self,
        wanted: OnnxText,
        twin: str,
        *,
        texts: "Samples",
        answers: Any,
        reference: "TextReference",
        tolerance: "TextTolerance",
    ) -> Artifact | None:
        """Write the file that takes texts; None, with a word, where no operator can cut them."""
        from export.onnx.run import OnnxRunner
        from export.onnx.text_input import TextInputError, emit_text_input
        from export.text_verification import verify_text_input

        path = f"student.{wanted.scheme}.text.onnx"
        try:
            emit_text_input(
                self.context.folder / twin,
                self.context.folder / TOKENIZER,
                self.context.folder / path,
                signature=self.signature,
            )
        except TextInputError as error:
            self.context.progress.say(f"{path} is not written: {error}")
            return None
        try:
            with OnnxRunner(self.context.folder / path) as runner:
                check = verify_text_input(runner, texts, answers, reference, tolerance)
        except UserError as error:
            check = Check.failed(f"it cannot be run: {error}")
        return self._artifact(wanted, path, TEXTS, check)

    def _artifact(self, wanted: OnnxText, path: str, inputs: str, check: Check) -> Artifact:
        file: Path = self.context.folder / path
        return Artifact(
            path=path,
            inputs=inputs,
            format=wanted.format,
            scheme=wanted.scheme,
            target="onnxruntime-cpu",
            bytes=file.stat().st_size,
            sha256=file_sha256(file),
            check=check,
            takes_texts=inputs == TEXTS,
        )


def _settings(recipe: AnyTextRecipe) -> object:
    return {
        "export": recipe.export.model_dump(mode="json"),
        "task": recipe.task.model_dump(mode="json"),
        "recipe": recipe.hash,
    }


STAGES: tuple[Stage[AnyTextRecipe], ...] = (
    Stage(
        name="export",
        title="Write and verify the files",
        needs=(
            "dataset",
            "teacher-pieces",
            "student-pieces",
            "baselines",
            "teacher",
            "student",
            "student-without-teacher",
        ),
        version=1,
        settings=_settings,
        work=export_models,
        keep_partial=False,
    ),
)
