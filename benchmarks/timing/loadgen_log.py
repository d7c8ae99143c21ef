"""What LoadGen itself says of a run: its detail log, and which of its rules a result breaks."""

import json
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from benchmarks.timing.early_stopping import queries_needed
from benchmarks.timing.timing import BrokenRule

_PREFIX = ":::MLLOG "
_RULES = {
    "result_min_duration_met": ("loadgen-min-duration", "it did not last as long as asked for"),
    "result_min_queries_met": ("loadgen-min-queries", "it had fewer queries than asked for"),
    "result_perf_constraints_met": (
        "loadgen-performance-constraints",
        "too many queries took longer than the scenario allows",
    ),
    "early_stopping_met": (
        "loadgen-early-stopping",
        "too few queries stand behind the scenario's percentile",
    ),
}
"""LoadGen's verdicts by the key of its detail log (`loadgen/results.cc`)."""


@dataclass(frozen=True)
class LoadGenLog:
    """The entries of `mlperf_log_detail.txt` that a result is read from."""

    values: dict[str, Any]
    """By key; the last one where a key is there twice."""
    errors: tuple[str, ...]
    """What LoadGen logged as an error."""

    @classmethod
    def read(cls, file: Path) -> "LoadGenLog":
        """Read the log, whose lines are `:::MLLOG {json}`."""
        values: dict[str, Any] = {}
        errors = []
        for line in file.read_text(encoding="utf-8", errors="replace").splitlines():
            if not line.startswith(_PREFIX) or '"key": "loaded_qsl_set"' in line:
                continue
            entry = json.loads(line.removeprefix(_PREFIX))
            values[entry["key"]] = entry["value"]
            if entry["metadata"].get("is_error"):
                errors.append(f"{entry['key']}: {entry['value']}")
        return cls(values, tuple(errors))

    def percentile_ms(self, percentile: float) -> float:
        """Return a percentile of the latency of a query that LoadGen gives, milliseconds."""
        return float(self.values[f"result_{percentile:.2f}_percentile_latency_ns"]) / 1e6

    def broken(self) -> Iterator[BrokenRule]:
        """Yield the rules of LoadGen's that the run breaks."""
        advice = str(self.values.get("result_invalid_reason", "")).strip()
        said = f" LoadGen: {advice}" if advice else ""
        is_named = False
        for key, (rule, because) in _RULES.items():
            if self.values.get(key) is False:
                is_named = True
                count = self._counted if key == "early_stopping_met" else ""
                yield BrokenRule(rule, f"LoadGen calls the run invalid: {because}{count}.{said}")
        if self.errors:
            is_named = True
            yield BrokenRule("loadgen-errors", f"LoadGen logged an error: {self.errors[0]}")
        if self.values.get("result_validity") != "VALID" and not is_named:
            yield BrokenRule("loadgen-validity", f"LoadGen calls the run invalid.{said}")

    @property
    def _counted(self) -> str:
        """Say how many queries there were, and how many there should have been."""
        if not isinstance(count := self.values.get("result_query_count"), int):
            return ""
        needed = f"{queries_needed(90)} at least for a p90, {queries_needed(99)} for a p99"
        return f" ({count:,}; it takes {needed}, more where latencies scatter: raise --seconds)"
