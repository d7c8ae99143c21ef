"""A runner that the user wrote."""

import sys

import numpy as np
import pytest

from compress.errors import UserError
from export.runner import RunnerSpec, import_runtime, open_runner

SOURCE = """
class Echo:
    def __init__(self, threads):
        self.threads = threads
    def __enter__(self):
        return self
    def __exit__(self, *about):
        pass
    def __call__(self, inputs):
        return {"score": inputs["x"] * self.threads}

not_a_class = 1
"""


@pytest.fixture
def file(tmp_path):
    path = tmp_path / "my_runner_of_tests.py"
    path.write_text(SOURCE)
    return path


def test_a_file_is_imported_and_its_class_is_given_the_threads(file):
    spec = RunnerSpec("python", f"{file}:Echo", threads=3)
    import_runtime(spec)
    with open_runner(spec) as runner:
        assert runner({"x": np.ones(1)})["score"] == 3


def test_a_module_is_found_where_python_finds_modules(file, monkeypatch):
    monkeypatch.syspath_prepend(str(file.parent))
    with open_runner(RunnerSpec("python", "my_runner_of_tests:Echo")) as runner:
        assert runner({"x": np.ones(1)})["score"] == 1
    sys.modules.pop("my_runner_of_tests")


@pytest.mark.parametrize(
    ("path", "message"),
    [
        ("Echo", "is named module:Class"),
        ("no_such_module_here:Echo", "cannot be imported"),
        ("{file}:Missing", "has no class Missing"),
        ("{file}:not_a_class", "has no class not_a_class"),
        ("/nowhere/to/be/found.py:Echo", "is not a Python file"),
    ],
)
def test_what_is_not_there_is_a_users_error(path, message, file):
    with pytest.raises(UserError, match=message):
        open_runner(RunnerSpec("python", path.format(file=file)))
