"""Which example a file is counted with, and which way."""

import numpy as np
import pytest

from benchmarks.roofline.counting import count_graph, counted_with, example_rows
from compress.errors import UserError
from export.samples import Samples

PIECES = Samples(
    {"input_ids": np.ones((5, 9), np.int32)}, lengths=np.array([9, 2, 4, 3, 7], np.int32)
)
TEXTS = Samples({"text": np.array(["aaaaaaa", "aa", "a", "aaa", "aaaaaaaaa"], dtype=object)})


def test_the_example_has_the_median_length_and_texts_get_the_same_one():
    """Lengths 2 3 4 7 9: the third has 4 pieces, though its text is the shortest."""
    assert example_rows({"texts": TEXTS, "pieces": PIECES}) == {"texts": 2, "pieces": 2}


def test_without_pieces_characters_are_counted():
    """Characters 1 2 3 7 9: the fourth text."""
    assert example_rows({"texts": TEXTS}) == {"texts": 3}


def test_histories_of_one_length_are_all_the_same():
    histories = Samples({"history": np.ones((4, 6), np.int32)})
    assert example_rows({"histories": histories}) == {"histories": 0}
    assert counted_with("onnx", histories, 0) == "history [1, 6]"


def test_what_it_was_counted_with_is_said():
    assert counted_with("onnx", PIECES, 2) == "input_ids [1, 4]"
    assert counted_with("onnx", TEXTS, 3) == "text of 3 characters"
    assert counted_with("litert", PIECES, 2) == "the file's own sizes"


def test_an_engine_is_not_counted_and_the_reason_is_given(tmp_path):
    engine = tmp_path / "student.engine"
    engine.write_bytes(b"engine")
    with pytest.raises(UserError, match="does not tell its operators"):
        count_graph("tensorrt", engine, PIECES, 0)


def test_a_model_without_a_graph_is_not_counted(tmp_path):
    with pytest.raises(UserError, match="no graph to count"):
        count_graph("pytorch", tmp_path, PIECES, 0)
