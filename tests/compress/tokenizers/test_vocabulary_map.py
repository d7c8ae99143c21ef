"""Which piece of a student is which of its teacher."""

import json

import numpy as np
import pytest
from tokenizers import Tokenizer, models

from compress.tokenizers.tokenizer import PieceTokenizer
from compress.tokenizers.vocabulary_map import VocabularyMap


def words(vocabulary):
    backend = Tokenizer(models.WordLevel(vocabulary, unk_token="[UNK]"))
    return PieceTokenizer(backend, {"pad_token": "[PAD]", "unk_token": "[UNK]"})


TEACHER = words({"[PAD]": 0, "[UNK]": 1, "red": 2, "hat": 3, "帽": 4})
STUDENT = words({"帽": 3, "[UNK]": 1, "[PAD]": 0, "scarf": 2, "red": 5})
"""Its pieces are out of order, and the number 4 is of none."""
COUNTS = np.array([0, 1, 7, 2, 0, 3])


@pytest.fixture
def narrowed():
    other = words({"[PAD]": 1, "[UNK]": 0, "scarf": 9, "red": 2, "帽": 3})
    return VocabularyMap.between(STUDENT, TEACHER, COUNTS, narrowed=other)


def test_pieces_are_found_by_name(narrowed):
    assert narrowed.pieces == ("[PAD]", "[UNK]", "scarf", "帽", "", "red")
    assert narrowed.teacher_ids.tolist() == [0, 1, -1, 4, -1, 2]
    assert narrowed.old_ids.tolist() == [1, 0, 9, 3, -1, 2]


def test_without_an_earlier_vocabulary_no_piece_has_an_old_number():
    made = VocabularyMap.between(STUDENT, TEACHER, COUNTS)
    assert made.old_ids.tolist() == [-1] * 6
    assert made.teacher_ids.tolist() == [0, 1, -1, 4, -1, 2]


def test_it_is_written_a_piece_a_line(narrowed, tmp_path):
    narrowed.save(tmp_path)
    text = (tmp_path / "vocabulary-map.json").read_text(encoding="utf-8")
    assert text.count("\n") == 2 + 6
    assert '"3": {"old_id": 3, "piece": "帽", "count": 2}' in text
    assert json.loads(text)["2"] == {"old_id": 9, "piece": "scarf", "count": 7}
    assert json.loads(text)["4"] == {"old_id": None, "piece": "", "count": 0}
