import torch
from torch import Tensor

from compress.networks.sequence_model import catalogue_logits


class TwoItems:
    items = 2
    history_length = 3

    def states(self, history: Tensor) -> Tensor:
        return torch.zeros(*history.shape, 2)

    def last_state(self, history: Tensor) -> Tensor:
        return self.states(history)[:, -1]

    def head(self) -> tuple[Tensor, Tensor]:
        return torch.tensor([[1.0, 2.0], [3.0, -1.0]]), torch.tensor([0.5, 10.0])


def test_a_logit_is_the_product_with_the_items_row_plus_its_bias() -> None:
    states = torch.tensor([[1.0, 1.0], [2.0, 0.0]])
    expected = torch.tensor([[3.5, 12.0], [2.5, 16.0]])
    torch.testing.assert_close(catalogue_logits(TwoItems(), states), expected)
    torch.testing.assert_close(catalogue_logits(TwoItems(), states[None]), expected[None])
