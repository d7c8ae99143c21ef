"""The stage that writes a text student's files: emit, verify, and describe the rows beside them."""

import json
from collections.abc import Iterator
from dataclasses import dataclass, replace
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import TYPE_CHECKING

import numpy as np

from compress.errors import UserError
from compress.files import file_sha256, tree_bytes, tree_sha256, write_atomically
from compress.recipe import AnyTextRecipe, ArtifactSection, TextLabel, content_hash
from compress.stage import Stage, StageContext
from compress.stages.text.dataset import TOKENIZER
from compress.stages.text.teacher import open_pieces
from export.artifact import Artifact, NotWritten
from export.formats import code_versions
from export.rows import SAMPLES, RowFiles, row_sha256, write_artifacts, write_rows
from export.verification import Check

if TYPE_CHECKING:
    from compress.data.text_dataset import TextDataset
    from export.samples import Samples
    from export.signature import Signature
    from export.text_verification import TextReference
    from export.verification_set import VerificationSet

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
    artifacts, not_written = _emit_artifacts(context, dataset, signature)
    write_rows(context.folder, rows)
    write_artifacts(context.folder, artifacts, not_written)


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
    from compress.saved_text_model import WEIGHTS, served_bytes
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
        sha256 = row_sha256([context.folder / path], [fitted])
        rows.append(RowFiles(name, "baseline", "baseline-text", path, size, TEACHER_PIECES, sha256))
    for role, inputs in (
        ("teacher", TEACHER_PIECES),
        ("student", STUDENT_PIECES),
        ("student_without_teacher", STUDENT_PIECES),
    ):
        model, path = context.inputs[role.replace("_", "-")], f"rows/{role}.json"
        emit_pytorch_text(context.folder / path, model, dataset.gains)
        name = role.replace("_", " ")
        size = served_bytes(model)
        sha256 = row_sha256([context.folder / path], [model / WEIGHTS])
        rows.append(RowFiles(name, role, "pytorch-text", path, size, inputs, sha256))
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


def _emit_artifacts(
    context: StageContext[AnyTextRecipe], dataset: "TextDataset", signature: "Signature"
) -> tuple[list[Artifact], list[NotWritten]]:
    from export.stages.emission import Emission, nothing_beside
    from export.text_source import text_source
    from export.verification_set import VERIFICATION, VerificationSet

    texts, reference = _reference(context, dataset)
    verification = VerificationSet.from_reference(reference, signature, texts)
    verification.save(context.folder / VERIFICATION)
    with TemporaryDirectory(prefix="limbeck-") as scratch:
        source = text_source(
            context.recipe, dataset, context.inputs["student"], Path(scratch), signature
        )
        beside = _TextInput(context, signature, verification)
        return Emission(
            context=context,
            source=source,
            verification=verification,
            inputs=STUDENT_PIECES,
            depends_on=("dataset", "student", "student-pieces"),
            beside=beside if context.recipe.export.text_input else nothing_beside,
        ).write_all()


def _reference(
    context: StageContext[AnyTextRecipe], dataset: "TextDataset"
) -> "tuple[Samples, TextReference]":
    """Ask the PyTorch student, in fp32, about real texts and hard ones."""
    from compress.tokenizers.tokenizer import PieceTokenizer
    from export.pytorch.run_text import PyTorchTextRunner
    from export.text_samples import cut_samples, text_samples, verification_texts
    from export.text_verification import TextReference
    from export.verification import ask_one_by_one

    recipe = context.recipe
    lengths = open_pieces(context.inputs["student-pieces"], "validation").lengths
    max_length = recipe.task.max_length
    first, second = verification_texts(
        dataset.split("validation"), lengths, recipe.export.verify_cases, max_length
    )
    tokenizer = PieceTokenizer.load(context.folder / TOKENIZER)
    samples = cut_samples(tokenizer, first, second, max_length)
    with PyTorchTextRunner(context.folder / "rows" / "student.json") as runner:
        answers = ask_one_by_one(runner, samples)
    threshold = recipe.task.threshold if isinstance(recipe.task, TextLabel) else 0.5
    reference = TextReference(samples, answers, dataset.target, threshold, dataset.gains)
    return text_samples(first, second), reference


@dataclass(frozen=True)
class _TextInput:
    """Writes, beside a file that takes pieces, the one that takes the text itself."""

    context: StageContext[AnyTextRecipe]
    signature: "Signature"
    verification: "VerificationSet"

    def __call__(self, wanted: ArtifactSection, twin: Artifact) -> Iterator[Artifact]:
        """Yield it; nothing, with a word, where no operator can cut the texts."""
        from export.onnx.text_input import TextInputError, emit_text_input
        from export.signature import text_input_signature

        if twin.check.agreement is None:
            return  # it cannot be run, so there is nothing to compare with
        folder = self.context.folder
        path = folder / f"student.{wanted.scheme}.text.onnx"
        try:
            emit_text_input(folder / twin.path, folder / TOKENIZER, path, signature=self.signature)
        except TextInputError as error:
            self.context.progress.say(f"{path.name} is not written: {error}")
            return
        yield replace(
            twin,
            name=f"{twin.name} text-in",
            path=path.name,
            inputs=TEXTS,
            bytes=tree_bytes(path),
            sha256=tree_sha256(path),
            check=self._check(wanted.scheme, folder / twin.path, path),
            signature=text_input_signature(self.signature).metadata(),
            takes_texts=True,
        )

    def _check(self, scheme: str, pieces_in: Path, text_in: Path) -> Check:
        """Hold it against the student, and against the file that takes pieces."""
        from export.onnx.run import OnnxRunner

        try:
            with OnnxRunner(pieces_in) as runner:
                answers = self.verification.ask(runner).answers
            with OnnxRunner(text_in) as runner:
                asked = self.verification.ask(runner, takes_texts=True)
        except UserError as error:
            return Check.failed(f"it cannot be run: {error}")
        return self.verification.compare(asked, scheme, twin=answers)


def _settings(recipe: AnyTextRecipe) -> object:
    return {
        "export": recipe.export.model_dump(mode="json"),
        "task": recipe.task.model_dump(mode="json"),
        "recipe": recipe.hash,
        "code": code_versions(recipe.export.artifacts),
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
        version=3,
        settings=_settings,
        work=export_models,
    ),
)
