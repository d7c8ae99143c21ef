"""Teachers that are Hugging Face sequence classifiers: loaded, fitted to our classes, frozen."""

from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Any

import torch
from torch import nn

from compress.data.package_archive import print_to_stderr
from compress.errors import UserError
from compress.networks.hugging_face import HuggingFaceModel
from compress.recipe import HuggingFaceTeacher, Target
from compress.teachers.pretrained import (
    load_pretrained,
    pretrained_fingerprint,
    resolve_pretrained,
)
from compress.tokenizers.pretrained import load_pretrained_tokenizer
from compress.tokenizers.tokenizer import PieceTokenizer

KEY = "teacher.model"
_MOST_NAMES = 30
"""Class names that an error lists."""
_DROPOUTS = (
    *("hidden_dropout_prob", "attention_probs_dropout_prob", "classifier_dropout"),
    *("dropout", "attention_dropout", "seq_classif_dropout"),
    *("embedding_dropout", "mlp_dropout", "pooler_dropout", "cls_dropout"),
)
"""What the architectures call dropout in their configurations."""


def load_teacher(
    section: HuggingFaceTeacher,
    recipe_folder: Path,
    classes: Sequence[str],
    target: Target,
    cache: Path | None = None,
    *,
    max_length: int | None = None,
    announce: Callable[[str], None] = print_to_stderr,
) -> tuple[HuggingFaceModel, PieceTokenizer]:
    """Load the recipe's teacher and its tokenizer.

    With `train: true` the head is made anew, of random weights from torch's generator. With
    `train: false` the model's own head answers, its outputs brought into the order of `classes`.

    Args:
        section: The recipe's teacher.
        recipe_folder: What a folder in the recipe is relative to.
        classes: Of the data, sorted; empty for a score.
        target: Kind of target.
        cache: Where downloads are kept; None: the usual place.
        max_length: `task.max_length`, compared with what the model can read; None: not compared.
        announce: Is told about a download, and what a person should know of the model.

    Returns:
        The model in inference mode, nothing frozen, and its tokenizer.

    Raises:
        UserError: There is no such model, it does not fit the classes or the texts' length.
        DownloadError: The package or the Hub's files cannot be had.
    """
    name = resolve_pretrained(section.model, recipe_folder)
    outputs = 1 if target == "score" else len(classes)
    model = load_pretrained(
        name,
        KEY,
        cache,
        load=lambda place, given: _load(place, given, section, outputs),
        what="classifier",
        announce=announce,
    )
    if not section.train:
        _fit_head(model, section.model, tuple(classes), target, announce)
    tokenizer = load_pretrained_tokenizer(name, KEY, cache)
    if tokenizer.pieces > model.word_embeddings().num_embeddings:
        raise UserError(
            f"{KEY}: {section.model}: the tokenizer has {tokenizer.pieces} pieces and the model "
            f"vectors for {model.word_embeddings().num_embeddings}: they are not of one model."
        )
    if max_length is not None and model.longest is not None and max_length > model.longest:
        raise UserError(
            f"task.max_length: {max_length}, but {section.model} reads at most {model.longest} "
            f"pieces. Set task.max_length to {model.longest} or less, or choose another teacher."
        )
    return model.eval(), tokenizer


def teacher_fingerprint(section: HuggingFaceTeacher, recipe_folder: Path) -> object:
    """Return what tells two teachers of one name apart; downloads nothing."""
    return pretrained_fingerprint(resolve_pretrained(section.model, recipe_folder))


def freeze(model: HuggingFaceModel, embeddings: bool, layers: int) -> None:
    """Keep parts of a model from being trained, and let the rest be.

    Args:
        model: Changed in place.
        embeddings: Freeze what turns ids into vectors.
        layers: How many of the lowest layers to freeze.

    Raises:
        UserError: The model has fewer layers.
    """
    found = model.layers()
    if layers > len(found):
        raise UserError(
            f"teacher.freeze: {layers} layers, but the model has {len(found)}. "
            f"Freeze {len(found)} or fewer."
        )
    model.requires_grad_(True)
    for layer in found[:layers]:
        layer.requires_grad_(False)
    model.embeddings().requires_grad_(not embeddings)


def unfreeze_next(model: HuggingFaceModel) -> str | None:
    """Let the highest frozen layer be trained; after the layers, the embeddings.

    Gradual unfreezing (Howard and Ruder 2018, section 3.3).

    Returns:
        What was frozen until now: `layer 3` (0 is the lowest) or `embeddings`; None: nothing was.
    """
    for number, layer in reversed(list(enumerate(model.layers()))):
        if _is_frozen(layer):
            layer.requires_grad_(True)
            return f"layer {number}"
    if _is_frozen(model.embeddings()):
        model.embeddings().requires_grad_(True)
        return "embeddings"
    return None


