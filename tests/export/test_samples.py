"""What models are asked with."""

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from export.samples import Samples

IDS = np.array([[5, 6, 7, 0], [8, 0, 0, 0], [9, 9, 0, 0]], np.int32)
LENGTHS = np.array([3, 1, 2], np.int32)
PIECES = Samples({"input_ids": IDS, "attention_mask": (IDS != 0).astype(np.int32)}, LENGTHS)


def test_a_row_is_a_batch_of_one_without_padding():
    row = PIECES.row(0)
    assert row["input_ids"].tolist() == [[5, 6, 7]]
    assert row["attention_mask"].tolist() == [[1, 1, 1]]
    assert PIECES.row(1)["input_ids"].shape == (1, 1)


def test_without_lengths_nothing_is_cut_off():
    histories = Samples({"history": IDS})
    assert histories.row(1)["history"].tolist() == [[8, 0, 0, 0]]
    assert histories.batch(slice(1, 3))["history"].tolist() == IDS[1:].tolist()


def test_a_row_is_not_copied_and_lies_in_one_piece():
    row = PIECES.row(0)["input_ids"]
    assert np.shares_memory(row, PIECES.arrays["input_ids"])
    assert row.flags.c_contiguous


def test_a_batch_is_padded_to_its_longest_row():
    batch = PIECES.batch(np.array([1, 2]))
    assert batch["input_ids"].tolist() == [[8, 0], [9, 9]]
    assert batch["attention_mask"].tolist() == [[1, 0], [1, 1]]
    assert batch["input_ids"].flags.c_contiguous


def test_some_can_be_taken_in_any_order():
    taken = PIECES.take(np.array([2, 0]))
    assert len(taken) == 2
    assert [taken.row(at)["input_ids"].tolist() for at in (0, 1)] == [[[9, 9]], [[5, 6, 7]]]


def test_numbers_read_back(tmp_path):
    PIECES.save(tmp_path / "pieces.npz")
    back = Samples.load(tmp_path / "pieces.npz")
    assert back.arrays["input_ids"].dtype == np.int32
    assert {name: array.tolist() for name, array in back.arrays.items()} == {
        name: array.tolist() for name, array in PIECES.arrays.items()
    }
    assert back.lengths.tolist() == [3, 1, 2]


@given(st.lists(st.tuples(st.text(), st.text()), min_size=1, max_size=5))
def test_any_texts_read_back_whole(tmp_path_factory, pairs):
    file = tmp_path_factory.mktemp("texts") / "texts.npz"
    arrays = {
        name: np.array([pair[at] for pair in pairs], dtype=object)
        for at, name in enumerate(("query", "product"))
    }
    Samples(arrays).save(file)
    back = Samples.load(file)
    assert list(zip(*(back.arrays[name] for name in ("query", "product")), strict=True)) == pairs


def test_texts_are_held_once_and_given_out_as_objects():
    texts = Samples({"text": np.array(["", "x" * 10_000, "\U0001f457"])})
    assert texts.arrays["text"].dtype == object
    row = texts.row(1)["text"]
    assert row.shape == (1,)
    assert row[0] is texts.arrays["text"][1]


def test_a_file_is_the_same_bytes_each_time_and_holds_no_pickle(tmp_path):
    texts = Samples({"text": np.array(["red dress", "红色连衣裙"])})
    for name in ("a.npz", "b.npz"):
        texts.save(tmp_path / name)
    assert (tmp_path / "a.npz").read_bytes() == (tmp_path / "b.npz").read_bytes()
    with np.load(tmp_path / "a.npz", allow_pickle=False) as stored:
        assert all(stored[name].dtype != object for name in stored.files)


@pytest.mark.parametrize(
    ("arrays", "lengths"),
    [
        ({}, None),
        ({"a": IDS, "b": IDS[:2]}, None),
        ({"a": IDS}, LENGTHS[:2]),
        ({"a": IDS}, np.array([3, 0, 2])),
        ({"a": IDS}, np.array([3, 5, 2])),
        ({"a": np.array(["x", "y", "z"])}, LENGTHS),
        ({"a": np.array(["x", 3, None], dtype=object)}, None),
    ],
)
def test_arrays_that_do_not_belong_together_are_refused(arrays, lengths):
    with pytest.raises(ValueError, match="samples need|lengths are|must hold texts"):
        Samples(arrays, lengths)


def test_the_hash_is_of_names_contents_and_lengths():
    ids = np.array([[1, 2], [3, 0]], np.int32)
    one = Samples({"input_ids": ids}, np.array([2, 1], np.int32))
    assert one.sha256() == Samples({"input_ids": ids.copy()}, np.array([2, 1], np.int32)).sha256()
    others = [
        Samples({"input_ids": ids}),
        Samples({"input_ids": ids}, np.array([2, 2], np.int32)),
        Samples({"history": ids}),
        Samples({"input_ids": ids[::-1]}),
        Samples({"input_ids": ids.astype(np.int64)}),
        Samples({"text": np.array(["a", "b"])}),
        Samples({"text": np.array(["a", "c"])}),
    ]
    assert len({one.sha256(), *(other.sha256() for other in others)}) == 8
