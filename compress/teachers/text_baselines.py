"""Models of text that only count: what a teacher has to beat."""

import zipfile
from pathlib import Path
from typing import TYPE_CHECKING, Any, ClassVar, Protocol

import numpy as np
from numpy.typing import NDArray

from compress.data.pieces import Batch, Pieces
from compress.errors import UserError
from compress.teachers.bm25 import Bm25
from compress.teachers.naive_bayes import NaiveBayes
from compress.teachers.piece_counts import PieceCounter

if TYPE_CHECKING:
    from compress.data.text_dataset import TextDataset
    from compress.tokenizers.tokenizer import PieceTokenizer


class TextBaseline(Protocol):
    """What the baselines have in common."""

    name: ClassVar[str]
    """As the report calls it."""

    def answers(self, batch: Batch) -> NDArray[np.float32]:
        """Return what the model says, `[B, outputs]`; see `compress.tasks.text_task.answers_of`."""
        ...

    def save(self, path: Path) -> None:
        """Write the `.npz` file that `load_text_baseline` reads."""
        ...


class MajorityClass:
    """Every text gets the same answer: how frequent each class is in training."""

    name: ClassVar[str] = "majority-class"

    def __init__(self, shares: NDArray[np.float64]) -> None:
        """Take the share of the training texts that have each class, `[C]`."""
        self.shares = shares

    @classmethod
    def fit(cls, targets: NDArray[Any], classes: int) -> "MajorityClass":
        """Count the training texts.

        Args:
            targets: `[N]` classes, or `[N, C]` of 0 and 1.
            classes: C.
        """
        if targets.ndim == 1:
            return cls(np.bincount(targets, minlength=classes) / len(targets))
        return cls(targets.mean(axis=0, dtype=np.float64))

    def answers(self, batch: Batch) -> NDArray[np.float32]:
        """Return the shares, `[B, C]`."""
        return np.tile(self.shares.astype(np.float32), (len(batch.input_ids), 1))

    def save(self, path: Path) -> None:
        """Write an `.npz` file."""
        with path.open("wb") as file:
            np.savez(file, allow_pickle=False, name=self.name, shares=self.shares)

    @classmethod
    def load(cls, path: Path) -> "MajorityClass":
        """Read what `save` wrote."""
        with np.load(path, allow_pickle=False) as arrays:
            return cls(arrays["shares"])


def fit_text_baselines(
    dataset: "TextDataset", pieces: Pieces, targets: NDArray[Any], tokenizer: "PieceTokenizer"
) -> dict[str, TextBaseline]:
    """Fit the baselines of a task to its training texts.

    Args:
        dataset: Says what the task is.
        pieces: The training texts' pieces; rows after the last target are not read.
        targets: See `compress.data.text_dataset.Examples`.
        tokenizer: What cut the texts.

    Returns:
        By name: `majority-class` and `naive-bayes` for texts, `bm25` for pairs.
    """
    special = tokenizer.special_ids()
    # Unknown and masked pieces stand inside a text.
    separators = special - {tokenizer.unknown_id, tokenizer.mask_id}
    counter = PieceCounter(tokenizer.pieces, tuple(sorted(special)), tuple(sorted(separators)))
    fitted: list[TextBaseline]
    if dataset.is_pair:
        fitted = [Bm25.fit(counter, pieces, targets, len(dataset.classes))]
    else:
        fitted = [
            MajorityClass.fit(targets, dataset.outputs),
            NaiveBayes.fit(counter, pieces, targets, dataset.outputs),
        ]
    return {baseline.name: baseline for baseline in fitted}


def load_text_baseline(path: Path) -> TextBaseline:
    """Read a baseline of any kind that its `save` wrote.

    Raises:
        UserError: The file is missing, damaged, or no baseline.
    """
    kinds = {kind.name: kind.load for kind in (MajorityClass, NaiveBayes, Bm25)}
    try:
        with np.load(path, allow_pickle=False) as arrays:
            load = kinds[str(arrays["name"])]
        return load(path)
    except (OSError, ValueError, KeyError, zipfile.BadZipFile) as error:
        raise UserError(f"{path} holds no text baseline: {error}") from error
