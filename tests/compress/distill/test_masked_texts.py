"""Masked copies: the same ones every time, read as masks by every tokenizer."""

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from tokenizers import Tokenizer, models, normalizers, pre_tokenizers, processors

from compress.data.pieces import Pieces, write_pieces
from compress.data.text_dataset import Examples
from compress.distill.masked_texts import (
    MaskedTextCutter,
    UnmaskedTexts,
    masked_copies,
    read_masked_copies,
    write_masked_copies,
)
from compress.tokenizers.characters import character_tokenizer
from compress.tokenizers.tokenizer import MASK_CHARACTER, PieceTokenizer

ALPHABET = "abcdefghijklmnopqrstuvwxyz"


def word_pieces() -> PieceTokenizer:
    """Special pieces, some words, and letters to begin a word with and to go on."""
    vocabulary = [
        "[PAD]",
        "[UNK]",
        "[CLS]",
        "[SEP]",
        "[MASK]",
        "red",
        "shoe",
        "##s",
        "big",
        "dress",
    ]
    vocabulary += [*ALPHABET, *(f"##{letter}" for letter in ALPHABET if letter != "s")]
    ids = {piece: number for number, piece in enumerate(vocabulary)}
    backend = Tokenizer(models.WordPiece(ids, unk_token="[UNK]"))
    backend.normalizer = normalizers.BertNormalizer()
    backend.pre_tokenizer = pre_tokenizers.BertPreTokenizer()
    backend.add_special_tokens(vocabulary[:5])
    backend.post_processor = processors.TemplateProcessing(
        single="[CLS] $A [SEP]",
        pair="[CLS] $A [SEP] $B:1 [SEP]:1",
        special_tokens=[("[CLS]", 2), ("[SEP]", 3)],
    )
    roles = {f"{role}_token": f"[{role.upper()}]" for role in ("pad", "unk", "cls", "sep", "mask")}
    return PieceTokenizer(backend, roles)


def masked(text, share, copies=1, seed=1, **given):
    return masked_copies(
        [text], None, word_pieces(), share=share, copies=copies, seed=seed, **given
    )[0]


def test_a_share_of_the_pieces_is_masked_and_nothing_else_changed():
    text = "Big red  shoes, Big red dress"  # big red shoe ##s , big red dress: seven known of eight
    (copy,) = masked(text, 0.5)
    assert copy.count(MASK_CHARACTER) == 4
    kept = [part for part in copy.split(MASK_CHARACTER) if part]
    at = 0
    for part in kept:  # in their order, letter for letter
        at = text.index(part, at) + len(part)


def test_masking_every_piece_leaves_what_is_between_them():
    assert masked("Red  shoes dress", 0.99) == ["\ufffc  \ufffc\ufffc \ufffc"]


def test_at_least_one_piece_is_masked_and_an_empty_text_stays_empty():
    assert masked("red", 0.01) == [MASK_CHARACTER]
    assert masked("", 0.5) == [""]
    assert masked("  ", 0.5) == ["  "]


def test_each_copy_and_row_has_a_choice_of_its_own_that_never_changes():
    text = "red shoe red shoe red shoe red shoe red shoe"
    copies = masked(text, 0.2, copies=6)
    assert len(set(copies)) > 1
    assert copies == masked(text, 0.2, copies=6)
    assert copies[:2] == masked(text, 0.2, copies=2)
    assert copies != masked(text, 0.2, copies=6, seed=2)
    both, _ = masked_copies([text, text], None, word_pieces(), share=0.2, copies=2, seed=1)
    assert both[:2] == copies[:2]
    assert both[2:] == masked(text, 0.2, copies=2, first_row=1)


def test_a_pair_is_masked_as_one():
    first, second = masked_copies(
        ["red"], ["shoe dress big"], word_pieces(), share=0.5, copies=8, seed=1
    )
    assert second is not None
    counts = [(a + b).count(MASK_CHARACTER) for a, b in zip(first, second, strict=True)]
    assert counts == [2] * 8
    assert any(MASK_CHARACTER in one for one in first)
    assert not all(MASK_CHARACTER in one for one in first)


@pytest.mark.parametrize("tokenizer", [word_pieces(), character_tokenizer([ALPHABET])])
def test_tokenizers_read_the_mask_as_their_own(tokenizer):
    (encoded,) = MaskedTextCutter(tokenizer).encode([f"red {MASK_CHARACTER} big"], None, 32)
    assert encoded.ids.count(tokenizer.mask_id) == 1
    assert tokenizer.unknown_id not in encoded.ids
    (unmasked,) = tokenizer.encode(["red  big"], None, 32)
    assert [one for one in encoded.ids if one != tokenizer.mask_id] == unmasked.ids


@settings(max_examples=60, deadline=None)
@given(st.text(max_size=30), st.floats(0.01, 0.99), st.integers(0, 99))
def test_any_text_loses_what_is_masked_and_gains_nothing(text, share, seed):
    text = text.replace(MASK_CHARACTER, "")
    (copy,) = masked(text, share, seed=seed)
    rest = iter(text)
    assert all(letter in rest for letter in copy.replace(MASK_CHARACTER, ""))


@pytest.mark.parametrize("pairs", [False, True])
def test_copies_on_disk_are_those_in_memory(tmp_path, pairs):
    import pyarrow as pa

    rng = np.random.default_rng(0)
    words = np.array(["red", "shoes", "big", "dress"])
    texts = [" ".join(rng.choice(words, 5)) for _ in range(1500)]  # more than are cut at once
    column = pa.chunked_array([pa.array(texts, pa.large_string())])
    zeros = np.zeros(len(texts), np.int64)
    examples = Examples(column, column if pairs else None, zeros, zeros)
    how = {"share": 0.3, "copies": 2, "seed": 5}
    write_masked_copies(tmp_path, examples, word_pieces(), **how)
    found = read_masked_copies(tmp_path)
    assert len(found) == 3000
    second = texts if pairs else None
    expected = masked_copies(texts, second, word_pieces(), **how)
    assert found.texts(np.arange(3000)) == expected


def test_copies_are_cut_into_pieces_with_masks(tmp_path):
    import pyarrow as pa

    column = pa.chunked_array([pa.array(["red shoes"] * 3, pa.large_string())])
    examples = Examples(column, None, np.zeros(3), np.zeros(3, np.int64))
    write_masked_copies(tmp_path, examples, word_pieces(), share=0.3, copies=1, seed=1)
    cutter = MaskedTextCutter(word_pieces())
    write_pieces(tmp_path, "train", cutter, read_masked_copies(tmp_path), 16)
    batch = Pieces.open(tmp_path, "train", 0).batch(np.arange(3))
    assert (batch.input_ids == word_pieces().mask_id).sum(axis=1).tolist() == [1, 1, 1]


def test_a_mask_character_of_a_real_text_is_a_space():
    import pyarrow as pa

    first, second = (
        pa.chunked_array([pa.array(texts, pa.large_string())])
        for texts in (["a", f"red{MASK_CHARACTER}shoe"], [MASK_CHARACTER, "b"])
    )
    zeros = np.zeros(2, np.int64)
    pairs = UnmaskedTexts(Examples(first, second, zeros, zeros))
    assert len(pairs) == 2
    assert pairs.texts(np.array([1, 0])) == (["red shoe", "a"], ["b", " "])
    assert UnmaskedTexts(Examples(first, None, zeros, zeros)).texts(np.array([0])) == (["a"], None)
