"""Which items are candidates at a position."""

import torch

from compress.tasks.next_item import IMPOSSIBLE, hide_seen


def test_items_seen_up_to_the_position_are_no_candidates():
    history = torch.tensor([[0, 2, 4, 3]])  # items 0, 2, 1 of a catalogue of 4
    positions = torch.where(history != 0)
    hidden = hide_seen(torch.zeros(3, 4), history, positions) == IMPOSSIBLE
    assert hidden.tolist() == [
        [True, False, False, False],
        [True, False, True, False],
        [True, True, True, False],
    ]


def test_rows_of_a_batch_do_not_see_each_other():
    history = torch.tensor([[2, 3], [4, 5]])
    rows, columns = torch.tensor([1, 0]), torch.tensor([1, 1])
    hidden = hide_seen(torch.zeros(2, 4), history, (rows, columns)) == IMPOSSIBLE
    assert hidden.tolist() == [[False, False, True, True], [True, True, False, False]]


def test_padding_and_unknown_hide_nothing():
    history = torch.tensor([[0, 0, 1]])
    positions = (torch.tensor([0]), torch.tensor([2]))
    assert hide_seen(torch.ones(1, 3), history, positions).tolist() == [[1.0, 1.0, 1.0]]
