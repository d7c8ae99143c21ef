"""The process of one of the models that are asked in turn.

Run as `python -m benchmarks.timing.turns_process JOB.json` by `benchmarks.timing.turns`, which says
over its standard input when it is its turn, one line a turn; while another model answers it waits
there. What it says back goes through what was its standard output.
"""

import gc
import json
import os
import sys
from dataclasses import asdict, dataclass
from pathlib import Path

import numpy as np

from benchmarks.timing.asking import SEED, ask, warm_up
from benchmarks.timing.isolation import pin
from benchmarks.timing.job import LATENCIES, SAMPLES
from compress.imports import leave_out_torchao
from export.runner import Runner, RunnerSpec, import_runtime, open_runner
from export.samples import Inputs, Samples

SETTLING = 8
"""One query in so many is asked before a turn is timed: the other model had the caches."""


@dataclass(frozen=True)
class TurnsJob:
    """One model's part; results are written into `folder`."""

    spec: RunnerSpec
    folder: str
    warm_up_seconds: float
    cpus: tuple[int, ...] = ()
    first_turn: int = 0
    """Number of its first turn: which examples are asked is drawn by it."""

    def to_json(self) -> str:
        """Return the job as JSON text."""
        return json.dumps(asdict(self), indent=2)

    @classmethod
    def from_json(cls, text: str) -> "TurnsJob":
        """Read what `to_json` wrote."""
        fields = json.loads(text)
        typed = {"spec": RunnerSpec(**fields["spec"]), "cpus": tuple(fields["cpus"])}
        return cls(**fields | typed)


def main(job_file: str) -> None:
    """Load the model, answer when it is told to, and write the nanoseconds of every query."""
    job = TurnsJob.from_json(Path(job_file).read_text(encoding="utf-8"))
    replies = os.fdopen(os.dup(1), "w", encoding="ascii")
    os.dup2(2, 1)  # What a runtime prints is no reply.
    folder = Path(job.folder)
    samples = Samples.load(folder / SAMPLES)
    rows = [samples.row(index) for index in range(len(samples))]
    import_runtime(job.spec)
    pin(job.cpus)  # Importing is not measured: models may do it on all processors at once.
    with open_runner(job.spec) as runner:
        print("loaded", file=replies, flush=True)
        sys.stdin.readline()
        usual_ns = np.median(warm_up(runner, rows, job.warm_up_seconds))
        gc.collect()
        gc.disable()  # As in `benchmarks.timing.measured_process`.
        print(int(usual_ns), file=replies, flush=True)
        turns: list[list[int]] = []
        while queries := sys.stdin.readline():
            turns.append(_turn(runner, rows, int(queries), job.first_turn + len(turns)))
            print("done", file=replies, flush=True)
    np.save(folder / LATENCIES, np.array(turns, dtype=np.int64))


def _turn(runner: Runner, rows: list[Inputs], queries: int, turn: int) -> list[int]:
    """Ask examples that are the same for every model in the same turn."""
    asked = np.random.default_rng([SEED, turn]).integers(0, len(rows), queries).tolist()
    for index in asked[: max(1, queries // SETTLING)]:
        runner(rows[index])
    return [ask(runner, rows[index]) for index in asked]


if __name__ == "__main__":
    leave_out_torchao()
    main(sys.argv[1])
