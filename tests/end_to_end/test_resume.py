"""kill -9 at any moment, the same command again: the same files and figures."""

import json
import os
import signal
import time

import pytest

from compress.files import file_sha256

from .conftest import Job, artifacts_without_times, call, has_times, start

COMPARED = (
    "dataset",
    "baselines",
    "item-texts",
    "teacher",
    "soft-labels",
    "student",
    "export",
    "quality",
)
FEWER = ("--set", "data.source.first_users=60", "--set", "benchmark.seconds=0.2")
FEWER += ("--set", "budget={}", "--set", "protect=[]")  # so few users keep nothing worth a limit
FEWER += ("--quick", "--set", "benchmark.measured_on=[cpu]", "--set", "benchmark.robustness=false")
FEWER += ("--set", "benchmark.scenarios=[single-stream]")
OWN_EACH_TIME = ("stage.json", "curve.json", "events.out.tfevents")


def kill_when(sign, *arguments):
    """Start a run, wait for a file, kill it like a power cut; say whether it was in time."""
    process = start(*arguments)
    deadline = time.monotonic() + 300
    while not any(sign[0].glob(sign[1])):
        assert process.poll() is None, process.communicate()[1]
        assert time.monotonic() < deadline
        time.sleep(0.005)
    os.kill(process.pid, signal.SIGKILL)
    process.communicate()
    assert process.returncode == -signal.SIGKILL


def files(folder):
    """The hash of every file that is the same each time, and what was found of every artifact."""
    same = {
        str(path.relative_to(folder)): file_sha256(path)
        for stage in COMPARED
        for path in sorted((folder / stage).rglob("*"))
        if path.is_file()
        and not any(name in path.name for name in OWN_EACH_TIME)
        and not has_times(path)
    }
    return same | artifacts_without_times(folder)


@pytest.fixture
def straight(job, tmp_path):
    """A run that nothing disturbs, on fewer users than the job's."""
    folder = tmp_path / "straight"
    done = call("run", job.recipe, *FEWER, "--out", folder)
    assert done.code == 0, done.err
    return Job(job.recipe, folder, done)


def test_a_killed_run_ends_with_the_same_files_and_figures(straight, tmp_path):
    job, tmp_path = straight, tmp_path / "killed"
    run = ("run", job.recipe, *FEWER, "--out", tmp_path)
    kill_when((tmp_path / ".teacher.partial", "member-2/checkpoints/last.ckpt"), *run)
    assert not (tmp_path / "teacher").exists()
    kill_when((tmp_path / ".soft-labels.partial", "soft-labels.json"), *run)
    assert not (tmp_path / "soft-labels").exists()
    kill_when((tmp_path / ".student.partial", "checkpoints/last.ckpt"), *run)
    assert not (tmp_path / "student").exists()

    process = start(*run, "--json")
    out, err = process.communicate()
    assert process.returncode == 0, err
    assert "student: Train the student on them (goes on)" in err
    assert files(tmp_path) == files(job.folder)

    report = json.loads(out)
    for role in ("teacher", "student", "student_without_teacher"):
        assert report[role]["quality"] == job.report[role]["quality"]
    assert report["distillation_gain"] == job.report["distillation_gain"]


def test_ctrl_c_ends_with_a_message_and_the_work_is_kept(job, tmp_path):
    # A shell that starts its jobs in the background ignores the signal, and children inherit that.
    before = signal.signal(signal.SIGINT, signal.default_int_handler)
    try:
        process = start("run", job.recipe, *FEWER, "--out", tmp_path)
    finally:
        signal.signal(signal.SIGINT, before)
    while not list(tmp_path.glob(".teacher.partial/member-1/checkpoints/last.ckpt")):
        assert process.poll() is None, process.communicate()[1]
        time.sleep(0.01)
    process.send_signal(signal.SIGINT)
    _, err = process.communicate(timeout=60)
    assert process.returncode == 130
    assert err.rstrip().endswith("Interrupted. The same command goes on from here.")
    assert "Traceback" not in err
    assert list(tmp_path.glob(".teacher.partial/member-1/checkpoints/last.ckpt"))


def test_a_full_disk_is_a_message_and_the_same_command_goes_on(job, tmp_path):
    """A limit on the size of files stands in for the disk: writing fails in the same way."""
    limited = start("run", job.recipe, *FEWER, "--out", tmp_path, largest_file=1_500_000)
    _, err = limited.communicate(timeout=300)
    assert limited.returncode == 2, err
    assert "Traceback" not in err
    assert "Make room" in err
    assert "--out" in err
    done = call("run", job.recipe, *FEWER, "--out", tmp_path)
    assert done.code == 0, done.err
    assert "dataset: Read" not in done.err
