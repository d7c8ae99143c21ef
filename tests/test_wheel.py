"""The wheel works outside the checkout."""

import os
import shutil
import subprocess
import sys
import sysconfig
import venv

import pytest


@pytest.fixture(scope="module")
def installed(tmp_path_factory):
    """Python of a venv that holds the wheel alone; everything else from the present packages."""
    folder = tmp_path_factory.mktemp("wheel")
    source = folder / "source"
    for name in ("compress", "export", "benchmarks"):
        shutil.copytree(name, source / name, ignore=shutil.ignore_patterns("__pycache__"))
    for name in ("limbeck.py", "pyproject.toml", "README.md", "LICENSE"):
        shutil.copy(name, source)
    pip = [sys.executable, "-m", "pip", "--disable-pip-version-check", "--quiet"]
    wheel = [*pip, "wheel", "--no-deps", "--no-build-isolation", "--wheel-dir", folder, source]
    subprocess.run(list(map(str, wheel)), check=True, capture_output=True)
    (built,) = folder.glob("limbeck-*.whl")
    venv.create(folder / "venv", with_pip=False)
    python = folder / "venv" / "bin" / "python"
    install = [*pip, "--python", python, "install", "--no-deps", "--no-index", built]
    subprocess.run(list(map(str, install)), check=True, capture_output=True)
    return python


def run(installed, *command):
    environment = {**os.environ, "PYTHONPATH": sysconfig.get_paths()["purelib"]}
    return subprocess.run(
        [str(installed.with_name(command[0])), *command[1:]],
        cwd=installed.parent,
        env=environment,
        capture_output=True,
        text=True,
        check=False,
    )


def test_help_runs(installed):
    done = run(installed, "limbeck", "--help")
    assert done.returncode == 0, done.stderr
    assert "budget" in done.stdout


def test_every_module_and_template_is_in_it(installed):
    code = (
        "import importlib, pkgutil, pathlib, sys\n"
        "import compress, export, benchmarks\n"
        "for package in (compress, export, benchmarks):\n"
        "    assert pathlib.Path(package.__file__).is_relative_to(sys.prefix), package\n"
        "    for module in pkgutil.walk_packages(package.__path__, package.__name__ + '.'):\n"
        "        importlib.import_module(module.name)\n"
        "report = pathlib.Path(benchmarks.__file__).parent / 'report'\n"
        "print(len(list((report / 'templates').iterdir())))\n"
    )
    done = run(installed, "python", "-c", code)
    assert done.returncode == 0, done.stderr
    assert int(done.stdout) >= 3
