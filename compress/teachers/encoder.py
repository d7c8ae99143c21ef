"""Item texts through a pretrained, frozen sentence encoder."""

from collections.abc import Sequence
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from compress.teachers.pretrained import load_pretrained

BATCH = 64
LONGEST = 256
"""Pieces of a text that are read; what comes after is cut off."""


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


def _load(encoder: str, cache: Path | None) -> tuple[Any, Any]:
    """Return the tokenizer and the model, ready for inference."""

    def load(place: str | Path, given: dict[str, Any]) -> tuple[Any, Any]:
        import transformers

        tokenizers: Any = transformers.AutoTokenizer  # its own annotations are incomplete
        tokenizer = tokenizers.from_pretrained(place, **given)
        model = transformers.AutoModel.from_pretrained(place, use_safetensors=True, **given)
        return tokenizer, model.eval()

    return load_pretrained(encoder, "teacher.encoder", cache, load=load, what="encoder")
