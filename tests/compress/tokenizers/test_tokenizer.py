import json
import os
import subprocess
import sys
from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from tokenizers import Tokenizer, models, processors
from transformers import AutoTokenizer

from compress.errors import UserError
from compress.tokenizers.tokenizer import MASK_CHARACTER, PieceTokenizer

SESSION: dict[str, PieceTokenizer] = {}


@pytest.fixture(scope="module")
def tokenizer(tiny_bert: Path) -> PieceTokenizer:
    return PieceTokenizer.load(tiny_bert)


def cut(tokenizer: PieceTokenizer, text: str, second: str | None = None, at: int = 64, **rest):
    pair = None if second is None else [second]
    encoded = tokenizer.encode([text], pair, at, **rest)[0]
    return [tokenizer.backend.id_to_token(piece) for piece in encoded.ids]


def test_a_text_becomes_pieces_between_special_ones(tokenizer):
    encoded = tokenizer.encode(["Red dresses", ""], None, 8)
    assert encoded[0] == ([2, *ids(tokenizer, "red", "dress", "##e", "##s"), 3], 6, False)
    assert encoded[1] == ([2, 3], 2, False)


def ids(tokenizer, *pieces):
    return [tokenizer.vocabulary[piece] for piece in pieces]


def test_the_second_text_of_a_pair_begins_after_the_separator(tokenizer):
    ((pieces, second_start, was_truncated),) = tokenizer.encode(["red"], ["wool hat"], 8)
    assert pieces == [2, *ids(tokenizer, "red"), 3, *ids(tokenizer, "wool", "hat"), 3]
    assert second_start == 3
    assert not was_truncated


def test_the_longer_text_of_a_pair_loses_its_end_first(tokenizer):
    assert cut(tokenizer, "red hat", "very soft wool dress fit", at=8) == [
        *("[CLS]", "red", "hat", "[SEP]", "very", "soft", "wool", "[SEP]"),
    ]
    first, second = tokenizer.encode(["red", "red"], ["hat", "hat wool fit dress"], 6)
    assert not first.was_truncated
    assert second.was_truncated
    assert len(second.ids) == 6


def test_a_text_that_just_fits_is_not_truncated(tokenizer):
    just, longer = tokenizer.encode(["red wool hat", "red wool hat size"], None, 5)
    assert not just.was_truncated
    assert longer.was_truncated
    assert just.ids == longer.ids


def test_names_of_special_pieces_in_a_text_are_text(tokenizer):
    assert cut(tokenizer, "[SEP]") == ["[CLS]", "[", "s", "##e", "##p", "]", "[SEP]"]
    special = {0, 2, 3, 4}
    ((pieces, _, _),) = tokenizer.encode(["[MASK] a [PAD][CLS] b [SEP]"], None, 64)
    assert special.isdisjoint(pieces[1:-1])


def test_a_mask_character_is_a_mask_where_asked_for(tokenizer):
    text = f"red {MASK_CHARACTER} hat{MASK_CHARACTER} [MASK]"
    masked = cut(tokenizer, text, mask_character=MASK_CHARACTER)
    assert masked[:5] == ["[CLS]", "red", "[MASK]", "hat", "[MASK]"]
    assert masked.count("[MASK]") == 2
    assert "[MASK]" not in cut(tokenizer, text)


def test_every_text_can_be_cut(tokenizer):
    texts = [
        "\x00\x1f",
        "\U0001f600",
        "caf\u00e9",
        "cafe\u0301",
        "我喜欢 red",
        " \n\t ",
        "a" * 5000,
    ]
    encoded = tokenizer.encode(texts, None, 16)
    assert [one.ids[0] for one in encoded] == [2] * len(texts)
    assert encoded[2].ids == encoded[3].ids
    assert encoded[1].ids[1] == tokenizer.unknown_id
    assert encoded[4].ids[1:4] == ids(tokenizer, "我", "喜", "欢")


def test_too_short_a_length_is_named(tokenizer):
    with pytest.raises(UserError, match=r"task\.max_length: 3 .* Set it to 4 or more"):
        tokenizer.encode(["a"], ["b"], 3)
    assert len(tokenizer.encode(["a b"], ["c d"], 4)[0].ids) == 4


