"""The process in which two models are asked in turn.

Run as `python -m benchmarks.timing.turns_process JOB.json` by `benchmarks.timing.turns`.
"""

import gc
import json
import sys
from contextlib import ExitStack
from dataclasses import asdict, dataclass
from pathlib import Path

import numpy as np

from benchmarks.timing.latency_process import LATENCIES, SEED, ask, warm_up
from compress.imports import leave_out_torchao
from export.runner import RunnerSpec, import_runtime, open_runner
from export.samples import Samples


@dataclass(frozen=True)
class TurnsJob:
    """What to compare; results are written into `folder`."""

    specs: tuple[RunnerSpec, ...]
    folder: str
    rounds: int
    queries: int
    """Of each model in each round."""
    warm_up_seconds: float

    def to_json(self) -> str:
        """Return the job as JSON text."""
        return json.dumps(asdict(self), indent=2)

    @classmethod
    def from_json(cls, text: str) -> "TurnsJob":
        """Read what `to_json` wrote."""
        fields = json.loads(text)
        specs = tuple(RunnerSpec(**spec) for spec in fields["specs"])
        return cls(**fields | {"specs": specs})


def samples_file(number: int) -> str:
    """Name the file with what model `number` is asked with."""
    return f"samples.{number}.npz"


def main(job_file: str) -> None:
    """Carry out the job in `job_file` and write the nanoseconds of every query."""
    job = TurnsJob.from_json(Path(job_file).read_text(encoding="utf-8"))
    folder = Path(job.folder)
    models = range(len(job.specs))
    rows = []
    for model in models:
        samples = Samples.load(folder / samples_file(model))
        rows.append([samples.row(index) for index in range(len(samples))])
    found = np.empty((len(models), job.rounds, job.queries), dtype=np.int64)
    random = np.random.default_rng(SEED)
    with ExitStack() as stack:
        runners = []
        for spec in job.specs:
            import_runtime(spec)
            runners.append(stack.enter_context(open_runner(spec)))
        for model in models:
            warm_up(runners[model], rows[model], job.warm_up_seconds)
        gc.collect()
        gc.disable()  # As in `benchmarks.timing.latency_process`.
        for turn in range(job.rounds):
            asked = random.integers(0, len(rows[0]), job.queries).tolist()
            for model in models if turn % 2 == 0 else reversed(models):
                runner, own = runners[model], rows[model]
                found[model, turn] = [ask(runner, own[index]) for index in asked]
    np.save(folder / LATENCIES, found)


if __name__ == "__main__":
    leave_out_torchao()
    main(sys.argv[1])
