"""What a model is asked in: MLPerf LoadGen's four scenarios.

Reddi et al. 2020, "MLPerf Inference Benchmark", section 4; LoadGen's own rules say which
results are valid. Its durations are the recipe's, not MLPerf's ten minutes.
"""

from dataclasses import dataclass
from typing import TYPE_CHECKING

if TYPE_CHECKING:  # The measured process reads this, and is to stay small.
    from compress.recipe import ScenarioName


MOST_SERVER_QUERIES = 50_000_000
"""Of one run: LoadGen prepares them all, and each takes 8 bytes of ours."""


@dataclass(frozen=True)
class Scenario:
    """One scenario with its load.

    Raises:
        ValueError: The fields do not fit the scenario.
    """

    name: "ScenarioName"
    queries: int
    """Ask at least so many..."""
    seconds: float
    """...and for at least so long, after the warm-up."""
    batch: int = 1
    """Examples of a call: what an offline system puts together, or of a multi-stream query."""
    rate: float | None = None
    """Server: queries a second that arrive, Poisson distributed."""
    bound_ms: float | None = None
    """Server: the p99 that a valid result keeps to."""

    def __post_init__(self) -> None:
        is_server = self.name == "server"
        if self.queries < 1 or self.seconds <= 0 or self.batch < 1:
            raise ValueError("queries, seconds and batch of a scenario must be above 0")
        if self.batch != 1 and self.name in ("single-stream", "server"):
            raise ValueError(f"{self.name} asks one example at a time, not {self.batch}")
        if not is_server and (self.rate, self.bound_ms) != (None, None):
            raise ValueError(f"{self.name} has neither a rate nor a bound; server has")
        if is_server and (self.rate is None or self.bound_ms is None):
            raise ValueError("server needs a rate, and the bound of its p99")
