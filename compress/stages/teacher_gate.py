"""A teacher that counting beats should not teach: one gate for all tasks."""

import json
from typing import Any

from compress.errors import CheckFailed
from compress.files import write_atomically
from compress.metrics import metric_name
from compress.stage import StageContext
from compress.stages.validation_record import read_validation

VERDICT = "verdict.json"


def judge_teacher(context: StageContext[Any], advice: str) -> None:
    """Hold the teacher against the baselines and write down what came of it.

    A tie is no win, unless nothing better is possible.

    Args:
        context: Of a stage that needs `baselines` and `teacher`.
        advice: What may make this kind of teacher better, as the beginning of a sentence.

    Raises:
        CheckFailed: A baseline is as good or better, and the recipe does not allow it.
    """
    recipe = context.recipe
    teacher = read_validation(context.inputs["teacher"])["teacher"]
    baselines = read_validation(context.inputs["baselines"])
    best = max(baselines, key=lambda name: baselines[name])
    weak = teacher <= baselines[best] and teacher < 1.0
    if weak:
        message = (
            f"The teacher does not beat the {best} baseline on validation "
            f"{metric_name(recipe.task.metric)}: {teacher:.4f} against {baselines[best]:.4f}. "
            "A student would learn from a model that is no better than counting. "
        )
        if not recipe.teacher.allow_weak_teacher:
            raise CheckFailed(
                f"{message}{advice}, or set teacher.allow_weak_teacher: true to go on."
            )
        context.progress.say(message + "Going on, as teacher.allow_weak_teacher asks for.")
    verdict = {"teacher": teacher, **baselines, "weak": weak}
    write_atomically(context.folder / VERDICT, json.dumps(verdict, indent=1))
