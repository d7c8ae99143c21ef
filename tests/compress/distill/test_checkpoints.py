"""Checkpoints: whole or not there, and only data."""

import pickle

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


class Hostile:
    def __reduce__(self):
        return print, ("code of a checkpoint ran",)


def test_code_in_a_checkpoint_does_not_run(tmp_path, capsys):
    path = tmp_path / "last.ckpt"
    torch.save({"epoch": Hostile()}, path)
    with pytest.raises(pickle.UnpicklingError):
        load_checkpoint(path)
    assert capsys.readouterr().out == ""
