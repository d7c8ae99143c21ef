"""Runs inside the emulated system: asks one ONNX file, with NumPy and ONNX Runtime alone.

    python inside.py MODEL VERIFICATION ANSWERS

VERIFICATION is a `verification.safetensors` (docs/verification.md), ANSWERS the `.npz` to write.
"""

import json
import sys
from pathlib import Path
from typing import Any

import numpy as np
import onnxruntime
from numpy.typing import NDArray

_TYPES = {"I32": np.int32, "I64": np.int64, "F32": np.float32, "U8": np.uint8}


def read_inputs(path: Path) -> dict[str, NDArray[Any]]:
    """Return the tensors `inputs/…` of a safetensors file, by the rest of their name."""
    data = path.read_bytes()
    start = 8 + int.from_bytes(data[:8], "little")
    header = json.loads(data[8:start])
    found = {}
    for name, one in header.items():
        if name.startswith("inputs/"):
            first, last = one["data_offsets"]
            flat = np.frombuffer(data[start + first : start + last], _TYPES[one["dtype"]])
            found[name.removeprefix("inputs/")] = flat.reshape(one["shape"])
    return found


def ask(model: Path, inputs: dict[str, NDArray[Any]]) -> dict[str, NDArray[Any]]:
    """Ask about each example alone, cut to its length, as an app does."""
    options = onnxruntime.SessionOptions()
    options.intra_op_num_threads = options.inter_op_num_threads = 1
    options.log_severity_level = 3
    session = onnxruntime.InferenceSession(str(model), options, providers=["CPUExecutionProvider"])
    taken = [one.name for one in session.get_inputs()]
    names = [one.name for one in session.get_outputs()]
    answers = []
    for row in range(len(inputs[taken[0]])):
        end = int(inputs["lengths"][row]) if "lengths" in inputs else None
        one = {name: inputs[name][row : row + 1, :end] for name in taken}
        answers.append(session.run(names, one))
    return {name: np.concatenate([one[i] for one in answers]) for i, name in enumerate(names)}


if __name__ == "__main__":
    model, verification, answers = map(Path, sys.argv[1:])
    np.savez(answers, allow_pickle=False, **ask(model, read_inputs(verification)))
