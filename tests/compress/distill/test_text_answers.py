"""Answers to many texts do not depend on how they are put into batches."""

import numpy as np
import pytest
import torch

from compress.data.pieces import Pieces
from compress.distill.text_answers import BATCH, text_logits
from compress.students.mean_pooled import MeanPooledStudent


@pytest.fixture
def pieces():
    random = np.random.default_rng(0)
    lengths = random.integers(1, 9, BATCH + 7)
    flat = random.integers(1, 20, lengths.sum()).astype(np.int32)
    return Pieces(flat, np.concatenate([[0], np.cumsum(lengths)]), lengths.astype(np.int32), 0)


@pytest.fixture
def model():
    torch.manual_seed(0)
    given = {"pieces": 20, "outputs": 3, "max_length": 8, "padding_id": 0}
    return MeanPooledStudent(width=8, hidden=(8,), dropout=0.0, residual=False, **given).eval()


def test_every_row_is_answered_as_if_alone_and_in_order(model, pieces):
    rows = np.random.default_rng(1).permutation(len(pieces))
    together = text_logits(model, pieces, rows)
    for place in (0, 5, len(rows) - 1):
        alone = text_logits(model, pieces, rows[place : place + 1])
        np.testing.assert_allclose(together[place], alone[0], atol=1e-5)


def test_the_share_that_is_done_ends_at_one(model, pieces):
    told = []
    text_logits(model, pieces, np.arange(len(pieces)), advance=told.append)
    assert told == [BATCH / len(pieces), 1.0]


def test_half_precision_is_near_and_the_answer_is_fp32(model, pieces):
    rows = np.arange(len(pieces))
    exact, half = (text_logits(model, pieces, rows, precision=name) for name in ("fp32", "bf16"))
    assert half.dtype == np.float32
    assert not np.array_equal(exact, half)
    np.testing.assert_allclose(exact, half, atol=0.05)
