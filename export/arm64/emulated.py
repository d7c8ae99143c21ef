"""Does an ONNX file answer on arm64 as it does here, and as the student?"""

import subprocess
from dataclasses import asdict, dataclass
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any

import numpy as np
from numpy.typing import NDArray

from compress.errors import UserError
from export.arm64 import inside
from export.arm64.root import ONNX_RUNTIME, Arm64Root
from export.artifact import Artifact
from export.onnx.run import OnnxRunner
from export.record import damage, recorded_artifacts
from export.verification import Asked, Check
from export.verification_set import VERIFICATION, VerificationSet

SAME = 1e-4
"""Most that an answer in fp32 may change between processors: sums in another order."""


@dataclass(frozen=True)
class Comparison:
    """One file on both processors."""

    path: str
    scheme: str
    max_abs_difference: float | None
    """Between what a file answers there and here: of a score or probability, whatever the item."""
    agreement: float | None
    """Share of items (or most probable classes) that are the same, place by place."""
    check: Check
    """Of the answers on arm64, against the student's."""

    @property
    def faults(self) -> tuple[str, ...]:
        """What is wrong, in words."""
        found = list(self.check.faults)
        apart = self.max_abs_difference
        if self.scheme == "fp32" and apart is not None and apart > SAME:
            found.append(f"its answers on arm64 and here differ by {apart:.3g}, more than {SAME:g}")
        return tuple(found)

    def to_json(self) -> dict[str, Any]:
        """Plain data."""
        return {**asdict(self), "faults": self.faults}


def compare_on_arm64(folder: Path, root: Arm64Root) -> list[Comparison]:
    """Ask every ONNX file of an export folder on both processors.

    Files that cut texts themselves are left out: their operators are no part of the system there.

    Args:
        folder: With `artifacts.json` and `verification.safetensors`.
        root: The emulated system.

    Raises:
        UserError: There is no ONNX file that could be asked, or what lists them is damaged.
    """
    recorded = recorded_artifacts(folder)
    files = [one for one in recorded if one.runtime == "onnx" and not one.takes_texts]
    if not files:
        raise UserError(f"{folder} has no ONNX file to ask on arm64.")
    verification = VerificationSet.load(folder / VERIFICATION)
    return [_compare(folder, one, verification, root) for one in files]


def _compare(
    folder: Path, artifact: Artifact, verification: VerificationSet, root: Arm64Root
) -> Comparison:
    if faults := tuple(damage(folder, artifact)):  # what was not verified is not loaded
        return _failed(artifact, "; ".join(faults))
    with TemporaryDirectory(prefix="limbeck-") as temporary:
        path = Path(temporary) / "answers.npz"
        try:
            script = Path(inside.__file__)
            root.run_python(script, folder / artifact.path, folder / VERIFICATION, path)
        except subprocess.CalledProcessError as error:
            lines = error.stderr.strip().splitlines() or [f"exit code {error.returncode}"]
            return _failed(artifact, f"it cannot be run on arm64: {lines[-1]}")
        with np.load(path, allow_pickle=False) as stored:
            there = dict(stored)
    try:
        with OnnxRunner(folder / artifact.path) as runner:
            here = verification.ask(runner).answers
    except UserError as error:
        return _failed(artifact, f"it cannot be run here, though on arm64: {error}")
    way = f"ONNX Runtime {ONNX_RUNTIME} on emulated arm64"
    check = verification.compare(Asked(there, checked_with=way), artifact.scheme)
    difference = max(
        float(np.abs(there[name] - one).max())
        for name, one in here.items()
        if one.dtype.kind == "f"
    )
    return Comparison(artifact.path, artifact.scheme, difference, _agreement(there, here), check)


def _failed(artifact: Artifact, fault: str) -> Comparison:
    return Comparison(artifact.path, artifact.scheme, None, None, Check.failed(fault))


def _agreement(there: dict[str, NDArray[Any]], here: dict[str, NDArray[Any]]) -> float | None:
    if "item_ids" in here:
        return float((there["item_ids"] == here["item_ids"]).mean())
    if "probabilities" in here:
        first, second = (one["probabilities"].argmax(axis=1) for one in (there, here))
        return float((first == second).mean())
    return None
