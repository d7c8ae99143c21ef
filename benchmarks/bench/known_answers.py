"""What a model answers before it is timed, asked in a process of its own.

A file that nobody here has seen may crash its runtime, or never answer: it takes no other
measurement along.
"""

import json
from collections.abc import Mapping
from dataclasses import asdict, dataclass
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any

import numpy as np
from numpy.typing import NDArray

from benchmarks.bench.entrant import Entrant
from benchmarks.timing.isolation import LEAST_LIMIT_SECONDS, run_apart
from benchmarks.timing.job import SLOWEST_SECONDS
from compress.errors import UserError
from export.runner import RunnerSpec

SAMPLES, VERIFICATION = "samples.npz", "verification.safetensors"
GIVEN, FOUND = "given.npz", "found.json"


@dataclass(frozen=True, eq=False)
class Answers:
    """What a model answers before it is timed: the timed answers must be the same."""

    given: Mapping[str, NDArray[Any]] | None
    """Of all samples by name; None where it was not asked."""
    faults: tuple[str, ...] = ()
    """Why it is not what was verified, in words."""


@dataclass(frozen=True)
class AskingJob:
    """What to ask; samples, and what a run's file is verified with, lie in `folder`."""

    spec: RunnerSpec
    folder: str
    scheme: str
    """Of a run's file: decides what it may differ by. Empty: there is nothing to verify it with."""
    takes_texts: bool

    def to_json(self) -> str:
        """Return the job as JSON text."""
        return json.dumps(asdict(self), indent=2)

    @classmethod
    def from_json(cls, text: str) -> "AskingJob":
        """Read what `to_json` wrote."""
        fields = json.loads(text)
        return cls(**fields | {"spec": RunnerSpec(**fields["spec"])})


def known_answers(model: Entrant) -> Answers:
    """Ask a model everything once before it is timed; a run's file is verified again.

    Raises:
        UserError: It cannot be loaded or asked, crashes, or does not answer in ten minutes and
            more.
    """
    what = f"{model.spec.path}: what it answers"
    verified_with = model.verification
    with TemporaryDirectory(prefix="limbeck-bench-") as name:
        folder = Path(name)
        model.samples.save(folder / SAMPLES)
        if verified_with is not None:
            verified_with.save(folder / VERIFICATION)
        job = AskingJob(
            spec=model.spec,
            folder=name,
            scheme="" if verified_with is None else model.scheme,
            takes_texts=verified_with is not None and model.samples is verified_with.texts,
        )
        (folder / "job.json").write_text(job.to_json(), encoding="utf-8")
        run_apart(
            "benchmarks.bench.known_answers_process",
            folder / "job.json",
            model.spec.threads,
            what,
            limit_seconds=LEAST_LIMIT_SECONDS + SLOWEST_SECONDS * len(model.samples),
        )
        found = json.loads((folder / FOUND).read_text(encoding="utf-8"))
        if found["is_users"]:
            raise UserError(found["said"])
        if found["said"]:
            raise UserError(
                f"{model.spec.path}: it cannot be asked with {model.asked_with}: {found['said']}"
            )
        with np.load(folder / GIVEN, allow_pickle=False) as stored:
            return Answers(dict(stored), tuple(found["faults"]))
