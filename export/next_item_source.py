"""A next-item student as emitters take it."""

from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np
from numpy.typing import NDArray

from compress.recipe import NextItemRecipe
from export.blocked_items import BlockedItems
from export.samples import Samples
from export.source import CALIBRATION_CASES, About, DeploySource

if TYPE_CHECKING:
    from compress.data.dataset import Dataset


def next_item_source(
    recipe: NextItemRecipe,
    dataset: "Dataset",
    student: Path,
    scratch: Path,
    *,
    blocked: BlockedItems,
    mask_seen: bool | None = None,
) -> DeploySource:
    """Load the student and put what runs on the device around it.

    Args:
        recipe: What it was made by.
        dataset: What it was taught on.
        student: Its saved folder.
        scratch: An existing folder for what formats share.
        blocked: Items that are never returned, whatever the history.
        mask_seen: Whether items of the history are never returned; None: as the recipe says.
    """
    from compress.saved_model import load_model
    from export.deploy import NextItemDeploy, StudentScorer
    from export.signature import next_item_signature

    masks = recipe.task.mask_seen if mask_seen is None else mask_seen
    length = recipe.task.history_length
    scorer = StudentScorer(load_model(student), blocked.codes).eval()
    module = NextItemDeploy(
        scorer, items=dataset.items, top_k=recipe.task.top_k, mask_seen=masks
    ).eval()
    signature = next_item_signature(
        items=dataset.items,
        history_length=length,
        top_k=module.top_k,
        mask_seen=masks,
        recipe_sha256=recipe.hash,
        item_map_sha256=dataset.item_map_sha256,
        blocked=blocked,
    )
    return DeploySource(
        module=module,
        signature=signature,
        length=length,
        student=student,
        calibration=Samples({"history": _training_histories(dataset, length)}),
        scratch=scratch,
        about=About(recipe.name, recipe.export.author, recipe.export.licence),
    )


def _training_histories(dataset: Any, length: int) -> NDArray[np.int32]:
    """Histories of training windows spread evenly over the data set, int32 `[N, L]`."""
    windows = dataset.windows(length)
    number = min(CALIBRATION_CASES, len(windows))
    rows = np.linspace(0, len(windows) - 1, number).astype(np.int64)
    found: NDArray[np.int32] = windows.batch(rows)[0]
    return found
