"""Which rows and cases are asked."""

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from benchmarks.robustness.asking import rows_to_damage, sampled, sampled_queries
from export.artifact import Artifact
from export.rows import RowFiles, write_artifacts, write_rows
from export.verification import Check


def artifact(name, size, *, checked="run", faults=()):
    check = Check(259, 1.0, 0.0, 0.0, faults, checked=checked, seconds_per_example=0.01)
    fixed = ("histories.npz", "onnx", "fp32", "cpu", "onnx")
    return Artifact(name, f"{name}.bin", *fixed, size, "aa", check, {})


@pytest.fixture
def rows(tmp_path):
    def rows(*artifacts):
        names = ("popularity", "teacher", "student", "student without teacher")
        roles = ("baseline", "teacher", "student", "student_without_teacher")
        write_rows(
            tmp_path,
            [
                RowFiles(name, role, "pytorch", f"rows/{role}.json", 7, "histories.npz", "aa")
                for name, role in zip(names, roles, strict=True)
            ],
        )
        write_artifacts(tmp_path, artifacts, [])
        return [row.name for row in rows_to_damage(tmp_path)]

    return rows


def test_the_file_is_the_smallest_that_may_be_shipped_and_was_run_here(rows):
    found = rows(
        artifact("large", 90),
        artifact("small", 40),
        artifact("evaluated", 10, checked="evaluated"),
        artifact("refused", 20, faults=("it lies",)),
    )
    assert found == ["teacher", "student", "small"]


def test_without_such_a_file_teacher_and_student_are_asked(rows):
    assert rows(artifact("parsed", 10, checked="parsed")) == ["teacher", "student"]


@given(st.integers(1, 60), st.integers(1, 60), st.integers(0, 9))
def test_a_sample_is_distinct_cases_in_order(cases, most, seed):
    found = sampled(cases, most, seed)
    assert len(found) == min(cases, most)
    assert (np.diff(found) > 0).all()
    assert found.min() >= 0 and found.max() < cases
    assert (found == sampled(cases, most, seed)).all()


@given(st.lists(st.integers(0, 8), min_size=1, max_size=50), st.integers(1, 60), st.integers(0, 9))
def test_queries_are_sampled_whole(queries, most, seed):
    numbers = np.array(queries)
    found = sampled_queries(numbers, most, seed)
    taken = np.unique(numbers[found])
    assert found.tolist() == np.flatnonzero(np.isin(numbers, taken)).tolist()
    assert len(found) <= most or len(taken) == 1
