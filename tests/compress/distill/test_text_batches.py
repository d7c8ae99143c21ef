"""Batches of texts: every one once an epoch, like lengths together, labels with their texts."""

import numpy as np
import torch

from compress.data.pieces import Pieces
from compress.distill.soft_labels import SoftLabels, layout, write_soft_labels
from compress.distill.text_batches import batches_by_length, text_batches, training_batches


def pieces(count=1000, longest=100):
    """Every piece of text i is i + 1, so that it can be told from a batch."""
    lengths = np.random.default_rng(0).integers(1, longest, count)
    offsets = np.concatenate([[0], np.cumsum(lengths)])
    flat = np.repeat(np.arange(1, count + 1), lengths)
    return Pieces(flat.astype(np.int32), offsets, lengths.astype(np.int32), padding_id=0)


PIECES = pieces()
TARGETS = np.arange(1000)


def epoch(number, *, seed=1, rows=1000, targets=TARGETS, soft=None, size=16):
    loader = training_batches(
        PIECES, rows=rows, targets=targets, soft_labels=soft, batch_size=size, seed=seed
    )
    loader.sampler.set_epoch(number)
    batches = list(loader)
    assert len(loader) == len(batches)
    return batches


def texts_of(batch):
    return batch.input_ids[:, 0].numpy() - 1


def test_every_text_comes_once_with_its_own_target():
    found = np.concatenate([texts_of(batch) for batch in epoch(0)])
    assert sorted(found) == list(range(1000))
    for batch in epoch(0):
        assert np.array_equal(batch.targets.numpy(), texts_of(batch))
        assert np.array_equal(batch.attention_mask, batch.input_ids != 0)


def test_order_depends_on_seed_and_epoch_alone():
    def order(number, seed):
        return [texts_of(batch).tolist() for batch in epoch(number, seed=seed)]

    assert order(3, 1) == order(3, 1)
    assert order(3, 1) != order(4, 1)
    assert order(3, 1) != order(3, 2)


def test_number_of_batches_is_the_same_every_epoch():
    assert {len(epoch(number, size=48)) for number in range(4)} == {21}


def test_little_is_padding_and_lengths_come_in_any_order():
    batches = epoch(0)
    filled = sum(int(batch.attention_mask.sum()) for batch in batches)
    assert filled > 0.9 * sum(batch.attention_mask.numel() for batch in batches)
    longest = [batch.input_ids.shape[1] for batch in batches]
    assert abs(np.corrcoef(longest, np.arange(len(longest)))[0, 1]) < 0.5


def test_texts_without_a_label_have_soft_labels_alone(tmp_path):
    logits = torch.arange(1000.0)[:, None].repeat(1, 2)
    plan = layout(1000, 2, None, 1.0)
    write_soft_labels(tmp_path, plan, lambda start, stop: logits[start:stop])
    for batch in epoch(0, targets=TARGETS[:300], soft=SoftLabels(tmp_path)):
        rows = texts_of(batch)
        assert np.array_equal(rows[batch.labelled.numpy()], batch.targets.numpy())
        assert (batch.targets < 300).all()
        assert len(batch.targets) == (rows < 300).sum()
        assert np.allclose(batch.soft.logits[:, 0], rows)


def test_without_soft_labels_only_the_first_rows_are_used():
    found = np.concatenate([texts_of(batch) for batch in epoch(0, rows=300, targets=TARGETS[:300])])
    assert sorted(found) == list(range(300))


def test_texts_by_length_are_all_there():
    rows = batches_by_length(PIECES, 64)
    assert sorted(np.concatenate(rows)) == list(range(1000))
    assert (np.diff(PIECES.lengths[np.concatenate(rows)]) >= 0).all()
    for batch, own in zip(text_batches(PIECES, rows), rows, strict=True):
        assert np.array_equal(texts_of(batch), own)


def test_a_batch_moves_as_one():
    batch = epoch(0)[0].to(torch.device("meta"))
    tensors = [one for one in vars(batch).values() if one is not None]
    assert {one.device.type for one in tensors} == {"meta"}
    assert len(tensors) == 5
    assert len(batch) == 16
