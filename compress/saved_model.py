"""A trained network on disk: what to build, in JSON, and its weights, as safetensors.

`model.json` holds the keys of the recipe that the network was built from, never code: loading can
only build the kinds that a recipe can name.
"""

import json
from pathlib import Path
from typing import Any

from pydantic import BaseModel, ConfigDict, Field, PositiveInt, ValidationError
from safetensors import SafetensorError
from safetensors.torch import load_file, save
from torch import nn

from compress.errors import RunError
from compress.files import write_atomically, write_bytes_atomically
from compress.recipe import TextSequence, TransformerStudent

DESCRIPTION = "model.json"
WEIGHTS = "model.safetensors"


class _Description(BaseModel):
    model_config = ConfigDict(frozen=True, extra="forbid")

    section: TransformerStudent | TextSequence = Field(discriminator="kind")
    items: PositiveInt
    history_length: PositiveInt


def save_model(
    folder: Path,
    network: nn.Module,
    section: TransformerStudent | TextSequence,
    items: int,
    history_length: int,
) -> None:
    """Write a network that was built from `section`.

    Args:
        folder: Made if missing; `model.json` is written last.
        network: What to save.
        section: The recipe section that built it.
        items: Size of the catalogue.
        history_length: L.
    """
    folder.mkdir(parents=True, exist_ok=True)
    weights = {name: value.contiguous() for name, value in network.state_dict().items()}
    write_bytes_atomically(folder / WEIGHTS, save(weights))
    network_alone = section.model_dump(mode="json", include={"kind", *section.arguments()})
    description = {"section": network_alone, "items": items, "history_length": history_length}
    write_atomically(folder / DESCRIPTION, json.dumps(description, indent=1))


def is_saved(folder: Path) -> bool:
    """Whether `folder` holds a completely written network."""
    return (folder / DESCRIPTION).is_file()


def load_model(folder: Path) -> Any:
    """Build the network and load its weights, in inference mode.

    Raises:
        RunError: A file is missing, damaged, or does not fit the other.
    """
    try:
        about = _Description.model_validate(json.loads((folder / DESCRIPTION).read_bytes()))
        weights = load_file(folder / WEIGHTS)
        given: dict[str, Any] = {"items": about.items, "history_length": about.history_length}
        if "text_embeddings" in type(about.section).given_arguments:
            given["text_embeddings"] = weights.get("text_embeddings")
        network = about.section.build(**given)
        network.load_state_dict(weights)
    except (OSError, ValueError, ValidationError, SafetensorError, RuntimeError) as error:
        raise RunError(
            f"The model in {folder} cannot be loaded: {str(error).splitlines()[0]}. "
            "Run the recipe again; a stage with damaged files is done anew."
        ) from error
    return network.eval()


def served_bytes(folder: Path) -> int:
    """Size of what answers a query, in bytes: the weights, with what is folded once left out.

    A text teacher's texts and their projection become part of its item table when it is loaded.
    """
    network = load_model(folder)
    folded = getattr(network, "folded_weights", ())
    weights = network.state_dict().items()
    return sum(value.nbytes for name, value in weights if not name.startswith(folded))
