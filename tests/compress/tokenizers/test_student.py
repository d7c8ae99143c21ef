import json
from pathlib import Path

import pytest

from compress.errors import UserError
from compress.recipe import Tokenizer
from compress.tokenizers.student import student_tokenizer, tokenizer_fingerprint
from compress.tokenizers.tokenizer import PieceTokenizer

TEXTS = ["red wool hat", "red dress", "我喜欢"]


@pytest.fixture(scope="module")
def teacher(tiny_bert: Path) -> PieceTokenizer:
    return PieceTokenizer.load(tiny_bert)


def test_the_teachers_tokenizer_is_narrowed_and_mapped(teacher, tmp_path):
    own, pieces = student_tokenizer(Tokenizer(), teacher, TEXTS, 16, tmp_path)
    assert set(own.vocabulary) == {
        *("[PAD]", "[UNK]", "[CLS]", "[SEP]", "[MASK]"),
        *("red", "wool", "hat", "dress", "我", "喜", "欢"),
    }
    red = own.vocabulary["red"]
    assert pieces.pieces[red] == "red"
    assert pieces.counts[red] == 2
    assert pieces.old_ids[red] == pieces.teacher_ids[red] == teacher.vocabulary["red"]
    assert pieces.teacher_ids.tolist() == [teacher.vocabulary[one] for one in pieces.pieces]


def test_the_whole_vocabulary_stays_where_no_count_is_asked_for(teacher, tmp_path):
    section = Tokenizer(minimum_count=None)
    own, pieces = student_tokenizer(section, teacher, TEXTS, 16, tmp_path)
    assert own.vocabulary == teacher.vocabulary
    assert pieces.teacher_ids.tolist() == list(range(teacher.pieces))
    assert pieces.counts[teacher.vocabulary["red"]] == 2


def test_characters_are_the_teachers_where_it_has_them(teacher, tmp_path):
    own, pieces = student_tokenizer(
        Tokenizer(source="characters"), teacher, ["a我\U0001f600"], 16, tmp_path
    )
    row = own.vocabulary["我"]
    assert (pieces.teacher_ids[row], pieces.old_ids[row]) == (teacher.vocabulary["我"], -1)
    assert pieces.teacher_ids[own.vocabulary["\U0001f600"]] == -1
    assert pieces.teacher_ids[own.padding_id] == teacher.padding_id
    assert pieces.counts[row] == 1


def test_another_models_tokenizer_is_found_beside_the_recipe(teacher, tmp_path):
    other, _ = student_tokenizer(Tokenizer(), teacher, TEXTS, 16, tmp_path)
    other.save(tmp_path / "mine")
    (tmp_path / "mine" / "config.json").write_text('{"model_type": "bert"}')
    section = Tokenizer(source="mine")
    own, pieces = student_tokenizer(section, teacher, ["red hat"], 16, tmp_path)
    assert own.pieces == 5 + 2
    red = own.vocabulary["red"]
    assert pieces.old_ids[red] == other.vocabulary["red"]
    assert pieces.teacher_ids[red] == teacher.vocabulary["red"]
    before = tokenizer_fingerprint(section, tmp_path)
    (tmp_path / "mine" / "vocab.txt").write_text("other")
    assert tokenizer_fingerprint(section, tmp_path) != before


def test_what_is_made_of_the_run_has_no_fingerprint(tmp_path):
    assert tokenizer_fingerprint(Tokenizer(), tmp_path) is None
    assert tokenizer_fingerprint(Tokenizer(source="characters"), tmp_path) is None


def test_a_folder_without_a_tokenizer_is_named(teacher, tmp_path):
    (tmp_path / "empty").mkdir()
    with pytest.raises(UserError, match=r"student\.tokenizer\.source: the folder .*empty"):
        student_tokenizer(Tokenizer(source="empty"), teacher, TEXTS, 16, tmp_path)


def test_the_map_is_written_for_people_and_programs(teacher, tmp_path):
    own, pieces = student_tokenizer(Tokenizer(), teacher, TEXTS, 16, tmp_path)
    pieces.save(tmp_path)
    written = json.loads((tmp_path / "vocabulary-map.json").read_text(encoding="utf-8"))
    assert len(written) == own.pieces
    assert written[str(own.vocabulary["我"])] == {
        "old_id": teacher.vocabulary["我"],
        "piece": "我",
        "count": 1,
    }
    _, characters = student_tokenizer(Tokenizer(source="characters"), teacher, ["a"], 16, tmp_path)
    characters.save(tmp_path)
    written = json.loads((tmp_path / "vocabulary-map.json").read_text(encoding="utf-8"))
    assert written["5"] == {"old_id": None, "piece": "a", "count": 1}
