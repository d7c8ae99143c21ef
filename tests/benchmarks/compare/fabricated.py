"""Finished runs of which every answer is known: a case is a hit at the first place, or nothing."""

import json
from collections.abc import Collection
from pathlib import Path

import numpy as np

from benchmarks.quality import Evaluation
from benchmarks.report.build import ReportInputs, build_report
from compress.metrics import NOT_FOUND

FILE = "onnx int8-dynamic"
CASES = 100


def write_run(
    folder: Path,
    inputs: ReportInputs,
    hits: Collection[int],
    *,
    cases: int = CASES,
    dataset: str = "a data set",
    half_width: float = 0.1,
) -> Path:
    """Write a run whose shipped file hits these of its cases; NDCG@10 is their share.

    Teacher and student hit the same ones. Published intervals reach `half_width` to both sides.
    """
    report = json.loads(build_report(inputs).to_json())
    shipped = next(one for one in report["artifacts"] if one["path"] == report["best"])
    assert shipped["name"] == FILE
    ranks = np.where(np.isin(np.arange(cases), [*hits]), 0, NOT_FOUND)
    evaluation = Evaluation(np.zeros((cases, 20), np.int32), ranks, None, 50)
    (folder / "quality").mkdir(parents=True)
    (folder / "report").mkdir()
    value = len(hits) / cases
    for row in (shipped, report["teacher"], report["student"]):
        evaluation.save(folder / "quality" / f"{row['name'].replace(' ', '-')}.npz")
        row["quality"]["ndcg@10"] = {
            "value": value,
            "low": value - half_width,
            "high": value + half_width,
        }
    stage = {"inputs": {"dataset": dataset}}
    (folder / "quality" / "stage.json").write_text(json.dumps(stage))
    (folder / "report" / "report.json").write_text(json.dumps(report))
    return folder


def change_report(folder: Path, **changes: object) -> None:
    """Change fields of a run's report.json, by their path with dots."""
    path = folder / "report" / "report.json"
    report = json.loads(path.read_text())
    for where, value in changes.items():
        *parents, last = where.split("__")
        target = report
        for parent in parents:
            target = target[parent]
        target[last] = value
    path.write_text(json.dumps(report))
