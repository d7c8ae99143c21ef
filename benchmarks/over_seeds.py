"""One job under several seeds: are its differences more than luck?

`python -m benchmarks.over_seeds recipes/movielens-100k.yaml --seeds 1 2 3` runs the whole job once
a seed (teacher, students, files; latency briefly), then resamples test cases and seeds together.
"""

import argparse
import json
import subprocess
import sys
from collections.abc import Mapping, Sequence
from dataclasses import asdict
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from benchmarks.environment import current_environment
from benchmarks.quality import Evaluation
from compress.files import write_atomically
from compress.metrics import Interval
from compress.recipe_file import read_recipe

METRICS = ("ndcg@10", "hit@10")
TEACHER, STUDENT, ALONE = "teacher", "student", "student-without-teacher"
RESAMPLES = 4000


def case_and_seed_interval(
    values: NDArray[np.float64],
    other: NDArray[np.float64] | None = None,
    *,
    ratio: bool = False,
    resamples: int = RESAMPLES,
) -> Interval:
    """Mean, difference or ratio of means, with a 95% interval over cases and seeds.

    Cases and seeds are resampled independently of each other, each with replacement (the two-way
    "pigeonhole" bootstrap, Owen 2007), and both sides of a comparison with the same draws.

    Args:
        values: `[S, N]`: a metric under S seeds for N cases.
        other: `[S, N]`: what it is compared with; None: nothing.
        ratio: Divide by `other` instead of subtracting it.
        resamples: How often to resample.
    """
    generator = np.random.default_rng(0)
    seeds, cases = values.shape
    seed_weights = generator.multinomial(seeds, np.full(seeds, 1 / seeds), resamples) / seeds
    case_weights = generator.multinomial(cases, np.full(cases, 1 / cases), resamples) / cases

    def means(table: NDArray[np.float64]) -> NDArray[np.float64]:
        drawn: NDArray[np.float64] = ((seed_weights @ table) * case_weights).sum(axis=1)
        return drawn

    drawn, value = means(values), float(values.mean())
    if other is not None and ratio:
        drawn, value = drawn / means(other), value / float(other.mean())
    elif other is not None:
        drawn, value = drawn - means(other), value - float(other.mean())
    low, high = np.quantile(drawn, [0.025, 0.975])
    return Interval(value, float(low), float(high))


def summary(runs: Sequence[Path]) -> dict[str, object]:
    """Compare the rows of several runs of one recipe.

    Args:
        runs: Folders of finished runs that differ in their seed alone.

    Returns:
        For each metric: every row's interval, what distillation gained, and what each file keeps.
    """
    names = sorted(path.stem for path in (runs[0] / "quality").glob("*.npz"))
    rows = {
        name: [Evaluation.load(run / "quality" / f"{name}.npz").values() for run in runs]
        for name in names
    }
    return {metric: _compare(rows, metric) for metric in METRICS}


def _compare(
    rows: Mapping[str, Sequence[Mapping[str, NDArray[np.float64]]]], metric: str
) -> dict[str, object]:
    values = {name: np.stack([one[metric] for one in found]) for name, found in rows.items()}
    files = [name for name in values if name.startswith("onnx")]
    return {
        "rows": {
            name: {
                **asdict(case_and_seed_interval(table)),
                "per_seed": [round(float(mean), 5) for mean in table.mean(axis=1)],
            }
            for name, table in values.items()
        },
        "distillation_gain": asdict(case_and_seed_interval(values[STUDENT], values[ALONE])),
        "teacher_over_co_occurrence": asdict(
            case_and_seed_interval(values[TEACHER], values["co-occurrence"])
        ),
        "kept": {
            name: asdict(case_and_seed_interval(values[name], values[TEACHER], ratio=True))
            for name in [STUDENT, ALONE, *files]
        },
    }


def main() -> None:
    """Run the job under each seed and write what came out."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("recipe", type=Path)
    parser.add_argument("--seeds", type=int, nargs="+", default=[1, 2, 3])
    parser.add_argument("--runs", type=Path, default=Path("runs"))
    parser.add_argument("--out", type=Path, default=Path("benchmarks/results/over-seeds.json"))
    given = parser.parse_args()
    recipe = read_recipe(given.recipe)
    folders = []
    for seed in given.seeds:
        folder = given.runs / f"{recipe.name}-seed-{seed}"
        command = ["run", str(given.recipe), "--out", str(folder), "--set", f"seed={seed}"]
        done = subprocess.run([sys.executable, "-m", "limbeck", *command, "--quick"], check=False)
        # A budget missed (exit code 1) is a result too; a run that ended before is not.
        if done.returncode not in (0, 1) or not (folder / "quality").is_dir():
            sys.exit(done.returncode)
        folders.append(folder)
    found = {
        "command": f"python -m benchmarks.over_seeds {given.recipe}",
        "recipe": recipe.name,
        "seeds": given.seeds,
        "metrics": summary(folders),
        "environment": asdict(current_environment()),
    }
    given.out.parent.mkdir(parents=True, exist_ok=True)
    write_atomically(given.out, json.dumps(found, indent=1) + "\n")
    print(json.dumps(found["metrics"], indent=1))


if __name__ == "__main__":
    main()
