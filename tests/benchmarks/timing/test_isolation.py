import os
import sys

import pytest

from benchmarks.timing import isolation
from benchmarks.timing.isolation import (
    allowed_cpus,
    choose_cpus,
    environment,
    failure,
    forget_peak_memory,
    memory_mb,
    pin,
    run_apart,
)
from compress.errors import UserError


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


TRACEBACK = """a warning
Traceback (most recent call last):
  File "first.py", line 3, in main
    first()
  File "second.py", line 4, in first
    second()
    ^^^^^^^^
"""
OF_ONNX_RUNTIME = """onnxruntime.capi.Fail: [ONNXRuntimeError] : 1 : FAIL : Load model failed:
 model.onnx: Protobuf parsing failed.
 (of 12 bytes)"""


@pytest.mark.parametrize(
    ("stderr", "said"),
    [
        (TRACEBACK + OF_ONNX_RUNTIME, OF_ONNX_RUNTIME),
        (TRACEBACK + "\n" + TRACEBACK + "ValueError: this", "ValueError: this"),
        (TRACEBACK + "KeyboardInterrupt", "KeyboardInterrupt"),
        ("one\n two\n", "one\n two"),
        ("", "it said nothing"),
    ],
)
def test_a_failure_ends_with_the_error_and_all_of_its_lines(stderr, said, tmp_path):
    found = str(failure("x", 1, stderr, tmp_path / "process.log"))
    assert found.startswith(f"x could not be measured, the process ended with 1: {said}\n(all it")


def test_a_process_that_was_killed_says_why_that_may_be(tmp_path):
    found = str(failure("x", -9, "", tmp_path / "process.log"))
    assert "the process ended with -9 (killed, most likely for want of memory): it said" in found


def test_a_process_that_hangs_is_ended(tmp_path, monkeypatch):
    (tmp_path / "hangs_for_ever.py").write_text(
        "import time\nprint('a', flush=True)\ntime.sleep(99)"
    )
    monkeypatch.setenv("PYTHONPATH", str(tmp_path))
    with pytest.raises(
        UserError, match=r"x could not be measured: it was not done after 0\.0333 m"
    ):
        run_apart("hangs_for_ever", tmp_path / "job.json", 1, "x", limit_seconds=2.0)
    assert (tmp_path / "process.log").read_text() == "a\n"


@pytest.mark.skipif(sys.platform != "linux", reason="/proc is Linux's")
def test_memory_freed_before_is_no_peak():
    taken = bytearray(200_000_000)
    taken[:] = b"1" * len(taken)
    del taken
    before = memory_mb("VmHWM")
    forget_peak_memory()
    if memory_mb("VmHWM") == before:
        pytest.skip("the system does not allow it")
    assert memory_mb("VmHWM") < before - 100
