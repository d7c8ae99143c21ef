"""Real inputs to trace with, in the shapes that a format asks for."""

import torch


def test_histories_have_their_one_length(next_item_source):
    (history,) = next_item_source.example(batch=100)
    assert history.shape == (100, next_item_source.length)
    assert history.dtype == torch.int32
    assert torch.equal(history[0], history[64])  # 64 examples, repeated


def test_texts_are_cut_or_padded_on_the_right(text_source_of):
    source = text_source_of("bert")
    short, mask = source.example(batch=2, length=4)
    assert short.shape == mask.shape == (2, 4)
    long, mask = source.example(batch=1)
    assert long.shape == (1, source.length)
    assert mask[0, -1] == 0
    assert mask[0, 0] == 1


def test_there_is_one_input_a_tensor_of_the_signature(text_source_of):
    assert len(text_source_of("bert").example()) == 2
    assert len(text_source_of("bert", is_pair=True).example()) == 3
