"""Verifying one file that was just written, by whatever means this machine has."""

from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING, Any

from export.formats import Format
from export.runner import RunnerSpec, Runtime, open_runner
from export.source import Emitted
from export.targets import run_obstacles, this_machine
from export.verification import Check

if TYPE_CHECKING:
    from export.verification_set import VerificationSet


def check_file(
    known: Format, emitted: Emitted, scheme: str, verification: "VerificationSet"
) -> tuple[Check, dict[str, Any]]:
    """Ask the file what the student was asked; where it cannot be run, its graph is asked.

    Args:
        known: Its format.
        emitted: What was written.
        scheme: Decides the tolerance.
        verification: Real inputs and what the student answers.

    Returns:
        The check, and what to add to the artifact's details.
    """
    is_stuck = known.is_recipe_for_device or any(run_obstacles(known, this_machine()))
    if emitted.graph is None or not is_stuck:
        check = ask(known.runtime, emitted.path, scheme, verification)
        return replace(check, faults=(*emitted.faults, *check.faults)), {}
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
        first, *_ = str(error).splitlines() or [type(error).__name__]
        return Check.failed(f"it cannot be run: {first}")
