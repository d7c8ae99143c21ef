"""The peer: the same student taken through Optimum's own command line, as anyone would.

`optimum-cli export onnx`, then `optimum-cli onnxruntime quantize` with the same preset and nothing
else. What comes out takes int64 pieces and returns logits; `PeerRunner` asks it like any file.
"""

import json
import os
import subprocess
import sys
from dataclasses import dataclass
from pathlib import Path
from types import TracebackType
from typing import Any, Literal, Self

import numpy as np
from numpy.typing import NDArray

from compress.errors import UserError
from compress.files import write_atomically
from compress.recipe import Target
from export.onnx.session import open_session

DESCRIPTION = "peer.json"
_SECONDS = 3600
_TARGETS = ("one-of", "any-of", "score")


@dataclass(frozen=True)
class PeerFiles:
    """What the command line wrote.

    Attributes:
        fp32: Description of the exported file; a path for `PeerRunner`.
        int8: Description of the quantized file; likewise.
        fp32_model: The exported `.onnx` file.
        int8_model: The quantized `.onnx` file.
        commands: What was run, without paths of this machine.
    """

    fp32: Path
    int8: Path
    fp32_model: Path
    int8_model: Path
    commands: tuple[str, ...]


def emit_peer(
    student: Path,
    into: Path,
    *,
    preset: Literal["arm64", "avx2", "avx512_vnni"],
    target: Target,
    gains: tuple[float, ...] | None = None,
) -> PeerFiles:
    """Export and quantize a Hugging Face student with `optimum-cli`.

    Args:
        student: A folder that transformers loads.
        into: The folder to write to; made if missing.
        preset: Of the quantizer.
        target: What the logits are of.
        gains: What each grade is worth, for the ranking score.

    Raises:
        UserError: `optimum-cli` is not installed, or fails; the message ends with what it said.
    """
    program = optimum_cli()
    fp32, int8 = into / "fp32", into / "int8"
    option = f"--{preset}"
    export = ["export", "onnx", "--task", "text-classification", "--model", student, fp32]
    quantize = ["onnxruntime", "quantize", option, "--onnx_model", fp32, "-o", int8]
    for command in (export, quantize):
        _run([str(program), *map(str, command)])
    models = (fp32 / "model.onnx", int8 / "model_quantized.onnx")
    for model in models:
        if not model.is_file():
            raise UserError(f"optimum-cli ended without an error and did not write {model}")
        about = {"model": model.name, "target": target, "gains": gains}
        write_atomically(model.with_name(DESCRIPTION), json.dumps(about))
    return PeerFiles(
        fp32=fp32 / DESCRIPTION,
        int8=int8 / DESCRIPTION,
        fp32_model=models[0],
        int8_model=models[1],
        commands=(
            "optimum-cli export onnx --task text-classification --model STUDENT FP32",
            f"optimum-cli onnxruntime quantize {option} --onnx_model FP32 -o INT8",
        ),
    )


def optimum_cli() -> Path:
    """Return where Optimum's command line is.

    Raises:
        UserError: It is not installed.
    """
    program = Path(sys.executable).with_name("optimum-cli")
    if not program.is_file():
        raise UserError(
            f"{program} does not exist: --peers needs Optimum's command line beside Python. "
            "Install it with: pip install optimum-onnx"
        )
    return program


def _run(command: list[str]) -> None:
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
            "Run it by hand to see all that it says, or leave out --peers."
        )


class PeerRunner:
    """A file of the peer as a `Runner`: int32 pieces in, probabilities or a score out.

    What an app would have to do around the file is part of a call: pieces become int64, and logits
    probabilities.
    """

    def __init__(self, path: str | Path, threads: int = 1) -> None:
        """Say which file to load; nothing is loaded before `with`.

        Args:
            path: A description that `emit_peer` wrote.
            threads: Threads inside an operator.
        """
        self.path = Path(path)
        self.threads = threads
        self._session: Any = None
        self._inputs: tuple[str, ...] = ()
        self._target = ""
        self._gains: NDArray[np.float32] | None = None

    def __enter__(self) -> Self:
        try:
            about = json.loads(self.path.read_bytes())
            model, self._target, gains = about["model"], about["target"], about["gains"]
        except (OSError, ValueError, KeyError, TypeError) as error:
            raise UserError(
                f"{self.path} does not describe a file of the peer: {error}. "
                "Run the recipe again with --peers."
            ) from error
        if self._target not in _TARGETS:
            raise UserError(f"{self.path}: target {self._target!r} is none of {_TARGETS}")
        self._gains = None if gains is None else np.array(gains, np.float32)
        self._session = open_session(self.path.with_name(model), self.threads)
        self._inputs = tuple(one.name for one in self._session.get_inputs())
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        traceback: TracebackType | None,
    ) -> None:
        self._session = None

    def __call__(self, inputs: dict[str, NDArray[Any]]) -> dict[str, NDArray[Any]]:
        """See `export.runner.Runner`."""
        given = {
            name: inputs[name].astype(np.int64, copy=False)
            if name in inputs
            else np.zeros(inputs["input_ids"].shape, np.int64)
            for name in self._inputs
        }
        logits = self._session.run(["logits"], given)[0]
        if self._target == "score":
            return {"score": logits[:, 0]}
        if self._target == "any-of":
            return {"probabilities": 1 / (1 + np.exp(-logits))}
        weights = np.exp(logits - logits.max(axis=1, keepdims=True))
        probabilities = weights / weights.sum(axis=1, keepdims=True)
        if self._gains is None:
            return {"probabilities": probabilities}
        return {"probabilities": probabilities, "score": probabilities @ self._gains}
