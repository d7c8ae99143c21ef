from pathlib import Path

from transformers import AutoTokenizer

from compress.tokenizers.characters import SPECIAL_PIECES, character_tokenizer
from compress.tokenizers.tokenizer import PieceTokenizer

TEXTS = ["我喜欢 Red", "cafe\u0301 我\n\x1f", "\U0001f600"]


def names(tokenizer: PieceTokenizer, text: str, second: str | None = None) -> list[str]:
    pair = None if second is None else [second]
    encoded = tokenizer.encode([text], pair, 64)[0]
    return [tokenizer.backend.id_to_token(piece) for piece in encoded.ids]


def test_the_vocabulary_is_special_pieces_and_characters_by_code_point():
    tokenizer = character_tokenizer(["ba A", "我a"])
    assert tokenizer.vocabulary == {
        **{piece: number for number, piece in enumerate(SPECIAL_PIECES)},
        **{"a": 5, "b": 6, "我": 7},
    }
    assert (tokenizer.padding_id, tokenizer.unknown_id, tokenizer.mask_id) == (0, 1, 4)
    assert tokenizer.pieces == 8


def test_characters_are_composed_and_in_lower_case():
    tokenizer = character_tokenizer(TEXTS)
    assert names(tokenizer, "我 RED caf\u00e9")[1:-1] == list("我redcaf\u00e9")
    assert names(tokenizer, "cafe\u0301") == names(tokenizer, "caf\u00e9")


def test_every_training_text_is_known_and_a_new_character_is_not():
    tokenizer = character_tokenizer(TEXTS)
    for text in TEXTS:
        assert "[UNK]" not in names(tokenizer, text)
    assert names(tokenizer, "我爱")[1:-1] == ["我", "[UNK]"]


def test_white_space_separates_and_is_no_piece():
    tokenizer = character_tokenizer(["a b\tc\n\u3000d"])
    assert names(tokenizer, "a b\tc\n\u3000d \u2028 a")[1:-1] == list("abcda")
    assert tokenizer.pieces == len(SPECIAL_PIECES) + 4


def test_rare_characters_are_left_out():
    tokenizer = character_tokenizer(["aab", "b c"], minimum_count=2)
    assert names(tokenizer, "abc")[1:-1] == ["a", "b", "[UNK]"]
    everything = character_tokenizer(["aab", "b c"], minimum_count=None)
    assert everything.vocabulary == character_tokenizer(["aab", "b c"]).vocabulary


def test_names_of_special_pieces_are_characters_too():
    tokenizer = character_tokenizer(["[SEP] [MASK]"])
    assert names(tokenizer, "[SEP]") == ["[CLS]", *"[sep]", "[SEP]"]


def test_pairs_have_two_types():
    tokenizer = character_tokenizer(["abc"])
    assert names(tokenizer, "a", "bc") == ["[CLS]", "a", "[SEP]", "b", "c", "[SEP]"]
    assert tokenizer.encode(["a"], ["bc"], 64)[0].second_start == 3


def test_transformers_opens_what_is_saved_and_cuts_alike(tmp_path: Path):
    tokenizer = character_tokenizer(TEXTS)
    tokenizer.save(tmp_path)
    theirs = AutoTokenizer.from_pretrained(tmp_path)
    for text in (*TEXTS, "new 字 [MASK]", ""):
        assert theirs(text)["input_ids"] == tokenizer.encode([text], None, 64)[0].ids
