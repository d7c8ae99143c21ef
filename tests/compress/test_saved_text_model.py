import json
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
import torch
from safetensors.torch import load_file, save_file
from torch.testing import assert_close
from transformers import AutoModelForSequenceClassification, AutoTokenizer, pipeline

from compress.errors import RunError
from compress.networks.hugging_face import HuggingFaceModel
from compress.recipe import (
    BertStudent,
    MeanPooledStudent,
    MobileBertStudent,
    TextCnnStudent,
    TextStudent,
)
from compress.saved_text_model import is_saved, load_text_model, save_text_model, served_bytes
from compress.tokenizers.characters import character_tokenizer
from compress.tokenizers.tokenizer import PieceTokenizer

CLASSES = ("dresses", "jeans", "knits")
SECTIONS: list[TextStudent] = [
    BertStudent(kind="bert", width=16, layers=2, heads=2),
    MobileBertStudent(
        kind="mobilebert", width=16, bottleneck=8, embedding_width=8, layers=2, heads=2,
        intermediate=8, feed_forwards=2,
    ),
    TextCnnStudent(kind="text-cnn", width=8, filters=4),
    MeanPooledStudent(kind="mean-pooled", width=8, hidden=(8,), residual=True),
]  # fmt: skip


@pytest.fixture(scope="module")
def tokenizer(tiny_bert: Path) -> PieceTokenizer:
    return PieceTokenizer.load(tiny_bert)


def build(section: TextStudent, tokenizer: PieceTokenizer, outputs: int = 3) -> Any:
    torch.manual_seed(0)
    return section.build(
        pieces=tokenizer.pieces, outputs=outputs, max_length=16, padding_id=tokenizer.padding_id
    ).eval()


def answer(model: Any, tokenizer: PieceTokenizer, text: str) -> torch.Tensor:
    ids = torch.tensor([tokenizer.encode([text], None, 16)[0].ids])
    with torch.no_grad():
        return model(ids, torch.ones_like(ids), torch.zeros_like(ids)).logits


@pytest.mark.parametrize("section", SECTIONS, ids=lambda section: section.kind)
def test_every_student_comes_back_as_it_was(section, tokenizer, tmp_path):
    model = build(section, tokenizer)
    assert not is_saved(tmp_path)
    save_text_model(tmp_path, model, tokenizer, CLASSES, "one-of", section=section)
    assert is_saved(tmp_path)
    saved = load_text_model(tmp_path)
    assert (saved.classes, saved.target) == (CLASSES, "one-of")
    assert saved.section.arguments() == section.arguments()
    assert not saved.model.training
    assert saved.tokenizer.vocabulary == tokenizer.vocabulary
    assert_close(saved.model.state_dict(), model.state_dict(), atol=0, rtol=0)
    before = answer(model, tokenizer, "Red wool hat")
    assert_close(answer(saved.model, saved.tokenizer, "Red wool hat"), before)


@pytest.mark.parametrize("section", SECTIONS, ids=lambda section: section.kind)
def test_only_safetensors_and_text_files_are_written(section, tokenizer, tmp_path):
    model = build(section, tokenizer)
    save_text_model(tmp_path, model, tokenizer, CLASSES, "one-of", section=section)
    names = {path.name for path in tmp_path.iterdir()}
    assert {"model.json", "model.safetensors", "tokenizer.json", "vocab.txt"} <= names
    assert {Path(name).suffix for name in names} == {".json", ".safetensors", ".txt"}
    for path in tmp_path.iterdir():
        assert str(tmp_path).encode() not in path.read_bytes()


def test_saving_twice_gives_the_same_bytes(tokenizer, tmp_path):
    for section in SECTIONS:
        for folder in ("a", "b"):
            place = tmp_path / section.kind / folder
            model = build(section, tokenizer)
            save_text_model(place, model, tokenizer, CLASSES, "one-of", section=section)
        first, second = (
            {path.name: path.read_bytes() for path in (tmp_path / section.kind / one).iterdir()}
            for one in ("a", "b")
        )
        assert first == second


@pytest.mark.parametrize("section", SECTIONS[:2], ids=lambda section: section.kind)
def test_transformers_opens_the_folder(section, tokenizer, tmp_path):
    model = build(section, tokenizer)
    save_text_model(tmp_path, model, tokenizer, CLASSES, "one-of", section=section)
    theirs = AutoModelForSequenceClassification.from_pretrained(tmp_path)
    assert theirs.config.id2label == dict(enumerate(CLASSES))
    assert theirs.config.label2id["knits"] == 2
    assert theirs.config.problem_type == "single_label_classification"
    classify = pipeline(
        "text-classification", model=theirs, tokenizer=AutoTokenizer.from_pretrained(tmp_path)
    )
    ours = answer(model, tokenizer, "red [SEP] hat").softmax(dim=1)[0]
    (best,) = classify("red [SEP] hat")
    assert best["label"] == CLASSES[int(ours.argmax())]
    assert best["score"] == pytest.approx(float(ours.max()), abs=1e-5)


