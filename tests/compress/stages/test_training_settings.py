"""What the keys of all trainings share."""

from compress.recipe import NextItemRecipe
from compress.stages.next_item import STAGES
from compress.stages.training_settings import soft_label_temperatures


def recipe(**changes):
    data = {
        "name": "r",
        "data": {"source": {"kind": "movielens-100k"}},
        "teacher": {"kind": "text-sequence"},
        "student": {"kind": "transformer"},
    }
    return NextItemRecipe.model_validate({**data, **changes})


def changed(**changes):
    """Stages whose own settings differ."""
    return {
        stage.name
        for stage in STAGES
        if stage.settings(recipe()) != stage.settings(recipe(**changes))
    }


def test_each_key_of_the_recipe_redoes_what_depends_on_it():
    trained = {"teacher", "soft-labels", "student", "student-without-teacher"}
    assert changed(seed=2) == trained
    assert changed(task={"kind": "next-item", "history_length": 9}) == trained | {"baselines"}
    assert changed(student={"kind": "transformer", "width": 8}) == {
        "student",
        "student-without-teacher",
    }
    assert changed(student={"kind": "transformer", "dropout_without_teacher": 0.5}) == {
        "student-without-teacher"
    }
    weaker = {"kind": "text-sequence", "allow_weak_teacher": True}
    assert changed(teacher=weaker) == {"teacher-check"}
    assert changed(teacher={"kind": "text-sequence", "width": 8}) == {"teacher"}
    assert changed(distillation={"losses": [{"kind": "soft-targets", "weight": 1}]}) == {"student"}


def test_what_changes_no_result_redoes_nothing():
    assert changed(threads=1) == set()
    assert changed(benchmark={"seconds": 1}, budget={"megabytes": 1}) == set()
    assert changed(logging={"tensorboard": False}) == set()


def test_temperatures_are_listed_once_each():
    losses = [{"kind": "soft-targets", "temperature": t} for t in (2, 1, 2)]
    assert soft_label_temperatures(recipe(distillation={"losses": losses})) == [2, 1]
