"""Tokenizers that come with a pretrained model."""

import tempfile
from pathlib import Path
from typing import Any

from compress.teachers.pretrained import load_pretrained
from compress.tokenizers.tokenizer import PieceTokenizer


def load_pretrained_tokenizer(name: str, key: str, cache: Path | None = None) -> PieceTokenizer:
    """Load the tokenizer of a folder, `package:NAME` or Hub id.

    Args:
        name: What the recipe says; a folder as `compress.teachers.pretrained` resolved it.
        key: The recipe's key that says it, for errors.
        cache: Where downloads are kept; None: the usual place.

    Raises:
        UserError: There is no tokenizer, or none that the library `tokenizers` can run.
        DownloadError: The package or the Hub's files cannot be had.
    """

    def load(place: str | Path, given: dict[str, Any]) -> PieceTokenizer:
        import transformers

        tokenizers: Any = transformers.AutoTokenizer  # its own annotations are incomplete
        tokenizer = tokenizers.from_pretrained(place, use_fast=True, **given)
        if not tokenizer.is_fast:
            raise ValueError(f"{type(tokenizer).__name__} has no tokenizer.json")
        # Older folders hold a vocabulary only; what transformers makes of it is written whole.
        with tempfile.TemporaryDirectory() as whole:
            tokenizer.save_pretrained(whole)
            return PieceTokenizer.load(Path(whole))

    return load_pretrained(name, key, cache, load=load, what="tokenizer")
