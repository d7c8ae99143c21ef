import numpy as np
import pytest

from benchmarks.bench.made_up import UNKNOWN_ROWS, made_up_samples, what_was_made_up
from compress.errors import UserError
from export.file_inputs import FileInput

HISTORY = FileInput("history", "int32", (None, 50), 1684)


def test_histories_are_padded_on_the_left_and_stay_inside_the_catalogue():
    history = made_up_samples([HISTORY], "x.onnx").arrays["history"]
    assert history.shape == (256, 50)
    assert history.dtype == np.int32
    real = history != 0
    assert (np.diff(real.astype(int), axis=1) >= 0).all()  # once it begins, it goes on
    assert real.any(axis=1).all()
    assert history[real].min() >= 2
    assert history.max() < 1684
    assert len(np.unique(real.sum(axis=1))) > 20  # of many lengths


def test_pieces_come_with_their_mask_in_the_types_of_the_file():
    inputs = [
        FileInput("input_ids", "int64", (None, 24), 2933),
        FileInput("attention_mask", "int64", (None, 24)),
        FileInput("token_type_ids", "int64", (None, 24)),
    ]
    arrays = made_up_samples(inputs, "x.onnx", 64).arrays
    assert {one.dtype for one in arrays.values()} == {np.dtype("int64")}
    assert arrays["input_ids"].min() >= 1
    assert 2000 < arrays["input_ids"].max() < 2933
    assert (arrays["attention_mask"] == 1).all()
    assert (arrays["token_type_ids"] == 0).all()


def test_ids_of_a_table_of_unknown_size_are_small():
    pieces = FileInput("input_ids", "int32", (1, 16))
    assert made_up_samples([pieces], "x.tflite").arrays["input_ids"].max() < UNKNOWN_ROWS
    assert what_was_made_up([pieces]) == "made up: input_ids with ids below 100"


def test_texts_are_texts():
    texts = made_up_samples([FileInput("text", "string", (None,))], "x.onnx").arrays["text"]
    assert all(isinstance(one, str) and len(one.split()) >= 3 for one in texts)


def test_the_same_inputs_every_time():
    first, second = (made_up_samples([HISTORY], "x.onnx") for _ in range(2))
    assert first.sha256() == second.sha256()


@pytest.mark.parametrize(
    "strange",
    [
        FileInput("mel_frames", "int16", (None, None)),
        FileInput("notes", "string", (None,)),
        FileInput("image", "float32", (1, 3, None, None)),
    ],
)
def test_what_nothing_is_known_of_is_asked_for(strange):
    with pytest.raises(UserError, match="--inputs FILE.npz") as error:
        made_up_samples([HISTORY, strange], "x.onnx")
    assert strange.name in str(error.value)
    assert "history" not in str(error.value)
