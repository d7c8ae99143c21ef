"""What every next-item network can do, teacher or student."""

from typing import Protocol

from torch import Tensor
from torch.nn import functional


class SequenceModel(Protocol):
    """A network that reads a history of item codes and scores the catalogue.

    Histories are int `[B, L]`: 0 is padding (on the left), 1 an unknown item, `i + 2` the i-th item
    of the catalogue. Scores are over the catalogue only: class `i` is code `i + 2`.
    """

    items: int
    """Size of the catalogue."""
    history_length: int
    """L."""

    def states(self, history: Tensor) -> Tensor:
        """Return `[B, L, W]`: the state at each position, which predicts the item after it."""
        ...

    def last_state(self, history: Tensor) -> Tensor:
        """Return `[B, W]`: `states(history)[:, -1]`, without the work for other positions."""
        ...

    def head(self) -> tuple[Tensor, Tensor]:
        """Return the scoring table `[items, W]` and the bias of each item `[items]`."""
        ...


def catalogue_logits(model: SequenceModel, states: Tensor) -> Tensor:
    """Score the catalogue for each state.

    Args:
        model: The network that made the states.
        states: `[..., W]`.

    Returns:
        `[..., items]`.
    """
    table, bias = model.head()
    return functional.linear(states, table, bias)
