"""What tokenizers make of each character."""

import json

import pytest
from tokenizers import Tokenizer, models, normalizers, pre_tokenizers

from export.onnx.character_rules import alike, character_rules, compositions, fates_of


def parts(normalizer, splitter):
    tokenizer = Tokenizer(models.WordLevel({}, unk_token=""))
    tokenizer.normalizer, tokenizer.pre_tokenizer = normalizer, splitter
    about = json.loads(tokenizer.to_str())
    return about["normalizer"], about["pre_tokenizer"]


BERT = parts(normalizers.BertNormalizer(), pre_tokenizers.BertPreTokenizer())
CASED = parts(normalizers.BertNormalizer(lowercase=False), pre_tokenizers.BertPreTokenizer())


def test_fates_are_words_with_spaces_between():
    fates = fates_of(*BERT)
    expected = {
        "A": "a",
        "\u00c9": "e",
        "\u0130": "i",
        "\n": " ",
        " ": " ",
        ".": " . ",
        "\u2014": " \u2014 ",
        "\u4e2d": " \u4e2d ",
        "\x07": "",
        "\u0301": "",
        "\ufffd": "",
        "\ud55c": "\u1112\u1161\u11ab",
    }
    assert {one: fates[one] for one in expected} == expected
    assert "a" not in fates  # it stays


def test_a_cased_tokenizer_keeps_case_and_accents():
    fates = fates_of(*CASED)
    assert "A" not in fates
    assert "\u00c9" not in fates


def test_the_table_has_what_pieces_are_made_of_and_where_words_end():
    rules = character_rules(fates_of(*BERT), frozenset("abe.\u4e2d"))
    table = rules.table
    assert [table[one] for one in "aAB\u00e9."] == ["a", "a", "b", "e", " . "]
    assert table["!"] == f" {rules.unknown} "
    assert table["\x07"] == ""
    assert table["\t"] == " "
    assert table["\u4e2d"] == " \u4e2d "
    assert "c" not in table  # unknown, as is every word that has it
    assert "\u6587" not in table  # unknown, and isolated by its range
    assert any(first <= ord("\u6587") <= last for first, last in rules.isolated)
    assert any(first <= 0xE000 <= last for first, last in rules.deleted)


def test_what_stands_for_the_unknown_is_in_no_piece():
    assert character_rules(fates_of(*BERT), frozenset("a\ue000")).unknown == "\ue001"


def test_a_tokenizer_that_looks_at_neighbours_is_refused():
    whole = pre_tokenizers.Split("\U00010380", "removed")
    with pytest.raises(ValueError, match="one character at a time"):
        fates_of(*parts(normalizers.Lowercase(), whole))


def test_compositions_come_in_every_order_that_means_the_same():
    found = compositions(frozenset("\ud55c"))
    assert found["e\u0301"] == "\u00e9"
    written = ("e\u0302\u0323", "e\u0323\u0302", "\u1eb9\u0302", "\u00ea\u0323")
    assert {found[one] for one in written} == {"\u1ec7"}
    assert found["\u1112\u1161\u11ab"] == found["\ud558\u11ab"] == "\ud55c"
    assert "\u1100\u1161" not in found  # a syllable that is no piece
    assert "\u0915\u093c" not in found  # Unicode keeps it apart


def test_alike_are_characters_that_unicode_has_twice():
    assert alike(["\u00c5", "a"]) == {"\u00c5": "\u00c5", "a": "a", "\u212b": "\u00c5"}
