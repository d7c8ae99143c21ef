"""How long an app waits for its first answer: process start to first answer, nothing loaded."""

from dataclasses import replace
from pathlib import Path
from time import monotonic_ns

import numpy as np

from benchmarks.timing.cold_start_process import FIRST_ANSWER, ColdStartJob
from benchmarks.timing.isolation import allowed_cpus, choose_cpus, run_apart
from benchmarks.timing.job import SAMPLES
from export.runner import RunnerSpec
from export.samples import Samples


def cold_start_ms(
    spec: RunnerSpec, samples: Samples, *, threads: int, log_folder: Path, starts: int = 1
) -> tuple[float, ...]:
    """Measure cold starts, each in a process of its own.

    From just before the process is made to holding the first answer as arrays, on the one clock
    that both processes read: the interpreter, the imports of the runtime, loading the file (from
    the page cache) and the first call are all in it. Python's own share, some 0.1 s, is what an app
    in another language does not have.

    Args:
        spec: The model; its thread count is replaced by `threads`.
        samples: Real inputs; the middle one is asked.
        threads: Threads that the runtime may use.
        log_folder: Gets the job and what the process says.
        starts: How often.

    Returns:
        Milliseconds of each start.

    Raises:
        UserError: The model could not be loaded or run; the message ends with what it said.
        ValueError: There are no samples, or no starts.
    """
    if not len(samples) or starts < 1:
        raise ValueError("a cold start needs an example to ask, and at least one start")
    log_folder.mkdir(parents=True, exist_ok=True)
    middle = np.array([len(samples) // 2])
    _unpadded(samples.take(middle)).save(log_folder / SAMPLES)
    job = ColdStartJob(
        replace(spec, threads=threads),
        str(log_folder.resolve()),
        choose_cpus(threads, allowed_cpus()),
    )
    job_file = log_folder / "job.json"
    job_file.write_text(job.to_json(), encoding="utf-8")
    answered = log_folder / FIRST_ANSWER
    took = []
    for _ in range(starts):
        answered.unlink(missing_ok=True)
        started = monotonic_ns()
        run_apart(
            "benchmarks.timing.cold_start_process",
            job_file,
            threads,
            f"{spec.path}: its cold start",
        )
        took.append((int(answered.read_text(encoding="ascii")) - started) / 1e6)
    return tuple(took)


def _unpadded(one: Samples) -> Samples:
    return Samples(one.row(0))
