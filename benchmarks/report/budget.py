"""Holds what was measured against the user's budget, and picks the file to ship."""

from collections.abc import Iterator, Sequence
from typing import Any

from benchmarks.groups.data import GapData, GroupsData, ModelGroupsData
from compress.recipe import Budget, Protect


def budget_data(
    budget: Budget,
    artifacts: Sequence[dict[str, Any]],
    protect: Sequence[Protect] = (),
    groups: GroupsData | None = None,
) -> dict[str, Any]:
    """Hold every limit that the recipe sets against every usable file that it was measured of.

    Args:
        budget: The limits.
        artifacts: Rows as `report.json` has them.
        protect: Differences between groups that are limited, too; each has a verdict of every
            usable file.
        groups: What was measured by group.

    Returns:
        The report's `budget`. A file fits if every limit was measured of it and is kept.
    """
    limits = budget.model_dump(exclude_none=True)
    verdicts, fits = [], []
    protected = list(_protect_verdicts(protect, groups, artifacts))
    for artifact in artifacts:
        if not artifact["usable"]:
            continue
        own = [
            _verdict(limit, artifact["path"], allowed, reached)
            for limit, allowed in limits.items()
            if (reached := _reached(limit, artifact)) is not None
        ]
        verdicts += own
        of_groups = [one for one in protected if one["path"] == artifact["path"]]
        if len(own) == len(limits) and all(one["met"] for one in own + of_groups):
            fits.append(artifact["path"])
    found = {"limits": limits, "verdicts": verdicts, "fits": fits, "met": bool(fits)}
    return found | ({"protected": protected} if protect else {})


def best_artifact(
    artifacts: Sequence[dict[str, Any]], fits: Sequence[str]
) -> dict[str, Any] | None:
    """Return the smallest measured file that keeps the budget, else the smallest measured one.

    Measured: usable, with latency and quality of its own; None where there is no such file.
    """
    measured = [one for one in artifacts if one["usable"] and one["latency"] and one["quality"]]
    fitting = [artifact for artifact in measured if artifact["path"] in fits]
    return min(fitting or measured, key=lambda artifact: int(artifact["bytes"]), default=None)


def _verdict(limit: str, path: str, allowed: float, reached: float) -> dict[str, Any]:
    met = reached >= allowed if limit == "kept_quality" else reached <= allowed
    return {"limit": limit, "path": path, "allowed": allowed, "reached": reached, "met": met}


def _reached(limit: str, artifact: dict[str, Any]) -> float | None:
    if limit == "megabytes":
        return float(artifact["bytes"]) / 1e6
    if limit == "milliseconds":
        return artifact["latency"] and float(artifact["latency"]["p90_ms"])
    return artifact["kept_quality"] and float(artifact["kept_quality"]["value"])


def _protect_verdicts(
    protect: Sequence[Protect], groups: GroupsData | None, artifacts: Sequence[dict[str, Any]]
) -> Iterator[dict[str, Any]]:
    """Yield each difference that is limited, of every usable file, measured or not."""
    models = {
        (column.column, model.path): model
        for column in (() if groups is None else groups.columns)
        for model in column.models
    }
    for one in protect:
        for artifact in artifacts:
            if artifact["usable"]:
                path = artifact["path"]
                yield _protect_verdict(one, path, models.get((one.column, path)), groups)


def _protect_verdict(
    one: Protect, path: str, model: ModelGroupsData | None, groups: GroupsData | None
) -> dict[str, Any]:
    gap: GapData | None = None
    if model is not None:
        gap = model.kept_gap if one.of == "kept_quality" else model.quality_gap
    return {
        **one.model_dump(),
        "path": path,
        "reached": gap and gap.value,
        "by_chance": gap and gap.by_chance.model_dump(),
        "p": gap and gap.p,
        "best": gap and gap.best,
        "worst": gap and gap.worst,
        "judged": gap.judged if gap is not None else 0,
        "not_judged": gap.not_judged if gap is not None else (),
        "met": gap is not None and gap.value <= one.max_gap,
        "because": None if gap is not None else _not_judged(one, model, groups),
    }


def _not_judged(one: Protect, model: ModelGroupsData | None, groups: GroupsData | None) -> str:
    if model is None or groups is None:
        return "its quality was not measured on the test split"
    finds = f", {groups.minimum_finds} of them found by the teacher"
    return (
        f"fewer than two groups have at least {groups.minimum_cases} test cases"
        f"{finds if one.of == 'kept_quality' else ''}"
    )
