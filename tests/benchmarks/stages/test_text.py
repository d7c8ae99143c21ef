"""What a reader of a report on texts is told first, and warned of."""

import json
from pathlib import Path

import pytest

from benchmarks.stages.text import _cut_warnings
from compress.progress import Progress
from compress.recipe_file import parse_recipe
from compress.stage import StageContext

RECIPE = """
name: tiny
task: {kind: text-label, max_length: 40}
data: {source: {kind: table, train: x.csv}}
student: {kind: bert}
"""


@pytest.mark.parametrize(
    ("teacher", "student", "warned"),
    [
        (0, 0, []),
        (19, 19, []),  # below a tenth of 200
        (20, 0, ["10% of the test texts are longer than 40 of the teacher’s word pieces"]),
        (
            50,
            200,
            [
                "25% of the test texts are longer than 40 of the teacher’s word pieces",
                "100% of the test texts are longer than 40 of the student’s word pieces",
            ],
        ),
    ],
)
def test_many_texts_that_were_cut_are_warned_of(tmp_path, teacher, student, warned):
    inputs = {}
    for whose, truncated in (("teacher", teacher), ("student", student)):
        inputs[f"{whose}-pieces"] = tmp_path / whose
        (tmp_path / whose).mkdir()
        test = {"texts": 200, "truncated": truncated}
        counts = {"train": {"texts": 9, "truncated": 9}, "test": test}
        (tmp_path / whose / "counts.json").write_text(json.dumps(counts))
    context = StageContext(parse_recipe(RECIPE), Path(), tmp_path, inputs, Progress(), tmp_path)
    found = list(_cut_warnings(context))
    assert [one.split(" and were")[0] for one in found] == warned
    assert all("task.max_length" in one for one in found)
