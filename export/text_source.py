"""A student that reads text as emitters take it."""

from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np

from compress.recipe import AnyTextRecipe
from export.source import CALIBRATION_CASES, About, DeploySource

if TYPE_CHECKING:
    from compress.data.text_dataset import TextDataset
    from export.signature import Signature


def text_source(
    recipe: AnyTextRecipe,
    dataset: "TextDataset",
    student: Path,
    scratch: Path,
    signature: "Signature",
) -> DeploySource:
    """Load the student and put what runs on the device around it.

    Args:
        recipe: What it was made by.
        dataset: What it was taught on.
        student: Its saved folder.
        scratch: An existing folder for what formats share.
        signature: What files of it take and return.
    """
    from compress.saved_text_model import load_text_model
    from export.text_deploy import TextDeploy
    from export.text_samples import cut_samples

    saved = load_text_model(student)
    examples = dataset.split("train")
    number = min(CALIBRATION_CASES, len(examples))
    rows = np.linspace(0, len(examples) - 1, number).astype(np.int64)
    first, second = examples.texts(rows)
    return DeploySource(
        module=TextDeploy(saved.model, saved.target, dataset.gains).eval(),
        signature=signature,
        length=recipe.task.max_length,
        student=student,
        calibration=cut_samples(saved.tokenizer, first, second, recipe.task.max_length),
        scratch=scratch,
        about=About(recipe.name, recipe.export.author, recipe.export.licence),
        classes=saved.classes,
        gains=None if dataset.gains is None else tuple(dataset.gains),
    )
