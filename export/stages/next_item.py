"""The stage that writes the files: emit, verify, and keep what later stages compare with."""

import json
from dataclasses import replace
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import TYPE_CHECKING, Any, cast

import numpy as np
from numpy.typing import NDArray

from compress.files import write_atomically
from compress.recipe import NextItemRecipe
from compress.stage import Stage, StageContext
from compress.stages.next_item.teacher import member_folders
from export.artifact import Artifact, NotWritten
from export.blocked_items import (
    BLOCKED,
    ITEM_MAP,
    NOTHING_BLOCKED,
    BlockedItems,
    blocked_fingerprint,
    blocked_items,
)
from export.formats import code_versions
from export.rows import SAMPLES, RowFiles, row_sha256, write_artifacts, write_rows
from export.samples import Samples

if TYPE_CHECKING:
    from compress.data.dataset import Dataset
    from export.source import DeploySource
    from export.verification_set import VerificationSet

HISTORIES = "histories.npz"
"""The samples that every row is asked with: the histories of the test cases."""


def export_models(context: StageContext[NextItemRecipe]) -> None:
    """Write every file of the recipe, verify each, and describe the rows to compare them with."""
    from compress.data.dataset import Dataset

    dataset = Dataset.open(context.inputs["dataset"])
    blocked = blocked_items(context.recipe, context.recipe_folder, dataset.item_ids)
    rows = _describe_rows(context, blocked)
    _write_item_map(context, dataset, blocked)
    _write_samples(context, dataset)
    artifacts, not_written = _emit_artifacts(context, dataset, blocked)
    write_rows(context.folder, rows)
    write_artifacts(context.folder, artifacts, not_written)


def _describe_rows(context: StageContext[NextItemRecipe], blocked: BlockedItems) -> list[RowFiles]:
    from compress.saved_model import WEIGHTS, served_bytes
    from export.baselines.emit import BaselineKind, emit_baseline
    from export.pytorch.emit import emit_pytorch

    recipe, folder = context.recipe, context.folder / "rows"
    folder.mkdir(exist_ok=True)
    top_k = recipe.task.top_k
    rows = []
    kinds: tuple[BaselineKind, ...] = ("popularity", "co-occurrence")
    for kind in kinds:
        fitted = context.inputs["baselines"] / f"{kind}.npz"
        paths = _twins(f"rows/{kind}", "json")
        for path, mask in zip(paths, (recipe.task.mask_seen, False), strict=True):
            emit_baseline(
                context.folder / path,
                kind,
                fitted,
                top_k=top_k,
                mask_seen=mask,
                blocked=blocked.codes,
            )
        size = fitted.stat().st_size
        sha256 = row_sha256((context.folder / path for path in paths), [fitted])
        rows.append(
            RowFiles(kind, "baseline", "baseline", paths[0], size, HISTORIES, sha256, paths[1])
        )
    models = {
        "teacher": member_folders(recipe, context.inputs["teacher"]),
        "student": [context.inputs["student"]],
        "student_without_teacher": [context.inputs["student-without-teacher"]],
    }
    for role, members in models.items():
        paths = _twins(f"rows/{role}", "json")
        for path, mask in zip(paths, (recipe.task.mask_seen, False), strict=True):
            emit_pytorch(
                context.folder / path,
                members,
                top_k=top_k,
                mask_seen=mask,
                is_ensemble=role == "teacher",
                trained_on_unseen=recipe.task.mask_seen,
                blocked=blocked.codes,
            )
        size = sum(served_bytes(member) for member in members)
        name = role.replace("_", " ")
        sha256 = row_sha256(
            (context.folder / path for path in paths), (member / WEIGHTS for member in members)
        )
        rows.append(RowFiles(name, role, "pytorch", paths[0], size, HISTORIES, sha256, paths[1]))
    return rows


