"""Short sessions of real measurements, and runners with planted faults to measure."""

from pathlib import Path

import numpy as np

from benchmarks.bench.command import run_bench
from benchmarks.bench.entrant import Entrant
from benchmarks.bench.plan import Load
from compress.progress import Display
from export.runner import RunnerSpec
from export.samples import Samples

BRIEF = Load(queries=16, seconds=0.2)
FAULTY = Path(__file__).parents[1] / "timing" / "faulty_runners.py"


def bench(out, *paths, load=BRIEF, against=None, peers=False, files=()):
    found, _ = run_bench(
        list(paths),
        load,
        against=None if against is None else str(against),
        inputs=None,
        peers=peers,
        out=out,
        display=Display(),
        files=files,
    )
    return found


def faulty(name, examples=64):
    """A runner of `faulty_runners` as a model that anybody brings."""
    histories = np.random.default_rng(3).integers(2, 42, (examples, 6))
    spec = RunnerSpec("python", f"{FAULTY}:{name}")
    samples = Samples({"history": histories})
    return Entrant(name, spec, samples, "made up", bytes=1, sha256="ab" * 32)
