"""Holds what was measured against the user's budget, and picks the file to ship."""

from collections.abc import Sequence
from typing import Any

from compress.recipe import Budget


def budget_data(budget: Budget, artifacts: Sequence[dict[str, Any]]) -> dict[str, Any]:
    """Hold every limit that the recipe sets against every artifact.

    Args:
        budget: The limits.
        artifacts: Rows as `report.json` has them.

    Returns:
        The report's `budget`.
    """
    limits = budget.model_dump(exclude_none=True)
    verdicts = []
    for artifact in artifacts:
        for limit, allowed in limits.items():
            reached = _reached(limit, artifact)
            met = reached is not None and (
                reached >= allowed if limit == "kept_quality" else reached <= allowed
            )
            verdicts.append(
                {
                    "limit": limit,
                    "path": artifact["path"],
                    "allowed": allowed,
                    "reached": reached,
                    "met": met,
                }
            )
    broken = {verdict["path"] for verdict in verdicts if not verdict["met"]}
    fits = [one["path"] for one in artifacts if one["usable"] and one["path"] not in broken]
    return {"limits": limits, "verdicts": verdicts, "fits": fits, "met": bool(fits)}


def best_artifact(
    artifacts: Sequence[dict[str, Any]], fits: Sequence[str]
) -> dict[str, Any] | None:
    """Return the smallest file that keeps the budget, else the smallest usable one, if any."""
    usable = [artifact for artifact in artifacts if artifact["usable"]]
    fitting = [artifact for artifact in usable if artifact["path"] in fits]
    return min(fitting or usable, key=lambda artifact: int(artifact["bytes"]), default=None)


def _reached(limit: str, artifact: dict[str, Any]) -> float | None:
    if limit == "megabytes":
        return float(artifact["bytes"]) / 1e6
    if limit == "milliseconds":
        return artifact["latency"] and float(artifact["latency"]["p90_ms"])
    return artifact["kept_quality"] and float(artifact["kept_quality"]["value"])
