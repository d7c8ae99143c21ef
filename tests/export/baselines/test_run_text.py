"""Baselines for texts, called like any file."""

import numpy as np
import pytest

from compress.errors import UserError
from compress.teachers.text_baselines import MajorityClass
from export.baselines.emit_text import emit_text_baseline
from export.baselines.run_text import TextBaselineRunner
from export.runner import RunnerSpec, import_runtime, open_runner

INPUTS = {
    "input_ids": np.array([[2, 5, 3], [2, 3, 0]], np.int32),
    "attention_mask": np.array([[1, 1, 1], [1, 1, 0]], np.int32),
}


@pytest.fixture
def describe(tmp_path):
    """`describe(**options)`: of 4 training texts, 3 are of the second class."""
    MajorityClass.fit(np.array([1, 1, 0, 1]), 2).save(tmp_path / "m.npz")

    def describe(**options):
        path = tmp_path / "row.json"
        emit_text_baseline(path, tmp_path / "m.npz", **{"is_score": False, **options})
        return path

    return describe


def test_probabilities_are_the_baselines(describe):
    with TextBaselineRunner(describe()) as runner:
        answers = runner(INPUTS)
    assert list(answers) == ["probabilities"]
    assert answers["probabilities"].dtype == np.float32
    assert answers["probabilities"].tolist() == [[0.25, 0.75], [0.25, 0.75]]


def test_grades_come_with_their_expected_gain(describe):
    with TextBaselineRunner(describe(gains=(0.0, 2.0))) as runner:
        answers = runner({**INPUTS, "token_type_ids": np.zeros((2, 3), np.int32)})
    assert answers["score"].dtype == np.float32
    assert answers["score"].tolist() == [1.5, 1.5]


def test_a_score_stands_alone(describe):
    with TextBaselineRunner(describe(is_score=True)) as runner:
        assert {name: array.tolist() for name, array in runner(INPUTS).items()} == {
            "score": [0.25, 0.25]
        }


def test_a_process_that_knows_the_description_alone_can_run_it(describe):
    spec = RunnerSpec("baseline-text", str(describe()))
    import_runtime(spec)
    with open_runner(spec) as runner:
        assert runner(INPUTS)["probabilities"].shape == (2, 2)


def test_other_files_are_clear_errors(tmp_path, describe):
    (tmp_path / "x.json").write_text("[]")
    with (
        pytest.raises(UserError, match="does not describe"),
        TextBaselineRunner(tmp_path / "x.json"),
    ):
        pass
    row = describe()
    (tmp_path / "m.npz").write_bytes(b"no")
    with pytest.raises(UserError, match="holds no text baseline"), TextBaselineRunner(row):
        pass
