"""Having PyTorch converted to a LiteRT file in fp32, out of this process's sight.

The converter brings JAX, torchao and MLIR, about 250 MB and their threads, logs from C++ that
Python cannot silence, and can end the process that it runs in. So it has a process of its own.
"""

import os
import subprocess
import sys
from pathlib import Path

import torch
from torch import Tensor, nn

from export.bert_shortcuts import with_shortcuts
from export.quiet import quietly
from export.source import DeploySource, Unsupported


class NamedOutputs(nn.Module):
    """A deploy module that says what each of its answers is called."""

    def __init__(self, module: nn.Module, outputs: tuple[str, ...]) -> None:
        """Wrap `module`, whose tuple has one tensor for each of `outputs`."""
        super().__init__()
        self.module = module
        self.outputs = outputs

    def forward(self, **inputs: Tensor) -> dict[str, Tensor]:
        """Answer a batch, by name."""
        return dict(zip(self.outputs, self.module(**inputs), strict=True))


def convert(source: DeploySource, path: Path) -> None:
    """Write the student as a LiteRT file in fp32 that takes one example of `source.length`.

    Args:
        source: The student.
        path: The file to write; what else is written is removed again.

    Raises:
        Unsupported: PyTorch cannot export the student, or litert-torch does not know an operator.
    """
    outputs = tuple(one.name for one in source.signature.outputs)
    names = [one.name for one in source.signature.inputs]
    inputs = dict(zip(names, source.example(), strict=True))
    quick = with_shortcuts(source.module, is_pair="token_type_ids" in names)
    module = NamedOutputs(quick, outputs).eval()
    program_file = path.with_suffix(".pt2")
    try:
        with quietly(), torch.inference_mode(False), torch.no_grad():
            torch.export.save(_exported(module, inputs), program_file)
        _run(program_file, path)
    finally:
        program_file.unlink(missing_ok=True)


def _exported(module: nn.Module, inputs: dict[str, Tensor]) -> torch.export.ExportedProgram:
    try:
        return torch.export.export(module, (), inputs)
    except Exception as error:  # tracing runs the module's own code, and torch's compiler
        lines = (line.strip() for line in str(error).splitlines())
        first = next(filter(None, lines), "it does not say why")
        raise Unsupported(
            f"litert: torch.export cannot take this student: {type(error).__name__}: {first}. "
            "Ask for format: onnx instead, which takes every student"
        ) from error


def _run(program_file: Path, path: Path) -> None:
    """Start the process and wait for the file."""
    packages = str(Path(__file__).resolve().parent.parent.parent)
    environment = os.environ | {
        "PYTHONPATH": os.pathsep.join(filter(None, [packages, os.environ.get("PYTHONPATH")])),
        "LITERT_TORCH_SHOW_PROGRESS": "n",
    }
    done = subprocess.run(
        [
            sys.executable,
            "-P",
            "-m",
            "export.litert.conversion_process",
            str(program_file.resolve()),
            str(path.resolve()),
        ],
        env=environment,
        stdin=subprocess.DEVNULL,
        capture_output=True,
        text=True,
        errors="replace",
        check=False,
    )
    if done.returncode or not path.exists():
        said = done.stdout.strip().splitlines()
        reason = said[-1] if said else f"its process ended with {done.returncode}"
        raise Unsupported(
            f"litert: litert-torch cannot convert this student: {reason}. "
            "Ask for format: onnx instead, which takes every student"
        )
