"""A trained network that reads text, on disk: weights as safetensors, JSON, and its tokenizer.

A Hugging Face model is written as transformers writes it (`config.json` with the classes,
`model.safetensors`, the tokenizer's files), so transformers opens the folder too. Every folder has
a `model.json` beside, which is written last. Loading builds only kinds that a recipe can name or
that transformers knows, never code that lies in the folder.
"""

import json
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Literal

from pydantic import BaseModel, ConfigDict, PositiveInt, ValidationError
from safetensors import SafetensorError, safe_open
from safetensors.torch import load_file, save
from torch import nn

from compress.errors import RunError, UserError
from compress.files import write_atomically, write_bytes_atomically
from compress.networks.hugging_face import HuggingFaceModel
from compress.recipe import AnyTextStudent, Target
from compress.tokenizers.tokenizer import PieceTokenizer

DESCRIPTION = "model.json"
WEIGHTS = "model.safetensors"
_PROBLEMS: dict[Target, str] = {
    "one-of": "single_label_classification",
    "any-of": "multi_label_classification",
    "score": "regression",
}
"""What transformers calls the kinds of target."""


class _Given(BaseModel):
    """What a student was built with besides its section."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    pieces: PositiveInt
    outputs: PositiveInt
    max_length: PositiveInt
    padding_id: int


class _Description(BaseModel):
    model_config = ConfigDict(frozen=True, extra="forbid")

    format: Literal["huggingface", "limbeck"]
    target: Target
    classes: tuple[str, ...]
    section: AnyTextStudent | None
    given: _Given | None


@dataclass(frozen=True)
class SavedText:
    """What `load_text_model` returns.

    Attributes:
        model: A `TextModel` in inference mode.
        tokenizer: How its texts are cut.
        classes: Names of the outputs in order; empty for a score.
        target: Kind of target.
        section: The recipe section that built it; None for a teacher.
    """

    model: Any
    tokenizer: PieceTokenizer
    classes: tuple[str, ...]
    target: Target
    section: Any


def save_text_model(
    folder: Path,
    model: nn.Module,
    tokenizer: PieceTokenizer,
    classes: tuple[str, ...],
    target: Target,
    *,
    section: AnyTextStudent | None = None,
) -> None:
    """Write a network and its tokenizer.

    Args:
        folder: Made if missing; `model.json` is written last.
        model: A `TextModel`: a Hugging Face one, or what `section` built.
        tokenizer: How its texts are cut.
        classes: Names of the outputs in order; empty for a score.
        target: Kind of target.
        section: The recipe section that built it; None for a teacher.

    Raises:
        ValueError: Neither a Hugging Face model nor a section, or the classes are not as many as
            the outputs.
    """
    if len(classes) != (0 if target == "score" else model.outputs):
        raise ValueError(f"{len(classes)} classes for {model.outputs} outputs ({target})")
    folder.mkdir(parents=True, exist_ok=True)
    given = None
    if isinstance(model, HuggingFaceModel):
        _name_outputs(model.model.config, classes, target)
        model.model.save_pretrained(folder, safe_serialization=True)
    elif section is None:
        raise ValueError(f"{type(model).__name__}: only a section can build it again")
    else:
        weights = {name: value.contiguous() for name, value in model.state_dict().items()}
        write_bytes_atomically(folder / WEIGHTS, save(weights))
        given = {name: getattr(model, name) for name in _Given.model_fields}
    tokenizer.save(folder)
    network = section and section.model_dump(mode="json", include={"kind", *section.arguments()})
    description = {
        "format": "huggingface" if given is None else "limbeck",
        "target": target,
        "classes": classes,
        "section": network,
        "given": given,
    }
    write_atomically(folder / DESCRIPTION, json.dumps(description, indent=1, ensure_ascii=False))


def is_saved(folder: Path) -> bool:
    """Whether `folder` holds a completely written network."""
    return (folder / DESCRIPTION).is_file()


def load_text_model(folder: Path) -> SavedText:
    """Build the network, load its weights and its tokenizer; in inference mode.

    Raises:
        RunError: A file is missing, damaged, or does not fit the others.
    """
    try:
        about = _Description.model_validate(json.loads((folder / DESCRIPTION).read_bytes()))
        model = _hugging_face(folder) if about.given is None else _own(folder, about)
        tokenizer = PieceTokenizer.load(folder)
    except (
        OSError,
        ValueError,
        KeyError,
        ValidationError,
        SafetensorError,
        RuntimeError,
        UserError,
    ) as error:
        raise RunError(
            f"The model in {folder} cannot be loaded: {str(error).splitlines()[0]}. "
            "Run the recipe again; a stage with damaged files is done anew."
        ) from error
    return SavedText(model.eval(), tokenizer, about.classes, about.target, about.section)


def served_bytes(folder: Path) -> int:
    """Size of what answers a query, in bytes: the weights, without the tokenizer.

    Raises:
        RunError: The weights are missing or damaged.
    """
    try:
        with safe_open(folder / WEIGHTS, framework="numpy") as weights:
            # The header alone, as a file is padded and headed.
            return sum(
                _BYTES[part.get_dtype()] * _product(part.get_shape())
                for part in map(weights.get_slice, weights.keys())
            )
    except (OSError, SafetensorError) as error:
        raise RunError(f"The model in {folder} cannot be read: {error}. Run it again.") from error


_BYTES = {"F64": 8, "F32": 4, "F16": 2, "BF16": 2, "I64": 8, "I32": 4, "I16": 2, "I8": 1}
_BYTES |= {"U8": 1, "BOOL": 1}


def _product(shape: list[int]) -> int:
    size = 1
    for length in shape:
        size *= length
    return size


def _name_outputs(config: Any, classes: tuple[str, ...], target: Target) -> None:
    names = classes or ("score",)
    config.id2label = dict(enumerate(names))
    config.label2id = {name: number for number, name in enumerate(names)}
    config.problem_type = _PROBLEMS[target]


def _hugging_face(folder: Path) -> HuggingFaceModel:
    from transformers import AutoModelForSequenceClassification

    model, report = AutoModelForSequenceClassification.from_pretrained(
        folder,
        use_safetensors=True,
        trust_remote_code=False,
        local_files_only=True,
        attn_implementation="eager",
        output_loading_info=True,
    )
    if report["missing_keys"]:
        raise ValueError(f"{WEIGHTS} lacks {sorted(report['missing_keys'])[0]}")
    return HuggingFaceModel(model)


def _own(folder: Path, about: _Description) -> Any:
    if about.section is None or about.given is None:
        raise ValueError(f"{DESCRIPTION} names no section")
    network = about.section.build(**about.given.model_dump())
    network.load_state_dict(load_file(folder / WEIGHTS))
    return network
