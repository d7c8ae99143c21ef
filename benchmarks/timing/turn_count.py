"""How often models are asked in turn; see `benchmarks.timing.turns`."""

from dataclasses import dataclass


@dataclass(frozen=True)
class Turns:
    """How often models are asked in turn.

    Raises:
        ValueError: There are no turns.
    """

    restarts: int = 6
    """So many processes of each model, one after the other..."""
    rounds: int = 4
    """...have so many turns each."""

    def __post_init__(self) -> None:
        if self.restarts < 1 or self.rounds < 1:
            raise ValueError(f"{self} has no turns")

    @property
    def total(self) -> int:
        """Turns of each model."""
        return self.restarts * self.rounds