def test_a_saved_tokenizer_cuts_alike_here_and_in_transformers(tokenizer, tmp_path):
    tokenizer.save(tmp_path)
    again = PieceTokenizer.load(tmp_path)
    theirs = AutoTokenizer.from_pretrained(tmp_path)
    texts = ["Red dresses!", "我喜欢 \U0001f600", "", "[SEP] hat [MASK]"]
    ours = [one.ids for one in tokenizer.encode(texts, None, 64)]
    assert [one.ids for one in again.encode(texts, None, 64)] == ours
    assert theirs(texts)["input_ids"] == ours
    assert (theirs.pad_token_id, theirs.mask_token_id) == (again.padding_id, again.mask_id)
    pair = theirs("red hat", "very soft wool dress fit", truncation=True, max_length=8)
    ((pieces, start, _),) = again.encode(["red hat"], ["very soft wool dress fit"], 8)
    assert pair["input_ids"] == pieces
    assert pair["token_type_ids"].index(1) == start


def test_saving_twice_gives_the_same_bytes_and_names_no_folder(tokenizer, tmp_path):
    tokenizer.save(tmp_path / "a")
    PieceTokenizer.load(tmp_path / "a").save(tmp_path / "b")
    names = sorted(path.name for path in (tmp_path / "a").iterdir())
    assert names == [
        *("special_tokens_map.json", "tokenizer.json", "tokenizer_config.json", "vocab.txt"),
    ]
    for name in names:
        data = (tmp_path / "a" / name).read_bytes()
        assert (tmp_path / "b" / name).read_bytes() == data
        assert str(tmp_path).encode() not in data
    pieces = (tmp_path / "a" / "vocab.txt").read_text(encoding="utf-8").splitlines()
    assert {piece: number for number, piece in enumerate(pieces)} == tokenizer.vocabulary


def test_a_damaged_or_missing_file_is_named(tokenizer, tmp_path):
    with pytest.raises(UserError, match=r"cannot be loaded.*tokenizer\.json"):
        PieceTokenizer.load(tmp_path)
    tokenizer.save(tmp_path)
    (tmp_path / "tokenizer.json").write_text("{}")
    with pytest.raises(UserError, match=str(tmp_path)):
        PieceTokenizer.load(tmp_path)


def test_a_tokenizer_without_padding_is_refused():
    with pytest.raises(UserError, match="pad_token"):
        PieceTokenizer(Tokenizer(models.WordLevel({"a": 0}, unk_token="a")), {})


def test_two_types_are_told_apart_only_by_tokenizers_that_do(tokenizer):
    """RoBERTa gives both texts of a pair type 0: its teacher must not be told of a second."""
    about = json.loads(tokenizer.backend.to_str())
    for one in about["post_processor"]["pair"]:
        next(iter(one.values()))["type_id"] = 0
    alike = PieceTokenizer(Tokenizer.from_str(json.dumps(about)), tokenizer.config)
    ((pieces, start, _),) = alike.encode(["red"], ["hat"], 8)
    assert start == len(pieces) == 5


@settings(max_examples=60, deadline=None)
@given(st.text(max_size=60), st.text(max_size=60), st.integers(4, 24))
def test_no_answer_is_longer_than_asked_for(tiny_bert, first, second, length):
    tokenizer = SESSION.setdefault("tiny", PieceTokenizer.load(tiny_bert))
    ((pieces, start, was_truncated),) = tokenizer.encode([first], [second], length)
    whole = tokenizer.encode([first], [second], 10_000)[0].ids
    assert len(pieces) == min(length, len(whole))
    assert was_truncated == (len(whole) > length)
    assert pieces[start - 1] == 3 or start == len(pieces)


def test_a_process_that_forks_after_cutting_hears_no_warning(tiny_bert):
    code = (
        "import os, sys; from pathlib import Path; "
        "from compress.tokenizers.tokenizer import PieceTokenizer as T; "
        f"T.load(Path({str(tiny_bert)!r})).encode(['red', 'hat'], None, 8); "
        "pid = os.fork(); os._exit(0) if pid == 0 else os.waitpid(pid, 0)"
    )
    environment = {key: value for key, value in os.environ.items() if "PARALLELISM" not in key}
    done = subprocess.run(
        [sys.executable, "-c", code], capture_output=True, text=True, env=environment, check=True
    )
    assert done.stderr == ""


def test_some_tokenizers_do_not_tell_the_texts_of_a_pair_apart(tokenizer):
    assert tokenizer.tells_texts_apart
    backend = Tokenizer.from_str(tokenizer.backend.to_str())
    backend.post_processor = processors.RobertaProcessing(("[SEP]", 3), ("[CLS]", 2))
    assert not PieceTokenizer(backend, tokenizer.config).tells_texts_apart
