"""Trained text models called like any file."""

import json
import subprocess
import sys

import numpy as np
import pytest
import torch
from transformers import AutoModelForSequenceClassification

from compress.errors import RunError, UserError
from compress.networks.hugging_face import HuggingFaceModel
from compress.recipe import MeanPooledStudent
from compress.saved_text_model import save_text_model
from compress.tokenizers.tokenizer import PieceTokenizer
from export.pytorch.emit_text import emit_pytorch_text
from export.pytorch.run_text import PyTorchTextRunner
from export.samples import Samples
from export.text_samples import cut_samples

TEXTS = ["love this dress", "", "too small, not the color of the picture"]


@pytest.fixture(scope="module")
def tokenizer(tiny_bert):
    return PieceTokenizer.load(tiny_bert)


@pytest.fixture(scope="module")
def samples(tokenizer) -> Samples:
    return cut_samples(tokenizer, TEXTS, None, 32)


@pytest.fixture
def describe(tmp_path, tiny_bert, tokenizer):
    """`describe(target, gains)`: a saved BERT and its description."""

    def describe(target="one-of", gains=None):
        changes = {"num_labels": 1} if target == "score" else {}
        model = AutoModelForSequenceClassification.from_pretrained(
            tiny_bert, attn_implementation="eager", ignore_mismatched_sizes=True, **changes
        )
        classes = () if target == "score" else ("bad", "good")
        save_text_model(
            tmp_path / "model", HuggingFaceModel(model.eval()), tokenizer, classes, target
        )
        emit_pytorch_text(tmp_path / "row.json", tmp_path / "model", gains)
        return tmp_path / "row.json"

    return describe


def logits(folder, inputs):
    model = AutoModelForSequenceClassification.from_pretrained(folder, attn_implementation="eager")
    with torch.inference_mode():
        given = {name: torch.from_numpy(array).long() for name, array in inputs.items()}
        return model.eval()(**given).logits


def test_answers_are_the_softmax_of_transformers_own(describe, tmp_path, samples):
    inputs = samples.batch(slice(0, 3))
    with PyTorchTextRunner(describe()) as runner:
        answers = runner(inputs)
    expected = logits(tmp_path / "model", inputs).softmax(dim=1).numpy()
    assert list(answers) == ["probabilities"]
    assert answers["probabilities"].dtype == np.float32
    assert np.allclose(answers["probabilities"], expected, atol=1e-6)


def test_each_text_alone_is_answered_as_in_a_batch(describe, samples):
    with PyTorchTextRunner(describe()) as runner:
        together = runner(samples.batch(slice(0, 3)))["probabilities"]
        alone = [runner(samples.row(at))["probabilities"] for at in range(3)]
    assert np.allclose(together, np.concatenate(alone), atol=1e-5)


def test_any_number_of_classes_is_a_sigmoid_each(describe, tmp_path, samples):
    inputs = samples.row(0)
    with PyTorchTextRunner(describe("any-of")) as runner:
        answer = runner(inputs)["probabilities"]
    assert np.allclose(answer, logits(tmp_path / "model", inputs).sigmoid().numpy(), atol=1e-6)


def test_grades_come_with_their_expected_gain(describe, samples):
    with PyTorchTextRunner(describe(gains=(0.0, 3.0))) as runner:
        answers = runner(samples.batch(slice(0, 3)))
    assert answers["score"].shape == (3,)
    assert np.allclose(answers["score"], 3.0 * answers["probabilities"][:, 1], atol=1e-6)


def test_a_score_is_the_number_itself(describe, tmp_path, samples):
    inputs = samples.row(2)
    with PyTorchTextRunner(describe("score")) as runner:
        answers = runner(inputs)
    assert list(answers) == ["score"]
    assert np.allclose(answers["score"], logits(tmp_path / "model", inputs)[:, 0].numpy())


def test_threads_are_set_inside_and_restored(describe):
    before = torch.get_num_threads()
    with PyTorchTextRunner(describe(), threads=before + 1):
        assert torch.get_num_threads() == before + 1
    assert torch.get_num_threads() == before


def test_loading_imports_no_model_code_that_was_not_there_before(
    describe, tmp_path, tokenizer, samples
):
    """Neither for a Hugging Face model nor for one of our own: loading time leaves imports out."""
    samples.save(tmp_path / "samples.npz")
    section = MeanPooledStudent(kind="mean-pooled", width=8, hidden=(8,))
    model = section.build(
        pieces=tokenizer.pieces, outputs=2, max_length=32, padding_id=tokenizer.padding_id
    )
    folder = tmp_path / "own"
    save_text_model(folder, model, tokenizer, ("bad", "good"), "one-of", section=section)
    emit_pytorch_text(tmp_path / "own.json", folder)
    code = (
        "import sys; from pathlib import Path; from export.runner import *\n"
        "from export.samples import Samples\n"
        "samples = Samples.load(Path(sys.argv[1]))\n"
        "specs = [RunnerSpec('pytorch-text', row) for row in sys.argv[2:]]\n"
        "for spec in specs: import_runtime(spec)\n"
        "runners = [open_runner(spec) for spec in specs]\n"
        "before = set(sys.modules)\n"
        "for runner in runners:\n"
        "    with runner: runner(samples.row(0))\n"
        "print(*sorted(set(sys.modules) - before))"
    )
    rows = [str(describe()), str(tmp_path / "own.json")]
    done = subprocess.run(
        [sys.executable, "-c", code, str(tmp_path / "samples.npz"), *rows],
        capture_output=True,
        text=True,
        check=True,
    )
    own = ("torch", "transformers", "compress", "export", "tokenizers", "safetensors", "scipy")
    assert [name for name in done.stdout.split() if name.split(".")[0] in own] == []


def test_what_is_no_model_is_a_clear_error(tmp_path, describe):
    (tmp_path / "bad.json").write_text("{}")
    with (
        pytest.raises(UserError, match="does not describe"),
        PyTorchTextRunner(tmp_path / "bad.json"),
    ):
        pass
    row = describe()
    (tmp_path / "model" / "model.json").write_text(json.dumps({"format": "pickle"}))
    with pytest.raises(RunError, match="cannot be loaded"), PyTorchTextRunner(row):
        pass
