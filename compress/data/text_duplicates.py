"""Texts that are the same, found by hashes: memory holds 8 bytes a text."""

import unicodedata
from hashlib import blake2b

import numpy as np
from numpy.typing import NDArray

from compress.data.text_split import TEST, TRAIN, UNLABELLED, VALIDATION

_ODD = np.uint64(0x9E3779B97F4A7C15)


def normalised(text: str) -> str:
    """Return what two texts have in common that count as the same.

    Unicode NFKC, then case-folded, then white space trimmed and runs of it made one space.
    """
    if not text.isascii():
        text = unicodedata.normalize("NFKC", text)
    return " ".join(text.casefold().split())


def text_hashes(texts: list[str]) -> NDArray[np.uint64]:
    """Return uint64 [N], equal for texts that are the same after `normalised`.

    Two that are not the same collide once in 2^64 pairs.
    """
    digests = (blake2b(normalised(text).encode(), digest_size=8).digest() for text in texts)
    return np.frombuffer(b"".join(digests), "<u8").astype(np.uint64)


def pair_hashes(first: NDArray[np.uint64], second: NDArray[np.uint64]) -> NDArray[np.uint64]:
    """Return uint64 [N], equal where both parts (texts, a text and a number) are the same."""
    return first * _ODD + second


def also_measured(
    hashes: NDArray[np.uint64], splits: NDArray[np.uint8], learned: int
) -> NDArray[np.bool_]:
    """Return bool [N], which examples of a split that is learned from are in validation or test.

    Args:
        hashes: uint64 [N], of the examples' texts.
        splits: uint8 [N], their splits.
        learned: `TRAIN` or `UNLABELLED`.
    """
    measured = hashes[(splits == VALIDATION) | (splits == TEST)]
    both: NDArray[np.bool_] = (splits == learned) & np.isin(hashes, measured)
    return both


def count_duplicates(hashes: NDArray[np.uint64], splits: NDArray[np.uint8]) -> dict[str, int]:
    """Count texts that occur more than once, by where.

    Args:
        hashes: uint64 [N], of the examples' texts.
        splits: uint8 [N], their splits.

    Returns:
        `duplicates_in_training`: training texts that an earlier training text equals.
        `duplicates_across_splits`: training texts that are also in validation or test.
        `test_texts_in_training`: test texts that are also in training.
        `validation_texts_in_test`: validation texts that are also in the test.
        `unlabelled_texts_in_validation_or_test`: unlabelled texts that are measured on.
    """
    train, test = hashes[splits == TRAIN], hashes[splits == TEST]
    return {
        "duplicates_in_training": len(train) - len(np.unique(train)),
        "duplicates_across_splits": int(also_measured(hashes, splits, TRAIN).sum()),
        "test_texts_in_training": int(np.isin(test, train).sum()),
        "validation_texts_in_test": int(np.isin(hashes[splits == VALIDATION], test).sum()),
        "unlabelled_texts_in_validation_or_test": int(
            also_measured(hashes, splits, UNLABELLED).sum()
        ),
    }
