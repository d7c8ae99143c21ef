"""The student as an ONNX file the plain way: PyTorch's own exporter, or Optimum's for its models.

Nothing of limbeck's goes in: no fusion, no changed graph, no untied copies beyond what the model
itself has.
"""

import os
import subprocess
import sys
from pathlib import Path
from shutil import copytree

from compress.errors import UserError
from export.peers.description import PeerModel
from export.peers.peer import DESCRIPTION, PeerStudent
from export.quiet import quietly

MODEL = "model.onnx"
_SECONDS = 3600


def plain_onnx(student: PeerStudent, into: Path) -> str:
    """Write the student in fp32, with a description for the peers' runners.

    It is exported once for all peers.

    Args:
        student: What to write.
        into: An existing folder; gets `MODEL`, and whatever else the exporter writes.

    Returns:
        What a user would type.

    Raises:
        UserError: Optimum's command line is not installed, or fails.
    """
    shared = student.source.scratch / "plain-onnx"
    is_theirs = student.is_hugging_face
    if not (shared / DESCRIPTION).is_file():
        shared.mkdir(exist_ok=True)
        (export_with_optimum if is_theirs else export_with_pytorch)(student, shared)
        about = PeerModel(MODEL)
        if is_theirs:
            about = PeerModel(MODEL, student.target, student.source.gains)
        about.write(shared / DESCRIPTION)
    copytree(shared, into, dirs_exist_ok=True)
    if is_theirs:
        return "optimum-cli export onnx --task text-classification --model STUDENT FP32"
    return (
        'torch.onnx.export(student, inputs, "FP32/model.onnx", dynamo=True, '
        f"dynamic_shapes={_free_axes(student)})"
    )


def export_with_pytorch(student: PeerStudent, into: Path) -> None:
    """Export the module as it is: its defaults, with the batch and the length of a text free."""
    import torch

    inputs = [one.name for one in student.source.signature.inputs]
    with quietly(), torch.inference_mode(False), torch.no_grad():
        torch.onnx.export(
            student.source.module,
            student.example(batch=2),  # One alone would be taken for a batch that is always one.
            str(into / MODEL),
            input_names=inputs,
            output_names=[one.name for one in student.source.signature.outputs],
            dynamic_shapes=_free_axes(student),
            dynamo=True,
        )


def _free_axes(student: PeerStudent) -> tuple[dict[int, str], ...]:
    axes = {0: "batch", 1: "length"} if student.source.reads_text else {0: "batch"}
    return tuple(dict(axes) for _ in student.source.signature.inputs)


def export_with_optimum(student: PeerStudent, into: Path) -> None:
    """Export with `optimum-cli`.

    Raises:
        UserError: It is not installed, or fails; the message ends with what it said.
    """
    folder = student.source.student
    run_optimum("export", "onnx", "--task", "text-classification", "--model", folder, into)
    if not (into / MODEL).is_file():
        raise UserError(f"optimum-cli ended without an error and did not write {into / MODEL}")


def optimum_cli() -> Path:
    """Return where Optimum's command line is.

    Raises:
        UserError: It is not installed.
    """
    program = Path(sys.executable).with_name("optimum-cli")
    if not program.is_file():
        raise UserError(
            f"{program} does not exist: this takes Optimum's command line beside Python. "
            "Install it with: pip install optimum-onnx"
        )
    return program


def run_optimum(*arguments: str | Path) -> None:
    """Run `optimum-cli`, offline and without a GPU.

    Raises:
        UserError: It is not installed, or fails; the message ends with what it said.
    """
    command = [str(optimum_cli()), *map(str, arguments)]
    offline = {"HF_HUB_OFFLINE": "1", "TRANSFORMERS_OFFLINE": "1", "CUDA_VISIBLE_DEVICES": ""}
    try:
        done = subprocess.run(
            command,
            check=False,
            capture_output=True,
            text=True,
            timeout=_SECONDS,
            env={**os.environ, **offline},
        )
    except subprocess.TimeoutExpired as error:
        raise UserError(
            f"{' '.join(command)} was not done after {_SECONDS / 60:g} minutes"
        ) from error
    if done.returncode != 0:
        last = "\n".join((done.stderr or done.stdout).strip().splitlines()[-3:])
        raise UserError(
            f"{' '.join(command)} ended with exit code {done.returncode}:\n{last}\n"
            "Run it by hand to see all that it says."
        )
