"""The rows of a run: its files may come from elsewhere, and none of them runs code."""

import json
import shutil

import pytest

from benchmarks.bench.entrant import entrants
from benchmarks.stages.quality import runner_of
from benchmarks.stages.subjects import Subject, subjects
from compress.errors import UserError
from export.rows import ARTIFACTS, ROWS, RowFiles, write_rows

from ..bench.conftest import bench_run  # noqa: F401

CODE = "import pathlib; pathlib.Path(__file__).with_name('it ran').touch()\nclass Evil: ...\n"


@pytest.fixture
def evil(request, tmp_path):
    """A copy of a run whose files can be rewritten, and code beside them."""
    shutil.copytree(request.getfixturevalue("bench_run"), tmp_path / "shop")
    export = tmp_path / "shop" / "export"
    write_rows(export, [RowFiles("student", "student", "pytorch", "s.json", 7, "h.npz", "aa")])
    (export / "evil.py").write_text(CODE)
    yield export
    assert not (export / "it ran").exists()


def rewrite(file, **changes):
    entries = json.loads(file.read_text())
    entries[0].update(changes)
    file.write_text(json.dumps(entries))


def test_a_row_of_code_is_refused(evil):
    rewrite(evil / ROWS, runtime="python", path=f"{evil}/evil.py:Evil")
    with pytest.raises(UserError, match=r"rows\.json is damaged.*knows no runtime python"):
        subjects(evil)


def test_an_artifact_of_code_is_refused(evil):
    rewrite(evil / ARTIFACTS, runtime="python", path="evil.py:Evil")
    with pytest.raises(UserError, match="knows no runtime python"):
        subjects(evil)
    first, *_ = entrants(evil)
    assert first.cannot_run == "limbeck knows no runtime python"


def test_what_a_file_names_is_checked_again_where_it_is_opened(evil):
    row = Subject("student", "student", "pytorch", "evil.py:Evil", 7, "h.npz")
    object.__setattr__(row, "runtime", "python")
    with pytest.raises(UserError, match="knows no runtime python"):
        runner_of(row, evil)
