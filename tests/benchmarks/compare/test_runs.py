import json
import shutil

import pytest

from benchmarks.compare.runs import open_run
from compress.errors import UserError

from .fabricated import FILE, change_report, write_run


@pytest.fixture
def folder(inputs, tmp_path):
    return write_run(tmp_path / "run", inputs, range(50))


def test_a_run_is_found_by_its_folder_or_its_report(folder, tmp_path):
    for given in (folder, folder / "report", folder / "report" / "report.json"):
        assert open_run("run", given).folder == folder.resolve()
    shutil.copy(folder / "report" / "report.json", tmp_path / "copied.json")
    assert open_run("run", tmp_path / "copied.json").folder is None
    artifacts = tmp_path / "ci-artifacts"
    shutil.copytree(folder / "report", artifacts)
    assert open_run("run", artifacts).folder is None


def test_the_shipped_file_is_compared_unless_another_is_named(folder):
    run = open_run("run", folder)
    assert run.artifact(None).path == run.report.best
    assert run.artifact("onnx fp32").scheme == "fp32"


def test_a_file_that_is_not_there_is_refused_with_those_that_are(folder):
    with pytest.raises(UserError, match=f"run has no file 'onnx fp64'.*onnx fp32, {FILE}"):
        open_run("run", folder).artifact("onnx fp64")


def test_a_run_without_a_file_to_ship_asks_for_one(folder):
    change_report(folder, best=None)
    with pytest.raises(UserError, match="no file to ship. Name the one to compare with --file"):
        open_run("run", folder).artifact(None)


def test_a_file_without_quality_is_refused(folder):
    run = open_run("run", folder)
    artifacts = [one.model_dump(mode="json") for one in run.report.artifacts]
    artifacts[0]["quality"] = None
    change_report(folder, artifacts=artifacts)
    with pytest.raises(UserError, match="the quality of onnx fp32 was not measured"):
        open_run("run", folder).artifact("onnx fp32")


def test_answers_that_are_not_the_reports_are_refused(folder):
    change_report(folder, teacher__quality={"ndcg@10": {"value": 0.4, "low": 0.3, "high": 0.5}})
    run = open_run("run", folder)
    with pytest.raises(UserError, match=r"NDCG@10 0.500000, the report of run says 0.400000"):
        run.statistic(run.report.teacher)


def test_damaged_answers_are_refused(folder):
    (folder / "quality" / "teacher.npz").write_bytes(b"PK rubbish")
    run = open_run("run", folder)
    with pytest.raises(UserError, match="teacher.npz cannot be read"):
        run.statistic(run.report.teacher)


def test_a_report_of_another_version_is_said(folder):
    path = folder / "report" / "report.json"
    path.write_text(json.dumps({"schema": "limbeck.report/1"}))
    with pytest.raises(UserError, match="another version of limbeck .limbeck.report/1, this one"):
        open_run("run", folder)


def test_a_folder_without_a_report_is_said(tmp_path):
    with pytest.raises(UserError, match="holds no report. Give the folder of a finished run"):
        open_run("run", tmp_path)
