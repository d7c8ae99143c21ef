"""Networks on disk."""

import json

import pytest
import torch

from compress.errors import RunError
from compress.recipe import TextSequence, TransformerStudent
from compress.saved_model import is_saved, load_model, save_model, served_bytes

STUDENT = TransformerStudent(kind="transformer", width=8, heads=2)
TEACHER = TextSequence(kind="text-sequence", width=8, layers=2, heads=2)
HISTORY = torch.tensor([[0, 2, 5, 9]])


def student():
    torch.manual_seed(0)
    return STUDENT.build(items=10, history_length=4).eval()


def teacher(texts):
    torch.manual_seed(0)
    return TEACHER.build(items=10, history_length=4, text_embeddings=texts).eval()


@pytest.mark.parametrize(
    ("network", "section"),
    [(student, STUDENT), (lambda: teacher(torch.randn(10, 5)), TEACHER)],
)
def test_what_is_saved_loads_as_the_same_network(tmp_path, network, section):
    built = network()
    assert not is_saved(tmp_path)
    save_model(tmp_path, built, section, 10, 4)
    assert is_saved(tmp_path)
    loaded = load_model(tmp_path)
    assert not loaded.training
    with torch.inference_mode():
        assert torch.equal(loaded.last_state(HISTORY), built.last_state(HISTORY))


def test_served_bytes_leave_out_what_is_folded_into_the_item_table(tmp_path):
    plain, texts = teacher(None), teacher(torch.randn(10, 5))
    for name, network in (("plain", plain), ("texts", texts)):
        save_model(tmp_path / name, network, TEACHER, 10, 4)
    expected = sum(value.nbytes for value in plain.state_dict().values())
    assert served_bytes(tmp_path / "plain") == served_bytes(tmp_path / "texts") == expected


def test_the_same_network_gives_the_same_files(tmp_path):
    for name in "ab":
        save_model(tmp_path / name, student(), STUDENT, 10, 4)
    one, other = ((tmp_path / name / "model.safetensors").read_bytes() for name in "ab")
    assert one == other


def test_damaged_or_foreign_files_are_one_clear_error(tmp_path):
    save_model(tmp_path, student(), STUDENT, 10, 4)
    description = (tmp_path / "model.json").read_text()
    weights = (tmp_path / "model.safetensors").read_bytes()

    def refused():
        with pytest.raises(RunError, match="cannot be loaded"):
            load_model(tmp_path)

    (tmp_path / "model.safetensors").write_bytes(weights[: len(weights) // 2])
    refused()
    (tmp_path / "model.safetensors").write_bytes(b"\x80\x04cposix\nsystem\n.")
    refused()
    (tmp_path / "model.safetensors").write_bytes(weights)
    (tmp_path / "model.json").write_text(json.dumps({**json.loads(description), "items": 11}))
    refused()
    (tmp_path / "model.json").write_text("{")
    refused()
    (tmp_path / "model.json").unlink()
    refused()