def _emit_artifacts(
    context: StageContext[NextItemRecipe], dataset: "Dataset", blocked: BlockedItems
) -> tuple[list[Artifact], list[NotWritten]]:
    from export.blocked_cases import blocked_cases
    from export.next_item_source import next_item_source
    from export.stages.emission import Emission
    from export.verification_set import VERIFICATION

    recipe, student = context.recipe, context.inputs["student"]
    histories = real_histories(dataset, recipe.task.history_length, recipe.export.verify_cases)
    with (
        TemporaryDirectory(prefix="limbeck-") as masked,
        TemporaryDirectory(prefix="limbeck-") as unmasked,
    ):
        source = next_item_source(recipe, dataset, student, Path(masked), blocked=blocked)
        if blocked:
            free = next_item_source(recipe, dataset, student, Path(masked), blocked=NOTHING_BLOCKED)
            cases = blocked_cases(free, blocked, histories)
            histories = np.concatenate([histories, cases.histories])
            context.progress.say(cases.sentence)
        verification = _verification(source, histories, blocked)
        verification.save(context.folder / VERIFICATION)
        seen_allowed = next_item_source(
            recipe, dataset, student, Path(unmasked), mask_seen=False, blocked=blocked
        )
        return Emission(
            context=context,
            source=source,
            verification=verification,
            inputs=HISTORIES,
            depends_on=("dataset", "student"),
            twin=(seen_allowed, _verification(seen_allowed, histories, blocked)),
        ).write_all()


def _verification(
    source: "DeploySource", histories: NDArray[np.int32], blocked: BlockedItems
) -> "VerificationSet":
    """Ask the PyTorch student, in fp32."""
    from export.deploy import NextItemDeploy
    from export.student_answers import ask_student
    from export.verification_set import VerificationSet

    reference = ask_student(cast(NextItemDeploy, source.module), histories)
    held_against = replace(reference, blocked=blocked.array)
    return VerificationSet.from_reference(held_against, source.signature)


def real_histories(dataset: Any, length: int, number: int) -> NDArray[np.int32]:
    """What users had done before events spread evenly over the data set.

    The first history is empty, the second is full (the longest one there is, repeated if it has
    fewer than L items), the third is that one with its last item unknown.

    Args:
        dataset: A `compress.data.dataset.Dataset`.
        length: L.
        number: How many more to take; in a tiny data set some are taken twice.

    Returns:
        `[number + 3, L]` item codes.
    """
    from compress.data.windows import gather_histories
    from compress.tasks.item_codes import UNKNOWN

    first = dataset.split.first
    has_history = np.ones(len(dataset.events), dtype=bool)
    has_history[first] = False
    index = np.flatnonzero(has_history)
    index = np.resize(index[np.linspace(0, len(index) - 1, number).astype(np.int64)], number)
    user = np.searchsorted(first, index, side="right") - 1
    real = gather_histories(dataset.events, first[user], index, length)
    longest = real[(real != 0).sum(axis=1).argmax()]
    full = np.resize(longest[longest != 0], length)
    unknown = full.copy()
    unknown[-1] = UNKNOWN
    return np.stack([np.zeros(length, dtype=np.int32), full, unknown, *real])


def _write_item_map(
    context: StageContext[NextItemRecipe], dataset: "Dataset", blocked: BlockedItems
) -> None:
    """Write which item each code stands for, and which are blocked: the app's side."""
    from compress.tasks.item_codes import FIRST_ITEM

    item_map: dict[str, Any] = {
        "schema": 1,
        "item_map_sha256": dataset.item_map_sha256,
        "padding": 0,
        "unknown": 1,
        "first_item": FIRST_ITEM,
        "items": dataset.item_ids,
    }
    if blocked:
        item_map |= {BLOCKED: list(blocked.codes), "blocked_sha256": blocked.sha256}
    write_atomically(context.folder / ITEM_MAP, json.dumps(item_map, ensure_ascii=False))


def _write_samples(context: StageContext[NextItemRecipe], dataset: "Dataset") -> None:
    """Write the histories of the test cases, in their order."""
    histories = dataset.histories(dataset.cases("test"), context.recipe.task.history_length)
    (context.folder / SAMPLES).mkdir(exist_ok=True)
    Samples({"history": histories}).save(context.folder / SAMPLES / HISTORIES)


def _twins(stem: str, suffix: str) -> tuple[str, str]:
    return f"{stem}.{suffix}", f"{stem}.unmasked.{suffix}"


def _settings(recipe: NextItemRecipe) -> object:
    return {
        "export": recipe.export.model_dump(mode="json"),
        "task": recipe.task.model_dump(mode="json"),
        "recipe": recipe.hash,
        "code": code_versions(recipe.export.artifacts),
    }


STAGES = (
    Stage(
        name="export",
        title="Write and verify the files",
        needs=("dataset", "baselines", "teacher", "student", "student-without-teacher"),
        version=4,
        settings=_settings,
        outside=blocked_fingerprint,
        work=export_models,
    ),
)
