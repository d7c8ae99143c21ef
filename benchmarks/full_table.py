"""One table of everything: files and peers of runs, in every scenario, in process and browser.

`limbeck bench RUN --scenario all --target all --peers` measures; `python -m benchmarks.full_table
RUN…` puts what it left in each run (`bench/bench.json`) beside the quality in the run's report, and
writes benchmarks/results/full-table.json and full-table.md.
"""

import argparse
import json
import sys
from collections import Counter
from collections.abc import Iterable, Iterator, Sequence
from pathlib import Path
from typing import Any

from benchmarks.bench.command import FOLDER, RESULT
from benchmarks.bench.data import BenchData, BenchRowData
from benchmarks.bench.peers import EAGER_NAME
from benchmarks.bench.terminal import mark_of
from benchmarks.report.data import ReportData
from benchmarks.report.markdown import environment_line
from benchmarks.report.read import read_report
from benchmarks.report.shape import EnvironmentData
from benchmarks.report.tables import AnyRow, all_rows
from benchmarks.report.terminal import INVALID, NOISY
from benchmarks.report.wording import NOT_MEASURED, significant
from compress.errors import UserError
from compress.metrics import metric_name

_RESULTS = Path(__file__).parent / "results"


def table_of(report: ReportData, found: BenchData) -> dict[str, Any]:
    """Return a row a model, with all that was measured of it.

    Args:
        report: Of the run.
        found: By `limbeck bench` of the same run.
    """
    of_report = {row.name: row for row in all_rows(report)}
    of_report[EAGER_NAME] = report.student
    rows = _of_one_load(found.rows)
    measured = {row.name for row in rows}
    names = [name for name in of_report if name in measured]
    names += dict.fromkeys(row.name for row in rows if row.name not in of_report)
    return {
        "run": report.recipe["name"],
        "commands": list(found.commands),
        "metric": report.metric,
        "environment": found.environment.model_dump(mode="json"),
        "models": [
            {
                "name": name,
                "quality": _quality(of_report.get(name), report.metric),
                "p90_ratio_to_teacher": _ratio(of_report.get(name)),
                "results": [_result(row) for row in rows if row.name == name],
            }
            for name in names
        ],
        "not_measured": [one.model_dump(mode="json") for one in found.not_measured],
    }


def _of_one_load(rows: Sequence[BenchRowData]) -> list[BenchRowData]:
    """Leave out servers that were sent another load than most: p99 under different ones differ."""

    def load(row: BenchRowData) -> tuple[object, ...]:
        return (row.asked_rate, row.bound_ms)

    loads = Counter(load(row) for row in rows if row.scenario == "server")
    usual = loads.most_common(1)[0][0] if loads else ()
    return [row for row in rows if row.scenario != "server" or load(row) == usual]


def markdown(tables: Sequence[dict[str, Any]]) -> str:
    """Return the tables for a person, a line a model: what was measured on one thread."""
    lines: list[str] = []
    for table in tables:
        batches = sorted(
            {
                one["batch"]
                for model in table["models"]
                for one in model["results"]
                if one["scenario"] == "offline"
            }
        )
        headings = (
            *("model", f"{metric_name(table['metric'])} [95%]", "MB", "memory MB", "cold start ms"),
            *("p50 ms", "p90 ms", "p90, × teacher’s in turn [95%]"),
            *("multi-stream p99 ms", f"server p99 ms{_rate(table)}"),
            *(f"offline {batch}, /s" for batch in batches),
            "browser p90 ms",
        )
        machine = EnvironmentData.model_validate(table["environment"])
        lines += [f"### {table['run']}", "", f"One thread. {environment_line(machine)}", ""]
        lines += [_line(headings), _line("-" * 3 for _ in headings)]
        lines += [_line(_cells(model, batches)) for model in table["models"]]
        lines += [
            "",
            *_not_measured(table["not_measured"]),
            "",
        ]
    return "\n".join(lines)


def _not_measured(missing: Sequence[dict[str, Any]]) -> Iterator[str]:
    """Yield a line a reason, with all that it is the reason of."""
    by_reason: dict[tuple[str, str], dict[str, None]] = {}
    for one in missing:
        by_reason.setdefault((one["target"], one["because"]), {})[one["name"]] = None
    for (target, because), names in by_reason.items():
        yield f"- Not measured ({target}): {', '.join(names)}: {because}"


