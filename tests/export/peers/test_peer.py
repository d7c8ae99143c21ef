import numpy as np

from export.peers import peer
from export.peers.peer import default_preset, native_samples
from export.samples import Samples


def test_pieces_come_in_the_type_that_a_peer_takes_with_token_types():
    pieces = {
        "input_ids": np.array([[2, 7, 3]], np.int32),
        "attention_mask": np.array([[1, 1, 1]], np.int32),
    }
    found = native_samples(Samples(pieces, np.array([3])), "int64")
    assert {name: array.dtype for name, array in found.arrays.items()} == {
        "input_ids": np.int64,
        "attention_mask": np.int64,
        "token_type_ids": np.int64,
    }
    assert found.arrays["token_type_ids"].tolist() == [[0, 0, 0]]
    assert found.row(0)["input_ids"].tolist() == [[2, 7, 3]]


def test_what_tells_two_texts_apart_is_kept():
    pieces = {"input_ids": np.array([[2, 7]]), "token_type_ids": np.array([[0, 1]], np.int32)}
    assert native_samples(Samples(pieces), "int64").arrays["token_type_ids"].tolist() == [[0, 1]]


def test_histories_have_no_token_types():
    samples = Samples({"history": np.array([[0, 5]], np.int32)})
    assert list(native_samples(samples, "int64").arrays) == ["history"]
    assert native_samples(samples, "int32").arrays["history"].dtype == np.int32


def test_int8_is_laid_out_for_this_processor(monkeypatch):
    for machine, preset in (("x86_64", "avx512_vnni"), ("arm64", "arm64"), ("aarch64", "arm64")):
        monkeypatch.setattr(peer.platform, "machine", lambda machine=machine: machine)
        assert default_preset() == preset