def test_a_teacher_has_no_section(tiny_bert, tokenizer, tmp_path):
    loaded = AutoModelForSequenceClassification.from_pretrained(
        tiny_bert, attn_implementation="eager"
    )
    save_text_model(tmp_path, HuggingFaceModel(loaded), tokenizer, ("a", "b"), "any-of")
    saved = load_text_model(tmp_path)
    assert (saved.section, saved.target, saved.classes) == (None, "any-of", ("a", "b"))
    assert saved.model.model.config.problem_type == "multi_label_classification"
    ids = torch.tensor([[2, 50, 3]])
    features = saved.model(ids, torch.ones_like(ids), torch.zeros_like(ids), features=True)
    assert len(features.attentions) == 2


def test_a_score_has_no_classes(tokenizer, tmp_path):
    model = build(SECTIONS[0], tokenizer, outputs=1)
    save_text_model(tmp_path, model, tokenizer, (), "score", section=SECTIONS[0])
    saved = load_text_model(tmp_path)
    assert (saved.classes, saved.target, saved.model.outputs) == ((), "score", 1)
    assert saved.model.model.config.problem_type == "regression"


def test_classes_are_any_text(tokenizer, tmp_path):
    names = ('连衣裙 "A"', "</script>", "a\nb")
    model = build(SECTIONS[0], tokenizer)
    save_text_model(tmp_path, model, tokenizer, names, "one-of", section=SECTIONS[0])
    assert load_text_model(tmp_path).classes == names


def test_a_student_of_characters_is_saved(tmp_path):
    tokenizer = character_tokenizer(["我喜欢这条裙子"])
    model = build(SECTIONS[2], tokenizer)
    save_text_model(tmp_path, model, tokenizer, CLASSES, "one-of", section=SECTIONS[2])
    saved = load_text_model(tmp_path)
    before = answer(model, tokenizer, "我喜欢")
    assert_close(answer(saved.model, saved.tokenizer, "我喜欢"), before)


def test_what_cannot_be_built_again_is_not_saved(tokenizer, tmp_path):
    with pytest.raises(ValueError, match="2 classes for 3 outputs"):
        save_text_model(tmp_path, build(SECTIONS[0], tokenizer), tokenizer, ("a", "b"), "one-of")
    with pytest.raises(ValueError, match="section"):
        save_text_model(tmp_path, build(SECTIONS[2], tokenizer), tokenizer, CLASSES, "one-of")


def test_served_bytes_are_the_weights(tokenizer, tmp_path):
    for section in SECTIONS:
        model = build(section, tokenizer)
        folder = tmp_path / section.kind
        save_text_model(folder, model, tokenizer, CLASSES, "one-of", section=section)
        assert served_bytes(folder) == sum(one.nbytes for one in model.state_dict().values())


@pytest.fixture
def folder(tokenizer, tmp_path) -> Path:
    model = build(SECTIONS[2], tokenizer)
    save_text_model(tmp_path, model, tokenizer, CLASSES, "one-of", section=SECTIONS[2])
    return tmp_path


def _drop(name: str) -> Callable[[Path], None]:
    return lambda folder: (folder / name).unlink()


def _cut(name: str) -> Callable[[Path], None]:
    return lambda folder: (folder / name).write_bytes((folder / name).read_bytes()[:-40])


def _other_shape(folder: Path) -> None:
    weights = load_file(folder / "model.safetensors")
    weights["output.bias"] = torch.zeros(7)
    save_file(weights, folder / "model.safetensors")


def _own_kind(folder: Path) -> None:
    about = json.loads((folder / "model.json").read_text())
    about["section"]["kind"] = "os.system"
    (folder / "model.json").write_text(json.dumps(about))


@pytest.mark.parametrize(
    "damage",
    [
        *(_drop("model.json"), _drop("model.safetensors"), _drop("tokenizer.json")),
        *(_cut("model.json"), _cut("model.safetensors"), _cut("tokenizer.json")),
        *(_other_shape, _own_kind),
    ],
)
def test_a_damaged_folder_is_named(folder, damage):
    damage(folder)
    with pytest.raises(RunError, match="cannot be loaded") as caught:
        load_text_model(folder)
    assert str(folder) in str(caught.value)


def test_a_hugging_face_model_that_lacks_a_weight_is_not_filled_up_at_random(tokenizer, tmp_path):
    save_text_model(tmp_path, build(SECTIONS[0], tokenizer), tokenizer, CLASSES, "one-of")
    weights = load_file(tmp_path / "model.safetensors")
    del weights["bert.pooler.dense.bias"]
    save_file(weights, tmp_path / "model.safetensors", metadata={"format": "pt"})
    with pytest.raises(RunError, match=r"lacks bert\.pooler\.dense\.bias"):
        load_text_model(tmp_path)
    (tmp_path / "model.safetensors").write_bytes(b"")
    for read in (load_text_model, served_bytes):
        with pytest.raises(RunError, match=str(tmp_path)):
            read(tmp_path)
