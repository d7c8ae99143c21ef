"""What every training on texts depends on besides its own section of the recipe."""

from typing import Any

from compress.recipe import AnyTextRecipe, TextLabel


def training_settings(recipe: AnyTextRecipe) -> dict[str, Any]:
    """The part of a key that all trainings share; what the data set depends on is in its own."""
    weights = recipe.task.class_weights if isinstance(recipe.task, TextLabel) else "none"
    return {"seed": recipe.seed, "class_weights": weights}
