"""Holds what was measured against the user's budget, and picks the file to ship."""

from collections.abc import Sequence
from typing import Any

from compress.recipe import Budget


def budget_data(budget: Budget, artifacts: Sequence[dict[str, Any]]) -> dict[str, Any]:
    """Hold every limit that the recipe sets against every usable file that it was measured of.

    Args:
        budget: The limits.
        artifacts: Rows as `report.json` has them.

    Returns:
        The report's `budget`. A file fits if every limit was measured of it and is kept.
    """
    limits = budget.model_dump(exclude_none=True)
    verdicts, fits = [], []
    for artifact in artifacts:
        if not artifact["usable"]:
            continue
        own = [
            _verdict(limit, artifact["path"], allowed, reached)
            for limit, allowed in limits.items()
            if (reached := _reached(limit, artifact)) is not None
        ]
        verdicts += own
        if len(own) == len(limits) and all(one["met"] for one in own):
            fits.append(artifact["path"])
    return {"limits": limits, "verdicts": verdicts, "fits": fits, "met": bool(fits)}


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
