import pytest

from benchmarks.bench.options import load_of
from benchmarks.bench.plan import Load
from compress.errors import UserError


def read(**changes):
    given = {
        "targets": ["cpu"],
        "scenarios": ["single-stream"],
        "threads": ["1"],
        "batches": ["1", "8"],
        "streams": 8,
        "seconds": 10.0,
        "queries": 1024,
        "rate": 100.0,
        "bound_ms": 100.0,
    }
    return load_of(**{**given, **changes})


def test_lists_are_written_with_commas_or_one_by_one():
    assert read(batches=["1,8", "32"]).batches == (1, 8, 32)
    assert read(threads=["1, 2,1"]).threads == (1, 2)
    assert read() == Load(batches=(1, 8))


def test_a_measurement_is_made_once_unless_more_tries_are_allowed():
    assert read().tries == 1
    assert read(tries=3).tries == 3
    with pytest.raises(UserError, match="--tries 0: it must be at least 1"):
        read(tries=0)


def test_all_means_every_one():
    assert read(scenarios=["all"]).scenarios == (
        *("single-stream", "multi-stream"),
        *("offline", "server"),
    )
    assert read(targets=["all"]).targets == ("cpu", "browser")


@pytest.mark.parametrize(
    ("wrong", "says"),
    [
        ({"scenarios": ["ofline"]}, "--scenario ofline: .*Did you mean offline?"),
        ({"targets": ["phone"]}, "--target phone: it is one of cpu, browser"),
        ({"threads": ["two"]}, "--threads two: give whole numbers"),
        ({"batches": ["0"]}, "--batch 0: give whole numbers from 1"),
        ({"seconds": 0.0}, "--seconds 0: it must be a number above 0"),
        ({"bound_ms": float("nan")}, "--bound-ms nan: it must be a number above 0"),
        ({"rate": -1.0}, "--rate -1"),
        ({"rate": 0.0}, "--rate 0: it must be a number above 0"),
        ({"rate": float("inf")}, "--rate inf"),
        ({"threads": [""]}, "--threads: nothing is given"),
        ({"queries": 0}, "--queries 0: it must be at least 1"),
    ],
)
def test_what_is_wrong_is_said_by_its_option(wrong, says):
    with pytest.raises(UserError, match=says):
        read(**wrong)