def _cells(model: dict[str, Any], batches: Iterable[int]) -> Iterable[str]:
    def first(scenario: str, target: str = "cpu", batch: int | None = None) -> dict[str, Any]:
        for one in model["results"]:
            same = (one["scenario"], one["target"], one["threads"]) == (scenario, target, 1)
            if same and batch in (None, one["batch"]):
                return dict(one)
        return {}

    def figure(one: dict[str, Any], name: str) -> str:
        value = one.get(name)
        if value is None:
            return NOT_MEASURED
        doubt = INVALID if not one["valid"] else NOISY if not one["quiet"] else ""
        return doubt + significant(value)

    single = first("single-stream")
    yield model["name"]
    yield _in_brackets(model["quality"])
    yield significant(single["bytes"] / 1e6) if single else NOT_MEASURED
    for name in ("memory_mb", "cold_start_ms", "p50_ms", "p90_ms"):
        yield figure(single, name)
    yield _in_brackets(model.get("p90_ratio_to_teacher"))
    yield figure(first("multi-stream"), "p99_ms")
    yield figure(first("server"), "p99_ms")
    for batch in batches:
        yield figure(first("offline", batch=batch), "throughput")
    yield figure(first("single-stream", "browser"), "p90_ms")


def _quality(row: AnyRow | None, metric: str) -> dict[str, float] | None:
    if row is None or row.quality is None or metric not in row.quality:
        return None
    return row.quality[metric].model_dump(mode="json")


def _ratio(row: AnyRow | None) -> dict[str, float] | None:
    if row is None or row.p90_ratio_to_teacher is None:
        return None
    return row.p90_ratio_to_teacher.model_dump(mode="json")


def _in_brackets(one: dict[str, float] | None) -> str:
    if one is None:
        return NOT_MEASURED
    return f"{one['value']:.4f} [{one['low']:.4f}, {one['high']:.4f}]"


def _rate(table: dict[str, Any]) -> str:
    """Say what all servers of a table were sent."""
    rates = {
        one["rate"]
        for model in table["models"]
        for one in model["results"]
        if one["scenario"] == "server" and one["threads"] == 1
    }
    if not rates:
        return ""
    least, most = significant(min(rates)), significant(max(rates))
    return f" at {least}/s" if least == most else f" at {least} to {most}/s"


def _result(row: BenchRowData) -> dict[str, Any]:
    kept = row.model_dump(mode="json", exclude={"name", "broken", "asked_with", "pinned_to"})
    return {**kept, "mark": mark_of(row)}


def _line(cells: Iterable[str]) -> str:
    return f"| {' | '.join(cells)} |"


def main(arguments: Sequence[str] | None = None) -> int:
    """Put the table together from the command line; a fault is one sentence and exit code 2."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("runs", nargs="+", type=Path)
    parser.add_argument("--out", type=Path, default=_RESULTS)
    given = parser.parse_args(arguments)
    tables = []
    for run in given.runs:
        measured = run / FOLDER / RESULT
        try:
            found = BenchData.model_validate_json(measured.read_text(encoding="utf-8"))
            tables.append(table_of(read_report(run), found))
        except (OSError, ValueError) as error:
            what = str(error).splitlines()[0]
            print(f"{measured}: {what}. Make it with: limbeck bench {run}", file=sys.stderr)
            return 2
        except UserError as error:
            print(error, file=sys.stderr)
            return 2
    runs = [f"runs/{one['run']}" for one in tables]
    commands = [command for one in tables for command in one["commands"]]
    commands.append(f"python -m benchmarks.full_table {' '.join(runs)}")
    given.out.mkdir(parents=True, exist_ok=True)
    text = json.dumps({"commands": commands, "tables": tables}, indent=1, ensure_ascii=False)
    (given.out / "full-table.json").write_text(text + "\n", encoding="utf-8")
    page = ["```", *commands, "```", "", markdown(tables)]
    page.append(
        f"`{NOISY}`: the machine was busy with other things meanwhile, a look and not a claim; "
        f"`{INVALID}`: not valid. The JSON file beside this one has the drift and the broken rule. "
        "Where its `tries` is above 1, a noisy measurement was made again (`--tries`), and the "
        "quietest is here.\n"
    )
    (given.out / "full-table.md").write_text("\n".join(page), encoding="utf-8")
    print(given.out / "full-table.md")
    return 0


if __name__ == "__main__":
    sys.exit(main())
