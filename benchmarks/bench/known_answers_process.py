"""The process that asks a model everything once, before it is timed.

Run as `python -m benchmarks.bench.known_answers_process JOB.json` by `benchmarks.bench`.
"""

import json
import sys
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from benchmarks.bench.known_answers import FOUND, GIVEN, SAMPLES, VERIFICATION, AskingJob
from compress.errors import UserError
from compress.imports import leave_out_torchao
from export.runner import open_runner
from export.samples import Samples
from export.verification_set import VerificationSet


def main(job_file: str) -> None:
    """Carry out the job in `job_file`; what the runtime refuses is an answer, too."""
    job = AskingJob.from_json(Path(job_file).read_text(encoding="utf-8"))
    folder = Path(job.folder)
    refused = {"said": "", "is_users": False}
    given: Mapping[str, NDArray[Any]] = {}
    faults: tuple[str, ...] = ()
    try:
        given, faults = _asked(job, folder)
    except Exception as error:  # Whatever a runtime raises at inputs that a file does not take.
        said = str(error).strip() or type(error).__name__
        refused = {"said": said, "is_users": isinstance(error, UserError)}
    arrays: dict[str, Any] = {name: one for name, one in given.items() if one.dtype.kind in "fiub"}
    np.savez(folder / GIVEN, **arrays)
    found = {**refused, "faults": faults}
    (folder / FOUND).write_text(json.dumps(found), encoding="utf-8")


def _asked(job: AskingJob, folder: Path) -> tuple[Mapping[str, NDArray[Any]], tuple[str, ...]]:
    """Return the answers to all samples, and in what they are not the student's."""
    with open_runner(job.spec) as runner:
        if job.scheme:
            verified_with = VerificationSet.load(folder / VERIFICATION)
            asked = verified_with.ask(runner, takes_texts=job.takes_texts)
            check = verified_with.compare(asked, job.scheme)
            said = "It does not answer as its student does: {}".format
            return asked.answers, tuple(said(one) for one in check.faults)
        samples = Samples.load(folder / SAMPLES)
        answers = [runner(samples.row(index)) for index in range(len(samples))]
    names = [name for name in answers[0] if len({one[name].shape[1:] for one in answers}) == 1]
    return {name: np.concatenate([one[name] for one in answers]) for name in names}, ()


if __name__ == "__main__":
    leave_out_torchao()
    main(sys.argv[1])
