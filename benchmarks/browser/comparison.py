"""A file's answers in the browser, held against the same file's on the CPU and the teacher's."""

from collections.abc import Mapping
from dataclasses import asdict
from typing import Any

from benchmarks.measurement import Quality
from benchmarks.quality import Evaluation
from benchmarks.text_quality import TextEvaluation
from compress.metrics import Interval, Statistic, paired_difference, ratio_interval

AnyEvaluation = Evaluation | TextEvaluation
"""What a model answered, whatever the task."""


def compared(
    browser: AnyEvaluation,
    cpu: AnyEvaluation | None,
    teacher: AnyEvaluation | None,
    *,
    metric: str,
    resamples: int,
    seed: int,
) -> dict[str, Any]:
    """Return the quality fields of `BrowserFileData`.

    Args:
        browser: What the file answered in the browser.
        cpu: What it answered in its own runtime to the same cases; None: it was not asked.
        teacher: What the teacher answered to them.
        metric: What is compared.
        resamples: Behind every interval.
        seed: Of the resampling.
    """
    quality: Quality = browser.quality(resamples, seed)
    own: Statistic = browser.statistics()[metric]
    kept = None
    of_teacher = None if teacher is None else teacher.statistics()[metric]
    if of_teacher is not None and of_teacher.value:  # A teacher that finds nothing has no ratio.
        kept = _named(metric, ratio_interval(own, of_teacher, resamples, seed))
    found: dict[str, Any] = {
        "cases": quality.cases,
        "quality": _plain(quality.metrics),
        "kept_quality": kept,
        "difference_from_cpu": None,
        "agreement_with_cpu": None,
        "max_abs_difference": None,
    }
    if cpu is not None:
        difference = paired_difference(own, cpu.statistics()[metric], resamples, seed)
        found["difference_from_cpu"] = _named(metric, difference)
        found |= _answers(browser, cpu)
    return found


def _answers(browser: AnyEvaluation, cpu: AnyEvaluation) -> dict[str, float | None]:
    if isinstance(browser, TextEvaluation) and isinstance(cpu, TextEvaluation):
        return {
            "agreement_with_cpu": browser.agreement(cpu),
            "max_abs_difference": browser.max_abs_difference(cpu),
        }
    if isinstance(browser, Evaluation) and isinstance(cpu, Evaluation):
        # Rankings are kept without their scores.
        return {"agreement_with_cpu": browser.agreement(cpu), "max_abs_difference": None}
    raise TypeError("answers of different tasks")


def _named(metric: str, interval: Interval) -> dict[str, Any]:
    return {"metric": metric, **asdict(interval)}


def _plain(metrics: Mapping[str, Interval]) -> dict[str, Any]:
    return {name: asdict(interval) for name, interval in metrics.items()}
