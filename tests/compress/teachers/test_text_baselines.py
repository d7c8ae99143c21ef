from pathlib import Path

import numpy as np
import pytest
from numpy.testing import assert_allclose, assert_array_equal
from sklearn.dummy import DummyClassifier
from tokenizers import Tokenizer
from tokenizers.models import WordLevel
from tokenizers.pre_tokenizers import Whitespace
from tokenizers.processors import TemplateProcessing

from compress.data.pieces import Batch, Pieces
from compress.data.text_dataset import TextDataset
from compress.errors import UserError
from compress.teachers.text_baselines import MajorityClass, fit_text_baselines, load_text_baseline
from compress.tokenizers.tokenizer import PieceTokenizer

SPECIAL = {"pad_token": "<pad>", "cls_token": "<s>", "sep_token": "</s>", "unk_token": "<unk>"}


def tokenizer() -> PieceTokenizer:
    """Cuts at spaces and, as MPNet's, gives both texts of a pair the same type."""
    words = [*SPECIAL.values(), "red", "blue", "dress", "shoe", "coat"]
    backend = Tokenizer(WordLevel({word: place for place, word in enumerate(words)}, "<unk>"))
    backend.pre_tokenizer = Whitespace()
    backend.add_special_tokens(list(SPECIAL.values()))
    backend.post_processor = TemplateProcessing(
        single="<s> $A </s>",
        pair="<s> $A </s> </s> $B </s>",
        special_tokens=[("<s>", 1), ("</s>", 2)],
    )
    return PieceTokenizer(backend, dict(SPECIAL))


def pieces_of(first: list[str], second: list[str] | None = None) -> Pieces:
    rows = tokenizer().encode(first, second, 32)
    lengths = np.array([len(row.ids) for row in rows])
    return Pieces(
        np.concatenate([row.ids for row in rows]).astype(np.int32),
        np.concatenate([[0], np.cumsum(lengths)]),
        np.array([row.second_start for row in rows], np.int32),
        tokenizer().padding_id,
    )


def whole(pieces: Pieces) -> Batch:
    return pieces.batch(np.arange(len(pieces)))


def dataset(target: str, classes: tuple[str, ...], *, is_pair: bool) -> TextDataset:
    return TextDataset(
        folder=Path(),
        name="shop",
        is_pair=is_pair,
        target=target,
        classes=classes,
        gains=None,
        counts={},
        warnings=(),
        split_rule={},
    )


TEXTS = ["red dress", "blue dress dress", "blue shoe", "red red shoe shoe"]


def test_majority_class_answers_the_shares_of_training() -> None:
    fitted = MajorityClass.fit(np.array([2, 0, 2, 2]), classes=4)
    assert_array_equal(fitted.answers(whole(pieces_of(TEXTS))), [[0.25, 0, 0.75, 0]] * 4)


def test_majority_class_equals_scikit_learns_prior() -> None:
    targets = np.random.default_rng(1).integers(0, 5, 50)
    reference = DummyClassifier(strategy="prior").fit(np.zeros((50, 1)), targets)
    expected = reference.predict_proba(np.zeros((4, 1)))
    fitted = MajorityClass.fit(targets, 5)
    assert_allclose(fitted.answers(whole(pieces_of(TEXTS))), expected, rtol=1e-6)


def test_majority_of_any_number_of_classes_is_each_ones_share() -> None:
    fitted = MajorityClass.fit(np.array([[1, 1], [0, 1]], dtype=np.float32), classes=2)
    assert_array_equal(fitted.answers(whole(pieces_of(TEXTS[:1]))), [[0.5, 1]])


def test_texts_are_held_against_the_majority_and_naive_bayes() -> None:
    data = dataset("one-of", ("dresses", "shoes"), is_pair=False)
    targets = np.array([0, 0, 1, 1])
    fitted = fit_text_baselines(data, pieces_of(TEXTS), targets, tokenizer())
    assert list(fitted) == ["majority-class", "naive-bayes"]
    answers = fitted["naive-bayes"].answers(whole(pieces_of(["dress", "shoe"])))
    assert answers.argmax(axis=1).tolist() == [0, 1]


def test_special_and_unknown_pieces_say_nothing_of_a_class() -> None:
    data = dataset("one-of", ("a", "b"), is_pair=False)
    texts = ["what is this", "red"]  # nothing known in the first one
    fitted = fit_text_baselines(data, pieces_of(texts), np.array([0, 1]), tokenizer())
    answers = fitted["naive-bayes"].answers(whole(pieces_of(["never seen", ""])))
    assert_allclose(answers, np.full((2, 2), 0.5))


@pytest.mark.parametrize(("target", "classes"), [("one-of", ("0", "1")), ("score", ())])
def test_pairs_are_held_against_bm25(target: str, classes: tuple[str, ...]) -> None:
    queries, products = ["red dress"] * 3, ["blue shoe", "red dress", "blue dress"]
    pieces = pieces_of(queries, products)
    targets = np.array([0, 1, 0]) if classes else np.array([0, 1, 0.5], dtype=np.float32)
    fitted = fit_text_baselines(
        dataset(target, classes, is_pair=True), pieces, targets, tokenizer()
    )
    assert list(fitted) == ["bm25"]
    found = fitted["bm25"].answers(whole(pieces))
    assert found.shape == (3, 2 if classes else 1)
    assert np.argsort(-found[:, -1]).tolist() == [1, 2, 0]


def test_an_unknown_word_of_a_query_is_no_match() -> None:
    data = dataset("score", (), is_pair=True)
    pieces = pieces_of(["purple dress"] * 2, ["orange shoe", "dress"])
    fitted = fit_text_baselines(data, pieces, np.zeros(2, np.float32), tokenizer())
    found = fitted["bm25"].answers(whole(pieces))
    assert found[0, 0] == 0 < found[1, 0]


@pytest.mark.parametrize("is_pair", [False, True])
def test_every_baseline_is_found_in_its_file(is_pair: bool, tmp_path: Path) -> None:
    pieces = pieces_of(TEXTS, TEXTS[::-1] if is_pair else None)
    data = dataset("one-of", ("a", "b"), is_pair=is_pair)
    for name, fitted in fit_text_baselines(
        data, pieces, np.array([0, 1, 1, 0]), tokenizer()
    ).items():
        fitted.save(tmp_path / f"{name}.npz")
        loaded = load_text_baseline(tmp_path / f"{name}.npz")
        assert loaded.name == name
        assert_array_equal(loaded.answers(whole(pieces)), fitted.answers(whole(pieces)))


def test_other_files_are_no_baselines(tmp_path: Path) -> None:
    (tmp_path / "text.npz").write_text("no")
    np.savez(tmp_path / "other.npz", name="else")
    for name in ("text.npz", "other.npz", "missing.npz"):
        with pytest.raises(UserError, match=f"{name} holds no text baseline"):
            load_text_baseline(tmp_path / name)


def test_the_same_training_gives_the_same_bytes(tmp_path: Path) -> None:
    for name in ("one", "other"):
        MajorityClass.fit(np.array([0, 1, 1]), 2).save(tmp_path / name)
    assert (tmp_path / "one").read_bytes() == (tmp_path / "other").read_bytes()
