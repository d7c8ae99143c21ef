import pytest

from benchmarks.bench.plan import Load
from compress.recipe import Benchmark


def slugs(load):
    return [case.slug for case in load.cases()]


def test_every_scenario_on_every_number_of_threads():
    load = Load(
        scenarios=("single-stream", "multi-stream", "offline", "server"),
        threads=(1, 2),
        batches=(1, 8),
        streams=4,
    )
    one = [
        "cpu-single-stream-1t",
        "cpu-multi-stream-1t-batch-4",
        "cpu-offline-1t",
        "cpu-offline-1t-batch-8",
        "cpu-server-1t",
    ]
    assert slugs(load) == [*one, *(name.replace("1t", "2t") for name in one)]


def test_the_browser_is_asked_one_query_at_a_time():
    load = Load(targets=("cpu", "browser"), scenarios=("single-stream", "offline"), batches=(8,))
    assert slugs(load) == [
        "cpu-single-stream-1t",
        "cpu-offline-1t-batch-8",
        "browser-single-stream-1t",
    ]


def test_what_is_named_twice_is_measured_once():
    load = Load(scenarios=("offline", "offline"), threads=(1, 1), batches=(8, 8))
    assert slugs(load) == ["cpu-offline-1t-batch-8"]


def test_enough_queries_for_the_percentile_that_a_scenario_is_judged_by():
    load = Load(scenarios=("single-stream", "multi-stream", "server"), queries=64)
    asked = {case.scenario.name: case.scenario.queries for case in load.cases()}
    assert asked == {"single-stream": 64, "multi-stream": 662, "server": 662}  # p90, p99, p99


def test_a_server_has_its_rate_and_its_bound():
    (case,) = Load(scenarios=("server",), rate=20.0, bound_ms=50.0).cases()
    assert (case.scenario.rate, case.scenario.bound_ms) == (20.0, 50.0)


def test_a_recipe_leaves_single_stream_to_the_latency_of_every_row():
    benchmark = Benchmark(scenarios=("single-stream", "offline"), batches=(1,), scenario_seconds=2)
    (case,) = Load.of_recipe(benchmark).cases()
    assert (case.scenario.name, case.scenario.seconds) == ("offline", 2)
    assert not list(Load.of_recipe(Benchmark()).cases())


@pytest.mark.parametrize("scenario", ["single-stream", "server"])
def test_scenarios_of_one_example_have_no_batch(scenario):
    (case,) = Load(scenarios=(scenario,), batches=(32,), streams=8).cases()
    assert case.scenario.batch == 1
