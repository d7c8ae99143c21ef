"""The process that answers one query and ends.

Run as `python -m benchmarks.timing.cold_start_process JOB.json` by `benchmarks.timing.cold_start`.
What it imports before the runtime counts as waiting, so it is little.
"""

import json
import sys
import time
from dataclasses import asdict, dataclass
from pathlib import Path

from benchmarks.timing.isolation import pin
from benchmarks.timing.job import SAMPLES
from compress.imports import leave_out_torchao
from export.runner import RunnerSpec, open_runner
from export.samples import Samples

FIRST_ANSWER = "first-answer.txt"
"""`time.monotonic_ns()` at the first answer: the system's clock, the same for every process."""


@dataclass(frozen=True)
class ColdStartJob:
    """What to load and where to write."""

    spec: RunnerSpec
    folder: str
    cpus: tuple[int, ...]

    def to_json(self) -> str:
        """Return the job as JSON text."""
        return json.dumps(asdict(self), indent=2)

    @classmethod
    def from_json(cls, text: str) -> "ColdStartJob":
        """Read what `to_json` wrote."""
        fields = json.loads(text)
        return cls(RunnerSpec(**fields["spec"]), fields["folder"], tuple(fields["cpus"]))


def main(job_file: str) -> None:
    """Carry out the job in `job_file`."""
    job = ColdStartJob.from_json(Path(job_file).read_text(encoding="utf-8"))
    pin(job.cpus)
    folder = Path(job.folder)
    inputs = Samples.load(folder / SAMPLES).row(0)
    with open_runner(job.spec) as runner:
        runner(inputs)
        answered = time.monotonic_ns()
    (folder / FIRST_ANSWER).write_text(str(answered), encoding="ascii")


if __name__ == "__main__":
    leave_out_torchao()
    main(sys.argv[1])
