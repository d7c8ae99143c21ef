"""Which piece of one vocabulary is which of another."""

import json
from dataclasses import dataclass
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from compress.files import write_atomically
from compress.tokenizers.tokenizer import PieceTokenizer

VOCABULARY_MAP = "vocabulary-map.json"


@dataclass(frozen=True)
class VocabularyMap:
    """A student's vocabulary, and where its pieces come from.

    Attributes:
        pieces: Each piece of the student, by its id.
        old_ids: int64 `[pieces]`: its id in the tokenizer that was narrowed; -1: there was none.
        counts: int64 `[pieces]`: how often it occurs in the training texts.
        teacher_ids: int64 `[pieces]`: the id of the same piece in the teacher's vocabulary; -1: the
            teacher has no such piece.
    """

    pieces: tuple[str, ...]
    old_ids: NDArray[np.int64]
    counts: NDArray[np.int64]
    teacher_ids: NDArray[np.int64]

    @classmethod
    def between(
        cls,
        student: PieceTokenizer,
        teacher: PieceTokenizer,
        counts: NDArray[np.int64],
        narrowed: PieceTokenizer | None = None,
    ) -> "VocabularyMap":
        """Compare vocabularies by the pieces' names.

        Args:
            student: The student's tokenizer.
            teacher: The teacher's.
            counts: int64 `[student.pieces]`.
            narrowed: The tokenizer that the student's was made from; None: none.
        """
        names = {number: piece for piece, number in student.vocabulary.items()}
        pieces = tuple(names.get(number, "") for number in range(student.pieces))
        return cls(
            pieces,
            _ids_in(narrowed.vocabulary if narrowed is not None else {}, pieces),
            counts,
            _ids_in(teacher.vocabulary, pieces),
        )

    def save(self, folder: Path) -> None:
        """Write `vocabulary-map.json`: id -> old id (null: none), piece and count."""
        rows = zip(self.pieces, self.old_ids.tolist(), self.counts.tolist(), strict=True)
        entries = {
            str(number): {"old_id": old if old >= 0 else None, "piece": piece, "count": count}
            for number, (piece, old, count) in enumerate(rows)
        }
        lines = (f"{json.dumps(key)}: {_json(entry)}" for key, entry in entries.items())
        write_atomically(folder / VOCABULARY_MAP, "{\n" + ",\n".join(lines) + "\n}\n")


def _ids_in(vocabulary: dict[str, int], pieces: tuple[str, ...]) -> NDArray[np.int64]:
    return np.array([vocabulary.get(piece, -1) for piece in pieces], dtype=np.int64)


def _json(value: object) -> str:
    return json.dumps(value, ensure_ascii=False)
