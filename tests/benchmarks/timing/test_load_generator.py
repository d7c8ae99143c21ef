"""What LoadGen is told before it asks."""

import pytest

from benchmarks.timing.load_generator import WarmedUp, server_rate
from benchmarks.timing.scenario import Scenario

SERVER = Scenario("server", queries=64, seconds=1.0, bound_ms=100.0)


@pytest.mark.parametrize(
    ("usual_us", "rate"),
    [(10_000.0, 50.0), (90.0, 5_000.0), (1.0, 45_454.5)],
)
def test_without_a_rate_a_server_is_sent_half_of_what_it_could_answer(usual_us, rate):
    """What a query costs beside the call is in it: no model answers 500,000 queries a second."""
    warmed = WarmedUp(fastest_ns=1, usual_ns=usual_us * 1e3)
    assert server_rate(SERVER, warmed) == pytest.approx(rate, rel=2e-3)


def test_a_rate_that_is_asked_for_is_sent():
    asked = Scenario("server", queries=64, seconds=1.0, rate=123.0, bound_ms=100.0)
    assert server_rate(asked, WarmedUp(1, 1e6)) == 123.0
    assert server_rate(Scenario("offline", queries=1, seconds=1.0), WarmedUp(1, 1e6)) is None
