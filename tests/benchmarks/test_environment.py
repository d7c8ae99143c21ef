import json
import os
import platform
from dataclasses import asdict
from importlib import metadata
from pathlib import Path

from benchmarks.environment import current_environment


def test_it_names_the_machine_and_the_versions_in_use():
    environment = current_environment()
    assert environment.cpu
    assert 1 <= environment.cores <= os.cpu_count()
    assert environment.memory_gb > 0.1
    assert environment.python == platform.python_version()
    for package in ("torch", "onnxruntime", "numpy", "mlcommons-loadgen"):
        assert environment.packages[package] == metadata.version(package)


def test_cpu_flags_are_those_of_this_cpu():
    cpuinfo = Path("/proc/cpuinfo")
    words = cpuinfo.read_text().split() if cpuinfo.exists() else []
    assert set(current_environment().cpu_flags) <= set(words)


def test_it_tells_nothing_about_who_and_where():
    facts = asdict(current_environment())
    assert set(facts) == {
        "cpu",
        "cores",
        "memory_gb",
        "system",
        "architecture",
        "python",
        "cpu_flags",
        "packages",
        "kernel",
        "is_virtual",
    }
    assert str(Path.cwd()) not in json.dumps(facts)
