import os
import sys

import pytest

from benchmarks.timing import isolation
from benchmarks.timing.isolation import allowed_cpus, choose_cpus, environment, pin


@pytest.fixture
def two_hardware_threads_a_core(monkeypatch):
    monkeypatch.setattr(isolation, "_core", lambda cpu: str(cpu % 4))


def test_processors_of_different_cores_are_chosen_first(two_hardware_threads_a_core):
    """0 and 4, 1 and 5 ... share a core."""
    every = tuple(range(8))
    assert choose_cpus(1, every) == (7,)
    assert choose_cpus(4, every) == (4, 5, 6, 7)
    assert choose_cpus(5, every) == (3, 4, 5, 6, 7)


def test_too_few_processors_are_left_alone():
    assert choose_cpus(3, (0, 1)) == ()
    assert choose_cpus(1, ()) == ()
    assert pin(()) is False


@pytest.mark.skipif(sys.platform != "linux", reason="other systems do not pin")
def test_a_thread_is_pinned_if_the_system_has_the_processor():
    before = allowed_cpus()
    try:
        assert pin(before[-1:])
        assert os.sched_getaffinity(0) == {before[-1]}
        assert pin((4095,)) is False
    finally:
        pin(before)


def test_the_environment_sets_the_thread_counts_and_finds_our_packages(monkeypatch):
    monkeypatch.setenv("PYTHONPATH", "/mine")
    monkeypatch.setenv("OMP_NUM_THREADS", "64")
    found = environment(2)
    assert found["OMP_NUM_THREADS"] == found["MKL_NUM_THREADS"] == "2"
    assert found["PYTHONPATH"].split(os.pathsep)[1] == "/mine"
