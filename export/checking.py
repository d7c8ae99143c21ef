"""Verifying one file that was just written, by whatever means this machine has."""

from dataclasses import replace
from pathlib import Path
from statistics import median
from typing import TYPE_CHECKING, Any

from compress.errors import UserError
from export.formats import Format
from export.runner import RunnerSpec, Runtime, open_runner
from export.samples import Samples
from export.source import Emitted
from export.targets import run_obstacles, this_machine
from export.verification import Check

if TYPE_CHECKING:
    from export.verification_set import VerificationSet


def check_file(
    known: Format,
    emitted: Emitted,
    scheme: str,
    verification: "VerificationSet",
    device: str | None = None,
) -> tuple[Check, dict[str, Any]]:
    """Ask the file what the student was asked; where it cannot be run, its graph is asked.

    Args:
        known: Its format.
        emitted: What was written.
        scheme: Decides the tolerance.
        verification: Real inputs and what the student answers.
        device: What the file is made for; it may be another GPU than this machine's.

    Returns:
        The check, and what to add to the artifact's details.
    """
    obstacles = list(run_obstacles(known, this_machine(), device))
    if emitted.graph is None or not (known.is_recipe_for_device or obstacles):
        check = ask(known.runtime, emitted.path, scheme, verification)
        check = replace(check, faults=(*emitted.faults, *check.faults))
        if obstacles or check.faults:
            return check, {}
        details, faults = _on_the_device(known.runtime, emitted.path, scheme, verification)
        return replace(check, faults=faults), details
    graph = ask("onnx", emitted.graph, scheme, verification)
    faults = (*emitted.faults, *(f"the ONNX it is built from: {one}" for one in graph.faults))
    check = Check(
        graph.cases, None, None, None, faults, checked="parsed", checked_with=graph.checked_with
    )
    figures = {
        "graph_agreement": graph.agreement,
        "graph_max_abs_difference": graph.max_abs_difference,
    }
    return check, {name: value for name, value in figures.items() if value is not None}


def _on_the_device(
    runtime: Runtime, path: Path, scheme: str, verification: "VerificationSet"
) -> tuple[dict[str, Any], tuple[str, ...]]:
    """Tell what only a file's own runtime can, on its own device: figures, and faults in words."""
    if runtime == "tensorrt":
        return _gpu_time(path, verification), ()
    if runtime == "coreml":
        return _beside_evaluator(path, scheme, verification)
    return {}, ()


def _gpu_time(path: Path, verification: "VerificationSet") -> dict[str, Any]:
    from export.tensorrt.run import TensorRtRunner

    try:
        with TensorRtRunner(path) as runner:
            return {"gpu_ms": median_gpu_ms(runner, verification.samples)}
    except (UserError, OSError, RuntimeError) as error:  # it answered; only its time is not known
        return {"gpu_ms": f"not measured: {_first_line(error)}"}


def median_gpu_ms(runner: Any, samples: Samples) -> float:
    """Return how long a GPU takes for one example: the median over the examples, in milliseconds.

    Args:
        runner: A `TensorRtRunner` inside its `with`.
        samples: Real inputs.
    """
    found = []
    for index in range(len(samples)):
        runner(samples.row(index))
        found.append(runner.last_gpu_ms)
    return float(median(found))


def _beside_evaluator(
    path: Path, scheme: str, verification: "VerificationSet"
) -> tuple[dict[str, Any], tuple[str, ...]]:
    from export.coreml.agreement import compare_with_evaluator
    from export.coreml.run import CoreMlRunner

    try:
        with CoreMlRunner(path) as own, CoreMlRunner(path, is_reference=True) as evaluator:
            return compare_with_evaluator(own, evaluator, scheme, verification)
    except UserError as error:  # Core ML knows operations that the evaluator does not
        return {"evaluator": f"not asked: {_first_line(error)}"}, ()


def ask(
    runtime: Runtime,
    path: Path,
    scheme: str,
    verification: "VerificationSet",
    *,
    takes_texts: bool = False,
) -> Check:
    """Verify a file through its runtime; one that cannot be loaded or run is refused for it."""
    try:
        with open_runner(RunnerSpec(runtime, str(path))) as runner:
            return verification.check(runner, scheme, takes_texts=takes_texts)
    except Exception as error:  # a broken file may fail in any way that its runtime has
        return Check.failed(f"it cannot be run: {_first_line(error)}")


def _first_line(error: Exception) -> str:
    first, *_ = str(error).splitlines() or [type(error).__name__]
    return first
