import json
from pathlib import Path

import numpy as np
import pytest
import torch
from numpy.testing import assert_allclose, assert_array_equal
from transformers import BertConfig, BertModel, BertTokenizerFast

from compress.errors import DownloadError, UserError
from compress.teachers.encoder import item_text_embeddings

WORDS = ["[PAD]", "[UNK]", "[CLS]", "[SEP]", "red", "blue", "shoe", "hat", "wool"]


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A tiny BERT with random weights, saved as transformers saves it."""
    path = tmp_path_factory.mktemp("encoder")
    (path / "vocab.txt").write_text("\n".join(WORDS))
    BertTokenizerFast(vocab_file=str(path / "vocab.txt")).save_pretrained(path)
    torch.manual_seed(0)
    config = BertConfig(
        vocab_size=len(WORDS),
        hidden_size=8,
        num_hidden_layers=1,
        num_attention_heads=2,
        intermediate_size=16,
        max_position_embeddings=12,
        initializer_range=0.5,
    )
    BertModel(config).save_pretrained(path, safe_serialization=True)
    return path


def test_a_text_is_the_normalised_mean_over_its_pieces(folder: Path) -> None:
    model = BertModel.from_pretrained(folder).eval()
    ids = torch.tensor([[2, 4, 6, 3]])  # [CLS] red shoe [SEP]
    with torch.no_grad():
        mean = model(input_ids=ids).last_hidden_state[0].mean(dim=0).numpy()
    embedded = item_text_embeddings(str(folder), ["red shoe"])
    assert embedded.dtype == np.float32
    assert_allclose(embedded[0], mean / np.linalg.norm(mean), atol=1e-5)


def test_neighbours_in_a_batch_and_their_order_change_nothing(folder: Path) -> None:
    texts = ["blue wool hat red shoe", "hat", "red shoe", "wool"] * 40
    together = item_text_embeddings(str(folder), texts)
    assert_allclose(together[2], item_text_embeddings(str(folder), ["red shoe"])[0], atol=1e-5)
    assert_allclose(together[::-1], item_text_embeddings(str(folder), texts[::-1]), atol=1e-5)


def test_an_empty_text_is_zero(folder: Path) -> None:
    embedded = item_text_embeddings(str(folder), ["", "hat", "  "])
    assert_array_equal(embedded[[0, 2]], np.zeros((2, 8)))
    assert_allclose(np.linalg.norm(embedded[1]), 1.0, rtol=1e-5)


def test_no_texts_at_all(folder: Path) -> None:
    assert item_text_embeddings(str(folder), []).shape == (0, 8)


def test_a_text_beyond_the_encoders_positions_is_cut_off(folder: Path) -> None:
    long = item_text_embeddings(str(folder), ["wool " * 100])
    assert_allclose(long, item_text_embeddings(str(folder), ["wool " * 10]), atol=1e-6)


def test_a_missing_folder_is_named() -> None:
    with pytest.raises(UserError, match=r"no folder \./nowhere/model"):
        item_text_embeddings("./nowhere/model", ["hat"])


def test_a_folder_without_a_model_is_named_with_what_it_needs(tmp_path: Path) -> None:
    with pytest.raises(UserError, match="model.safetensors") as caught:
        item_text_embeddings(str(tmp_path), ["hat"])
    assert str(tmp_path) in str(caught.value)


def test_pickled_weights_are_not_loaded(folder: Path, tmp_path: Path) -> None:
    for file in folder.iterdir():
        if file.suffix != ".safetensors":
            (tmp_path / file.name).write_bytes(file.read_bytes())
    torch.save(BertModel.from_pretrained(folder).state_dict(), tmp_path / "pytorch_model.bin")
    with pytest.raises(UserError, match="model.safetensors"):
        item_text_embeddings(str(tmp_path), ["hat"])


def test_code_that_comes_with_a_model_is_not_run(folder: Path, tmp_path: Path) -> None:
    for file in folder.iterdir():
        (tmp_path / file.name).write_bytes(file.read_bytes())
    config = json.loads((tmp_path / "config.json").read_text())
    config["model_type"] = "never-heard-of"
    config["auto_map"] = {"AutoModel": "own.Own", "AutoConfig": "own.OwnConfig"}
    (tmp_path / "config.json").write_text(json.dumps(config))
    (tmp_path / "own.py").write_text("raise SystemExit('this code ran')")
    with pytest.raises(UserError, match="holds no encoder that can be loaded"):
        item_text_embeddings(str(tmp_path), ["hat"])


def test_a_hub_model_that_cannot_be_had_says_what_else_to_give(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("huggingface_hub.constants.HF_HUB_OFFLINE", True)
    with pytest.raises(DownloadError, match="Give a folder"):
        item_text_embeddings("nobody/nothing", ["hat"], cache=tmp_path)
