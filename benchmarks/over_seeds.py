"""One job under several seeds: are its differences more than luck?

`python -m benchmarks.over_seeds recipes/movielens-100k.yaml --seeds 1 2 3` runs the whole job once
a seed (teacher, students, files; latency briefly), then resamples test units (users, products,
queries) and seeds together.
"""

import argparse
import json
import subprocess
import sys
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import asdict
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from benchmarks.environment import current_environment
from benchmarks.report.task_view import task_view
from compress.files import write_atomically
from compress.metrics import Interval, Statistic
from compress.recipe_file import read_recipe

RESAMPLES = 4000
_CHUNK = 4_000_000  # Counts held at once: 32 MB.


def unit_and_seed_interval(
    statistics: Sequence[Statistic],
    other: Sequence[Statistic] | None = None,
    *,
    ratio: bool = False,
    resamples: int = RESAMPLES,
) -> Interval:
    """Mean over seeds, or a difference or ratio of two, with a 95% interval over units and seeds.

    Units and seeds are resampled independently of each other, each with replacement (the two-way
    "pigeonhole" bootstrap, Owen 2007), and both sides of a comparison with the same draws. The
    drawn units give each seed its own figure; the drawn seeds average the figures.

    Args:
        statistics: A metric under S seeds, over the same units in the same order.
        other: What it is compared with, under the same seeds; None: nothing.
        ratio: Divide by `other` instead of subtracting it.
        resamples: How often to resample.

    Raises:
        ValueError: The statistics differ in their number of units or seeds, or the metric is
            undefined.
    """
    sides = [statistics] if other is None else [statistics, other]
    units = {one.units for side in sides for one in side}
    if len(units) != 1 or len({len(side) for side in sides}) != 1:
        raise ValueError(
            f"the seeds were not measured on the same test split: {sorted(units)} units, "
            f"{[len(side) for side in sides]} seeds"
        )
    drawn = _resampled_means(sides, units.pop(), resamples)
    value, resampled = _mean(sides[0]), drawn[0]
    if other is not None:
        beside = _mean(other)
        value = value / beside if ratio else value - beside
        resampled = drawn[0] / drawn[1] if ratio else drawn[0] - drawn[1]
    defined = resampled[np.isfinite(resampled)]
    if not (np.isfinite(value) and len(defined)):
        raise ValueError("too few units have a value: the metric is undefined")
    low, high = np.quantile(defined, [0.025, 0.975])
    return Interval(value, float(low), float(high))


def summary(runs: Sequence[Path]) -> dict[str, object]:
    """Compare the rows of several runs of one recipe.

    Args:
        runs: Folders of finished runs that differ in their seed alone.

    Returns:
        For the task's metric and the one beside it: every row's interval, what distillation
        gained, what the teacher is above each baseline, and what each file keeps.
    """
    report = json.loads((runs[0] / "report" / "report.json").read_text(encoding="utf-8"))
    # The reports of the first releases name no task: there was only one.
    task = report["recipe"]["task"]["kind"]
    roles = {
        name: role
        for name, role in _roles(report)
        if (runs[0] / "quality" / f"{name}.npz").is_file()
    }
    rows = {
        name: [_statistics(task, run / "quality" / f"{name}.npz") for run in runs] for name in roles
    }
    metrics = task_view(task).main_metrics(next(iter(rows.values()))[0])[:2]
    return {
        metric: _compare(
            {name: [one[metric] for one in found] for name, found in rows.items()}, roles
        )
        for metric in metrics
    }


def _roles(report: Mapping[str, Any]) -> Iterator[tuple[str, str]]:
    """Yield the name of each row's file of answers, and the row's role."""
    alone = report["student_without_teacher"]
    models = [*report["baselines"], report["teacher"], report["student"], alone]
    for row in (*models, *report["artifacts"], *report.get("peers", ())):
        yield row["name"].replace(" ", "-"), row["role"]


def _statistics(task: str, answers: Path) -> dict[str, Statistic]:
    """Read what a row answered."""
    if task == "next-item":
        from benchmarks.quality import Evaluation

        return Evaluation.load(answers).statistics()
    from benchmarks.text_quality import TextEvaluation

    return TextEvaluation.load(answers).statistics()


