"""The trained models called like any file."""

import json

import numpy as np
import pytest
import torch

from compress.errors import RunError, UserError
from export.pytorch.emit import emit_pytorch
from export.pytorch.run import PyTorchRunner


def emitted(tmp_path, saved, **changes):
    path = tmp_path / "student.json"
    options = {
        "top_k": 25,
        "mask_seen": True,
        "is_ensemble": False,
        "trained_on_unseen": True,
        **changes,
    }
    emit_pytorch(path, [saved], **options)
    return path


def test_answers_are_the_deploy_modules(tmp_path, saved_student, deploy, histories):
    with PyTorchRunner(emitted(tmp_path, saved_student)) as runner:
        answers = runner({"history": histories})
    with torch.inference_mode():
        expected = deploy()(torch.from_numpy(histories))
    assert np.array_equal(answers["item_ids"], expected[0].numpy())
    assert np.allclose(answers["scores"], expected[1].numpy(), atol=1e-5)


def test_an_ensemble_of_one_ranks_as_its_member(tmp_path, saved_student, histories):
    with PyTorchRunner(emitted(tmp_path, saved_student)) as runner:
        alone = runner({"history": histories})["item_ids"]
    with PyTorchRunner(emitted(tmp_path, saved_student, is_ensemble=True)) as runner:
        together = runner({"history": histories})["item_ids"]
    assert (alone == together).mean() > 0.999


@pytest.mark.parametrize("is_ensemble", [True, False])
@pytest.mark.parametrize("mask_seen", [True, False])
def test_teacher_and_student_leave_out_blocked_items(
    tmp_path, saved_student, histories, is_ensemble, mask_seen
):
    options = {"is_ensemble": is_ensemble, "mask_seen": mask_seen}
    with PyTorchRunner(emitted(tmp_path, saved_student, **options)) as runner:
        before = runner({"history": histories})["item_ids"]
    blocked = np.unique(before[:, 0])[:40].tolist()
    path = emitted(tmp_path, saved_student, blocked=blocked, **options)
    with PyTorchRunner(path) as runner:
        after = runner({"history": histories})["item_ids"]
    assert np.isin(before, blocked).any()
    assert not np.isin(after, blocked).any()
    assert (after != 0).all()


def test_without_blocked_items_a_description_says_nothing_of_them(tmp_path, saved_student):
    assert "blocked" not in emitted(tmp_path, saved_student).read_text()


def test_threads_are_set_inside_and_restored(tmp_path, saved_student):
    before = torch.get_num_threads()
    with PyTorchRunner(emitted(tmp_path, saved_student), threads=2):
        assert torch.get_num_threads() == 2
    assert torch.get_num_threads() == before


def test_nothing_but_known_models_is_built(tmp_path, saved_student):
    (tmp_path / "bad.json").write_text("{}")
    with pytest.raises(UserError, match="does not describe"), PyTorchRunner(tmp_path / "bad.json"):
        pass
    model = json.loads((saved_student / "model.json").read_text())
    model["section"]["kind"] = "os:system"
    copy = tmp_path / "copy"
    copy.mkdir()
    (copy / "model.json").write_text(json.dumps(model))
    (copy / "model.safetensors").write_bytes((saved_student / "model.safetensors").read_bytes())
    with pytest.raises(RunError, match="cannot be loaded"), PyTorchRunner(emitted(tmp_path, copy)):
        pass
