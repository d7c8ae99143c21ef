"""Checkpoints: whole or not there, and only data."""

import pickle
import resource

import pytest
import torch

from compress.distill.checkpoints import AtomicCheckpointIO, load_checkpoint


def test_what_is_saved_is_loaded(tmp_path):
    path = tmp_path / "deep" / "last.ckpt"
    AtomicCheckpointIO().save_checkpoint({"weight": torch.ones(2), "epoch": 3}, path)
    loaded = load_checkpoint(path)
    assert loaded is not None
    assert torch.equal(loaded["weight"], torch.ones(2))
    assert [one.name for one in path.parent.iterdir()] == ["last.ckpt"]


def test_where_there_is_none_there_is_none(tmp_path):
    assert load_checkpoint(tmp_path / "last.ckpt") is None


def test_a_failed_save_leaves_the_last_one(tmp_path):
    path = tmp_path / "last.ckpt"
    AtomicCheckpointIO().save_checkpoint({"epoch": 1}, path)
    with pytest.raises((AttributeError, pickle.PicklingError)):
        AtomicCheckpointIO().save_checkpoint({"epoch": lambda: 2}, path)
    assert load_checkpoint(path) == {"epoch": 1}


def test_the_best_one_is_its_weights_alone(tmp_path):
    """The state of the optimizer is twice as large, and is in the last one."""
    state = {"state_dict": {"weight": torch.ones(2)}, "optimizer_states": [torch.ones(4)]}
    for name in ("best", "last"):
        AtomicCheckpointIO().save_checkpoint(state, tmp_path / f"{name}.ckpt")
    assert set(load_checkpoint(tmp_path / "best.ckpt")) == {"state_dict"}
    assert set(load_checkpoint(tmp_path / "last.ckpt")) == set(state)


def test_a_full_disk_is_an_error_of_the_operating_system(tmp_path):
    """Which a run turns into a message; PyTorch's own error would be a traceback."""
    soft, hard = resource.getrlimit(resource.RLIMIT_FSIZE)
    resource.setrlimit(resource.RLIMIT_FSIZE, (10_000, hard))
    try:
        with pytest.raises(OSError, match="File too large"):
            AtomicCheckpointIO().save_checkpoint({"w": torch.ones(10_000)}, tmp_path / "last.ckpt")
    finally:
        resource.setrlimit(resource.RLIMIT_FSIZE, (soft, hard))
    assert load_checkpoint(tmp_path / "last.ckpt") is None


class Hostile:
    def __reduce__(self):
        return print, ("code of a checkpoint ran",)


def test_code_in_a_checkpoint_does_not_run(tmp_path, capsys):
    path = tmp_path / "last.ckpt"
    torch.save({"epoch": Hostile()}, path)
    with pytest.raises(pickle.UnpicklingError):
        load_checkpoint(path)
    assert capsys.readouterr().out == ""
