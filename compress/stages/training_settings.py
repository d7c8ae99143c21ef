"""What every training depends on besides its own section of the recipe."""

import os
from typing import Any

from compress.recipe import NextItemRecipe, Recipe, SoftTargets


def training_settings(recipe: NextItemRecipe) -> dict[str, Any]:
    """The part of a key that all trainings share.

    Threads are no part of it: they change the last bits of sums, so that results are the same to
    the last bit only on as many threads, but a run may move to another machine.
    """
    task = recipe.task.model_dump(mode="json", include={"history_length", "mask_seen"})
    return {"seed": recipe.seed, **task}


def soft_label_temperatures(recipe: NextItemRecipe) -> list[float]:
    """The different temperatures of the losses that read soft labels, in their order.

    The tail of top-K soft labels is exact for one; full soft labels serve any.
    """
    losses = recipe.distillation.losses
    return list(dict.fromkeys(one.temperature for one in losses if isinstance(one, SoftTargets)))


def use_threads(recipe: Recipe) -> None:
    """Let PyTorch use as many threads as the recipe says, or all cores."""
    import torch

    torch.set_num_threads(recipe.threads or _usable_cores())


def _usable_cores() -> int:
    if hasattr(os, "sched_getaffinity"):
        return len(os.sched_getaffinity(0))
    return os.cpu_count() or 1
