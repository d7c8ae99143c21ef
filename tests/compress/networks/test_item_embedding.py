import torch

from compress.networks.item_embedding import hide_items, initial_table, with_special_rows


def test_padding_is_zero_and_the_catalogue_begins_at_code_2() -> None:
    coded = with_special_rows(torch.tensor([9.0, 8.0]), torch.tensor([[1.0, 2.0], [3.0, 4.0]]))
    expected = torch.tensor([[0.0, 0.0], [9.0, 8.0], [1.0, 2.0], [3.0, 4.0]])
    torch.testing.assert_close(coded, expected, rtol=0, atol=0)


def test_hidden_items_become_unknown_and_padding_stays() -> None:
    history = torch.tensor([[0, 0, 1, 2, 77]])
    assert hide_items(history, 1.0).tolist() == [[0, 0, 1, 1, 1]]
    assert hide_items(history, 0.0).tolist() == [[0, 0, 1, 2, 77]]


def test_the_share_of_hidden_items_is_the_probability() -> None:
    torch.manual_seed(0)
    hidden = hide_items(torch.full((100, 1000), 5), 0.1) == 1
    # Standard error of the share: sqrt(0.1 * 0.9 / 100,000) = 0.00095.
    assert abs(hidden.float().mean().item() - 0.1) < 4 * 0.00095


def test_a_fresh_table_is_small_and_trainable() -> None:
    torch.manual_seed(0)
    table = initial_table(1000, 16)
    assert table.requires_grad
    assert table.shape == (1000, 16)
    assert abs(table.std().item() - 0.02) < 0.001