def _compare(
    rows: Mapping[str, Sequence[Statistic]], roles: Mapping[str, str]
) -> dict[str, object]:
    def only(role: str) -> Sequence[Statistic]:
        return next(rows[name] for name in rows if roles[name] == role)

    teacher, student = only("teacher"), only("student")
    alone = only("student_without_teacher")
    baselines = [name for name in rows if roles[name] == "baseline"]
    return {
        "rows": {
            name: {
                **asdict(unit_and_seed_interval(found)),
                "per_seed": [round(one.value, 5) for one in found],
            }
            for name, found in sorted(rows.items())
        },
        "distillation_gain": asdict(unit_and_seed_interval(student, alone)),
        "teacher_over_baseline": {
            name: asdict(unit_and_seed_interval(teacher, rows[name])) for name in baselines
        },
        "kept": {
            name: asdict(unit_and_seed_interval(rows[name], teacher, ratio=True))
            for name in rows
            if roles[name] not in {"baseline", "teacher"}
        },
    }


def _mean(statistics: Sequence[Statistic]) -> float:
    return float(np.mean([one.value for one in statistics]))


def _resampled_means(
    sides: Sequence[Sequence[Statistic]], units: int, resamples: int
) -> list[NDArray[np.float64]]:
    """Return the mean over drawn seeds of the metric of drawn units, `[resamples]` a side."""
    generator = np.random.default_rng(0)
    seeds = len(sides[0])
    seed_weights = generator.multinomial(seeds, np.full(seeds, 1 / seeds), resamples) / seeds
    widest = max(units, *(one.table.shape[1] for side in sides for one in side))
    step = max(1, _CHUNK // widest)
    chunks: list[list[NDArray[np.float64]]] = [[] for _ in sides]
    for start in range(0, resamples, step):
        weights = seed_weights[start : start + step]
        drawn = generator.multinomial(units, np.full(units, 1 / units), len(weights))
        counts = drawn.astype(np.float64)
        for side, means in zip(sides, chunks, strict=True):
            figures = [one.measure(np.asarray(counts @ one.table)) for one in side]
            means.append((weights * np.column_stack(figures)).sum(axis=1))
    return [np.concatenate(means) for means in chunks]


def _is_finished(folder: Path, recipe_hash: str) -> bool:
    """Whether the folder holds the report of this recipe, and not of an earlier one."""
    try:
        report = json.loads((folder / "report" / "report.json").read_text(encoding="utf-8"))
    except (OSError, ValueError):
        return False
    return bool(report.get("recipe_hash") == recipe_hash)


def main() -> None:
    """Run the job under each seed and write what came out."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("recipe", type=Path)
    parser.add_argument("--seeds", type=int, nargs="+", default=[1, 2, 3])
    parser.add_argument("--runs", type=Path, default=Path("runs"))
    parser.add_argument(
        "--out", type=Path, help="default: benchmarks/results/over-seeds-NAME-OF-RECIPE.json"
    )
    given = parser.parse_args()
    recipe = read_recipe(given.recipe)
    folders = []
    for seed in given.seeds:
        folder = given.runs / f"{recipe.name}-seed-{seed}"
        command = ["run", str(given.recipe), "--out", str(folder), "--set", f"seed={seed}"]
        done = subprocess.run([sys.executable, "-m", "limbeck", *command, "--quick"], check=False)
        # A budget missed (exit code 1) is a result too; a run that ended before is not.
        if not _is_finished(folder, read_recipe(given.recipe, [f"seed={seed}"]).hash):
            sys.exit(done.returncode or 1)
        folders.append(folder)
    found = {
        "command": f"python -m benchmarks.over_seeds {given.recipe}",
        "recipe": recipe.name,
        "seeds": given.seeds,
        "metrics": summary(folders),
        "environment": asdict(current_environment()),
    }
    out = given.out or Path("benchmarks/results") / f"over-seeds-{recipe.name}.json"
    out.parent.mkdir(parents=True, exist_ok=True)
    write_atomically(out, json.dumps(found, indent=1) + "\n")
    print(json.dumps(found["metrics"], indent=1))


if __name__ == "__main__":
    main()
