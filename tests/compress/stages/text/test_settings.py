"""A change of the recipe does anew what depends on it, and nothing else."""

from pathlib import Path

import pytest

from compress.recipe_file import parse_recipe
from compress.stages.text import STAGES

SOURCE = Path("recipes/womens-clothing.yaml").read_text(encoding="utf-8")


def changed(*overrides):
    """Stages whose own settings differ; those after them are done anew by their inputs' keys."""
    before, after = parse_recipe(SOURCE), parse_recipe(SOURCE, overrides=overrides)
    return {stage.name for stage in STAGES if stage.settings(before) != stage.settings(after)}


@pytest.mark.parametrize(
    ("override", "stages"),
    [
        ("threads=1", set()),
        ("benchmark.seconds=1", set()),
        ("data.split.seed=2", {"dataset"}),
        ("task.max_length=64", {"teacher-pieces", "student-pieces"}),
        ("seed=2", {"teacher", "student", "student-without-teacher"}),
        ("task.class_weights=balanced", {"teacher", "student", "student-without-teacher"}),
        ("teacher.freeze=embeddings", {"teacher"}),
        ("teacher.allow_weak_teacher=true", {"teacher-check"}),
        ("student.tokenizer.minimum_count=3", {"student-pieces"}),
        ("student.width=192", {"student", "student-without-teacher"}),
        ("student.dropout_without_teacher=0.3", {"student-without-teacher"}),
        ("distillation.losses.0.weight=0.5", {"student"}),
        ("distillation.augment={share: 0.1}", {"teacher-pieces", "student-pieces"}),
    ],
)
def test_what_a_key_changes(override, stages):
    assert changed(override) == stages


def test_a_teacher_that_is_not_trained_has_no_training_to_change():
    given = SOURCE.replace("kind: huggingface\n", "kind: huggingface\n  train: false\n")
    teacher = next(stage for stage in STAGES if stage.name == "teacher")
    before = teacher.settings(parse_recipe(given))
    after = teacher.settings(parse_recipe(given, overrides=["teacher.training.epochs=9"]))
    assert before == after


def test_masked_copies_change_what_the_student_learns_from():
    """The soft labels are of the teacher's pieces, masked copies among them."""
    needs = {stage.name: stage.needs for stage in STAGES}
    assert "teacher-pieces" in needs["soft-labels"]
    assert "soft-labels" in needs["student"]