def _is_frozen(part: nn.Module) -> bool:
    return not any(parameter.requires_grad for parameter in part.parameters())


def _load(
    place: str | Path, given: dict[str, Any], section: HuggingFaceTeacher, outputs: int
) -> HuggingFaceModel:
    from transformers import AutoConfig, AutoModelForSequenceClassification

    config = AutoConfig.from_pretrained(place, **given)
    if section.train:
        config.num_labels = outputs
    if section.dropout is not None:
        for name in _DROPOUTS:
            if hasattr(config, name):
                setattr(config, name, section.dropout)
    loaded, report = AutoModelForSequenceClassification.from_pretrained(
        place,
        config=config,
        use_safetensors=True,
        attn_implementation="eager",
        ignore_mismatched_sizes=True,  # of the head; of anything else it is an error below
        output_loading_info=True,
        **given,
    )
    lacking = sorted({*report["missing_keys"], *report["mismatched_keys"]})
    encoder = [name for name in lacking if name.startswith(f"{loaded.base_model_prefix}.")]
    # Models trained without a pooler are given a new one: it belongs to the head by its use.
    if unfit := [name for name in encoder if ".pooler." not in name]:
        raise ValueError(f"its weights do not fit its config.json: {unfit[0]} is missing or other")
    model = HuggingFaceModel(loaded)
    if section.train:
        _renew_head(model)
    elif lacking:
        raise UserError(
            f"{KEY}: {section.model} has no trained head ({lacking[0]} is missing), so it cannot "
            "answer as it is. Set teacher.train: true to fine-tune it here."
        )
    return model


def _renew_head(model: HuggingFaceModel) -> None:
    """Forget what a head learned for other classes."""
    std = getattr(model.model.config, "initializer_range", 0.02)
    for part in (part for module in model.head() for part in module.modules()):
        if isinstance(part, nn.Linear):
            nn.init.normal_(part.weight, std=std)
            if part.bias is not None:
                nn.init.zeros_(part.bias)


def _fit_head(
    model: HuggingFaceModel,
    name: str,
    classes: tuple[str, ...],
    target: Target,
    announce: Callable[[str], None],
) -> None:
    """Bring the outputs into the order of our classes."""
    config = model.model.config
    problem = config.problem_type
    if target == "score":
        if model.outputs != 1:
            raise UserError(
                f"{KEY}: {name} answers {model.outputs} classes, and the task asks for a score, "
                "one number. Set teacher.train: true, or task.relevance: grade."
            )
        return
    own = tuple(str(config.id2label[number]) for number in range(model.outputs))
    order = _order(own, classes)
    if order is None:
        raise UserError(
            f"{KEY}: {name} was trained on other classes than the data has, so it cannot answer "
            f"as it is.\n  model: {_listed(own)}\n  data:  {_listed(classes)}\n"
            "Rename the classes in the data or in the model's config.json (id2label), or set "
            "teacher.train: true."
        )
    if _is_unnamed(own):
        outputs = dict(zip(order, classes, strict=True))
        announce(
            f"{name} does not name its classes; its outputs are taken to be, in their order: "
            f"{_listed([outputs[number] for number in range(len(own))])}. Where they are not, put "
            "their names into its config.json (id2label)."
        )
    asked = {"one-of": "single_label_classification", "any-of": "multi_label_classification"}
    if problem not in (None, asked[target]):
        announce(
            f"{name} was trained for {problem}, and the task asks for {asked[target]}: its "
            "probabilities may mean something else."
        )
    output = model.output_layer()
    with torch.no_grad():
        output.weight.copy_(output.weight[order])
        if output.bias is not None:
            output.bias.copy_(output.bias[order])
    config.id2label = dict(enumerate(classes))
    config.label2id = {one: number for number, one in enumerate(classes)}


def _is_unnamed(own: tuple[str, ...]) -> bool:
    """Whether the names are those that transformers gives where nobody gave any."""
    return own == tuple(f"LABEL_{number}" for number in range(len(own)))


def _order(own: tuple[str, ...], classes: tuple[str, ...]) -> list[int] | None:
    """Return for each of our classes the model's output; None: they are not the same classes."""
    if len(own) != len(classes):
        return None
    if _is_unnamed(own):
        if set(classes) == {str(number) for number in range(len(own))}:
            return [int(one) for one in classes]  # as texts, 10 sorts before 2
        return list(range(len(own)))
    for same in (str, str.casefold):
        numbers = {same(one): number for number, one in enumerate(own)}
        wanted = [same(one) for one in classes]
        if len(numbers) == len(own) and set(wanted) == set(numbers):
            return [numbers[one] for one in wanted]
    return None


def _listed(names: Sequence[str]) -> str:
    shown = ", ".join(names[:_MOST_NAMES])
    rest = len(names) - _MOST_NAMES
    return f"{shown} and {rest} more" if rest > 0 else shown
