"""The stage over a real prepared data set, with answers as the quality stage leaves them."""

import json
from pathlib import Path

import numpy as np
import pytest

from benchmarks.groups.data import GroupsData
from benchmarks.quality import Evaluation
from benchmarks.stages.groups import FILE, GROUPS
from compress.data.dataset import Dataset
from compress.data.prepare import prepare
from compress.errors import DataError
from compress.metrics import target_ranks
from compress.progress import Progress
from compress.recipe import NextItemRecipe
from compress.stage import Stage, StageContext
from compress.stages.next_item import STAGES
from compress.stages.next_item.user_groups import USER_GROUPS, read_user_groups
from export.artifact import Artifact
from export.rows import RowFiles, write_artifacts, write_rows
from export.verification import Check

USERS, ITEMS = 60, 25


def recipe(**groups):
    return NextItemRecipe.model_validate(
        {
            "name": "r",
            "data": {"source": {"kind": "table", "interactions": "events.csv"}},
            "teacher": {"kind": "text-sequence"},
            "student": {"kind": "transformer"},
            "benchmark": {"bootstrap": 100},
            "groups": groups,
        }
    )


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    """A run up to its quality stage: a teacher, a student and one file that was asked."""
    random = np.random.default_rng(1)
    rows = [
        f"u{user},i{item},{time}"
        for user in range(USERS)
        for time, item in enumerate(random.permutation(ITEMS)[:6])
    ]
    (tmp_path / "events.csv").write_text("user,item,time\n" + "\n".join(rows) + "\n")
    users = "".join(f"u{one},{'new' if one % 3 else 'old'}\n" for one in range(USERS))
    (tmp_path / "users.csv").write_text(f"user,kind\n{users}")
    prepare(recipe().data, tmp_path, tmp_path / "dataset", progress=lambda line: None)
    (tmp_path / "export").mkdir()
    (tmp_path / "quality").mkdir()
    check = Check(256, 1.0, 0.0, 0.0, (), checked="run", seconds_per_example=0.01)
    names = ("teacher", "student", "student_without_teacher", "popularity")
    roles = ("teacher", "student", "student_without_teacher", "baseline")
    write_rows(
        tmp_path / "export",
        [
            RowFiles(name, role, "pytorch", f"rows/{name}.json", 7, "histories.npz", "aa")
            for name, role in zip(names, roles, strict=True)
        ][::-1],
    )
    of_file = ("onnx fp32", "s.onnx", "histories.npz", "onnx", "fp32", "cpu", "onnx", 10, "bb")
    never_asked = ("engine", "s.engine", "histories.npz", "onnx", "fp32", "cpu", "onnx", 10, "cc")
    write_artifacts(
        tmp_path / "export", [Artifact(*of_file, check, {}), Artifact(*never_asked, check, {})], []
    )
    targets = Dataset.open(tmp_path / "dataset").cases("test").targets
    for name in (*names, "onnx-fp32"):
        top = np.stack([random.permutation(ITEMS)[:20] + 2 for _ in targets]).astype(np.int32)
        own = Evaluation(top, target_ranks(top, targets), None, ITEMS)
        own.save(tmp_path / "quality" / f"{name}.npz")
    return tmp_path


def work(stage: Stage[NextItemRecipe], folder: Path, job: NextItemRecipe) -> Path:
    place = folder / stage.name
    place.mkdir(exist_ok=True)
    stage.work(
        StageContext(
            recipe=job,
            recipe_folder=folder,
            folder=place,
            inputs={name: folder / name for name in stage.needs},
            progress=Progress(),
            logs=folder,
        )
    )
    return place


def run(folder: Path, job: NextItemRecipe) -> GroupsData:
    work(USER_GROUPS, folder, job)
    return GroupsData.model_validate_json((work(GROUPS, folder, job) / FILE).read_text())


def test_teacher_student_and_measured_files_are_compared_by_the_users_groups(folder):
    data = run(folder, recipe(users="users.csv", columns=["kind"], minimum_cases=10))
    kind, popularity = data.columns
    assert [(one.name, one.cases) for one in kind.groups] == [("new", 40), ("old", 20)]
    assert [(one.name, one.path) for one in kind.models] == [
        ("teacher", None),
        ("student", None),
        ("onnx fp32", "export/s.onnx"),
    ]
    assert popularity.column == "popularity"
    own = Evaluation.load(folder / "quality" / "student.npz").values()["ndcg@10"]
    old = np.arange(USERS) % 3 == 0
    assert kind.models[1].quality["old"].value == pytest.approx(own[old].mean())


def test_a_table_without_users_is_compared_by_popularity_alone(folder):
    assert [one.column for one in run(folder, recipe()).columns] == ["popularity"]


def test_the_stages_depend_on_the_table_and_on_the_groups(folder):
    job = recipe(users="users.csv", columns=["kind"])
    before = USER_GROUPS.outside(job, folder)
    (folder / "users.csv").write_text((folder / "users.csv").read_text() + "u99,old\n")
    assert USER_GROUPS.outside(job, folder) != before
    other = recipe(users="users.csv", columns=["kind"], minimum_cases=5)
    assert json.dumps(GROUPS.settings(job)) != json.dumps(GROUPS.settings(other))
    assert json.dumps(USER_GROUPS.settings(job)) == json.dumps(USER_GROUPS.settings(other))
    assert USER_GROUPS.name in GROUPS.needs


def test_a_faulty_table_is_told_when_the_run_is_planned(folder):
    with pytest.raises(DataError, match="Did you mean 'kind'"):
        USER_GROUPS.outside(recipe(users="users.csv", columns=["kinds"]), folder)


def test_a_table_of_other_users_is_told_before_anything_is_trained(folder):
    names = [stage.name for stage in STAGES]
    assert names[:2] == ["dataset", "user-groups"]
    (folder / "others.csv").write_text("user,kind\n1,new\n2,old\n")
    job = recipe(users="others.csv", columns=["kind"])
    with pytest.raises(DataError, match=r"none of the 60 users of the data set is there"):
        work(USER_GROUPS, folder, job)


def test_what_is_known_of_the_users_can_be_read_again(folder):
    (folder / "few.csv").write_text("user,kind,age\nu1,new,30\nu2,old,\n")
    found = read_user_groups(
        work(USER_GROUPS, folder, recipe(users="few.csv", columns=["kind", "age"]))
    )
    kind, age = found.groupings
    assert (kind.column, kind.names, age.names) == (
        "kind",
        ("new", "old", "unknown"),
        ("30", "unknown"),
    )
    assert sorted(np.bincount(kind.codes).tolist()) == [1, 1, 58]
    (warning,) = found.warnings
    assert warning.startswith("58 of 60 users are unknown to few.csv")
    assert read_user_groups(work(USER_GROUPS, folder, recipe())).groupings == ()
