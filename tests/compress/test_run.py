"""The run folder: finished stages are reused, interrupted ones go on, nothing is half there."""

import fcntl
import json
from pathlib import Path

import pytest

from compress.errors import RunError, UserError
from compress.files import file_sha256
from compress.progress import Progress
from compress.recipe import NextItemRecipe
from compress.run import Run
from compress.stage import Stage

RECIPE = NextItemRecipe.model_validate(
    {
        "name": "r",
        "data": {"source": {"kind": "movielens-100k"}},
        "teacher": {"kind": "text-sequence"},
        "student": {"kind": "transformer"},
    }
)


class Jobs:
    """Two stages, one reading the other, that note what they did."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        self.done: list[str] = []
        self.fail_in: str | None = None
        self.versions = {"first": 1, "second": 1}
        self.outside = "a"
        self.text = "a"

    def stages(self):
        return [
            Stage(
                name="first",
                title="",
                needs=(),
                version=self.versions["first"],
                settings=lambda recipe: recipe.seed,
                outside=lambda recipe, folder: self.outside,
                work=self.first,
            ),
            Stage(
                name="second",
                title="",
                needs=("first",),
                version=self.versions["second"],
                settings=lambda recipe: recipe.student.width,
                work=self.second,
            ),
        ]

    def first(self, context):
        self.done.append("first")
        (context.folder / "a.txt").write_text(self.text)

    def second(self, context):
        piece = context.folder / "piece.txt"
        self.done.append("second again" if piece.exists() else "second")
        piece.write_text("half")
        if self.fail_in == "second":
            raise RuntimeError("killed")
        (context.folder / "b.txt").write_text((context.inputs["first"] / "a.txt").read_text() + "b")

    def run(self, recipe=RECIPE, **options):
        self.done.clear()
        run = Run(self.folder, recipe, Path())
        redo_from = options.pop("redo_from", None)
        plan = run.plan(self.stages(), redo_from=redo_from, only=options.get("only"))
        run.execute(plan, Progress(), **options)
        return self.done


@pytest.fixture
def jobs(tmp_path):
    return Jobs(tmp_path / "run")


def test_stages_run_in_order_and_then_are_reused(jobs):
    assert jobs.run() == ["first", "second"]
    assert (jobs.folder / "second" / "b.txt").read_text() == "ab"
    assert jobs.run() == []


def test_a_changed_setting_redoes_its_stage_and_those_that_need_it(jobs):
    jobs.run()
    wider = RECIPE.model_copy(
        update={"student": RECIPE.student.model_copy(update={"width": 8, "heads": 1})}
    )
    assert jobs.run(wider) == ["second"]
    assert jobs.run(RECIPE.model_copy(update={"seed": 5})) == ["first", "second"]


def test_changed_code_or_data_redoes_the_stage(jobs):
    jobs.run()
    jobs.versions["second"] = 2
    assert jobs.run() == ["second"]
    jobs.outside = "b"
    assert jobs.run() == ["first", "second"]


def test_what_is_done_again_redoes_what_read_it(jobs):
    """Whether a file was lost or the stage was asked for alone: nobody keeps old figures."""
    jobs.run()
    jobs.text = "other"
    assert jobs.run(redo_from="first", only="first") == ["first"]
    assert jobs.run() == ["second"]
    assert (jobs.folder / "second" / "b.txt").read_text() == "otherb"
    (jobs.folder / "first" / "a.txt").unlink()
    plan = Run(jobs.folder, RECIPE, Path()).plan(jobs.stages())
    assert [one.state for one in plan] == ["to do", "to do"]


def test_a_gate_has_to_be_passed_first(jobs):
    stages = jobs.stages()
    stages[1] = Stage("gate", "", (), 1, lambda recipe: 0, lambda context: None)
    stages.append(Stage("third", "", (), 1, lambda recipe: 0, jobs.first, after=("gate",)))
    run = Run(jobs.folder, RECIPE, Path())
    with pytest.raises(RunError, match="comes after 'gate', which is not finished"):
        run.execute(run.plan(stages), Progress(), only="third")


def test_an_interrupted_stage_goes_on_with_what_it_had(jobs):
    jobs.fail_in = "second"
    with pytest.raises(RuntimeError):
        jobs.run()
    assert not (jobs.folder / "second").exists()
    plan = Run(jobs.folder, RECIPE, Path()).plan(jobs.stages())
    assert [one.state for one in plan] == ["finished", "resume"]
    jobs.fail_in = None
    assert jobs.run() == ["second again"]


@pytest.mark.parametrize("after_first_rename", [False, True])
def test_killed_between_the_last_file_and_the_rename(jobs, monkeypatch, after_first_rename):
    """The work is done: the next run only renames."""
    jobs.run()
    jobs.versions["second"] = 2

    def killed(new, place):
        if after_first_rename:
            place.rename(place.with_name(".second.old"))
        raise KeyboardInterrupt

    with monkeypatch.context() as patch, pytest.raises(KeyboardInterrupt):
        patch.setattr("compress.run._replace_folder", killed)
        jobs.run()
    assert jobs.run() == []
    assert (jobs.folder / "second" / "b.txt").read_text() == "ab"
    assert not list(jobs.folder.glob(".second.*"))
    assert jobs.run() == []


def test_what_another_recipe_left_is_not_taken_up(jobs):
    jobs.fail_in = "second"
    with pytest.raises(RuntimeError):
        jobs.run()
    jobs.fail_in = None
    jobs.versions["second"] = 2
    assert jobs.run() == ["second"]


def test_a_damaged_or_missing_file_redoes_its_stage(jobs):
    jobs.run()
    (jobs.folder / "first" / "a.txt").write_text("longer than before")
    assert jobs.run() == ["first", "second"]
    (jobs.folder / "second" / "b.txt").unlink()
    assert jobs.run() == ["second"]
    (jobs.folder / "second" / "stage.json").write_text("{")
    assert jobs.run() == ["second"]


def test_from_and_only(jobs):
    jobs.run()
    assert jobs.run(redo_from="second") == ["second"]
    with pytest.raises(RunError, match="--from third: no such stage; the stages are first, second"):
        jobs.run(redo_from="third")
    with pytest.raises(RunError, match="--only third"):
        jobs.run(only="third")


def test_only_needs_what_comes_before(jobs):
    with pytest.raises(RunError, match="comes after 'first', which is not finished"):
        jobs.run(only="second")


def test_two_runs_cannot_work_in_one_folder(jobs):
    jobs.folder.mkdir()
    with (jobs.folder / ".lock").open("w") as handle:
        fcntl.flock(handle, fcntl.LOCK_EX)
        with pytest.raises(RunError, match="Another limbeck run is working in"):
            jobs.run()


def test_manifest_lists_every_file_with_its_hash(jobs):
    jobs.run()
    manifest = json.loads((jobs.folder / "manifest.json").read_text())
    file = manifest["stages"]["second"]["files"]["b.txt"]
    assert file == {"bytes": 2, "sha256": file_sha256(jobs.folder / "second" / "b.txt")}


def test_full_disk_is_a_users_error_and_nothing_is_lost(jobs):
    def full(context):
        raise OSError(28, "No space left on device")

    stages = jobs.stages()
    jobs.run()
    stages[1] = Stage("second", "", ("first",), 9, lambda recipe: 0, full)
    run = Run(jobs.folder, RECIPE, Path())
    with pytest.raises(UserError, match=r"No space left on device\..*goes on from here"):
        run.execute(run.plan(stages), Progress())
    assert (jobs.folder / "second" / "b.txt").is_file()


def test_folder_that_cannot_be_written(tmp_path):
    (tmp_path / "file").write_text("")
    with pytest.raises(RunError, match="Choose another with --out"):
        Jobs(tmp_path / "file" / "run").run()


def test_a_stage_may_take_over_what_it_had_made_unless_it_is_to_be_done_anew(tmp_path):
    seen = []

    def work(context):
        seen.append(context.previous)
        (context.folder / "a.txt").write_text("a")

    def stages(version):
        return [Stage("only", "", (), version, lambda recipe: None, work)]

    run = Run(tmp_path / "run", RECIPE, tmp_path)
    run.execute(run.plan(stages(1)), Progress())
    run.execute(run.plan(stages(2)), Progress())
    run.execute(run.plan(stages(2), redo_from="only"), Progress())
    assert seen == [None, tmp_path / "run" / "only", None]
