"""The student as every format's emitter is given it, and what an emitter gives back."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING, Any

from compress.errors import UserError
from export.samples import Samples
from export.signature import Signature

if TYPE_CHECKING:
    from torch import Tensor, nn

CALIBRATION_CASES = 512
"""Training examples that static quantization takes its ranges from."""


class Unsupported(UserError):
    """A file that cannot be written here, though others can.

    The message is one line: the op, scheme or platform, and what can be had instead.
    """


@dataclass(frozen=True)
class About:
    """What a file says of its model to a person."""

    name: str
    """Of the recipe."""
    author: str = ""
    licence: str = ""


@dataclass(frozen=True, eq=False)
class DeploySource:
    """A student, in the shape that is deployed."""

    module: "nn.Module"
    """Takes int32 tensors in the order of `signature.inputs`, returns a tuple in the order of
    `signature.outputs`; fp32, in inference mode: a `NextItemDeploy` or a `TextDeploy`."""
    signature: Signature
    length: int
    """L: a history's length, or the most pieces of a text."""
    student: Path
    """Folder of the saved student."""
    calibration: Samples
    """Real inputs from the training split, named as the signature's inputs: what static
    quantization takes its ranges from."""
    scratch: Path
    """An existing folder, gone after the export, where formats keep what they share."""
    about: About
    classes: tuple[str, ...] = ()
    """Of a text student."""
    gains: tuple[float, ...] | None = None
    """What each class is worth, where `score` comes with the probabilities."""

    @property
    def reads_text(self) -> bool:
        """Whether L may be shorter than `length`, and rows are padded on the right."""
        return self.signature.task != "next-item"

    def example(self, batch: int = 1, length: int | None = None) -> "tuple[Tensor, ...]":
        """Return real inputs for tracing, int32 `[B, L]` each, none of them all padding.

        Args:
            batch: B; examples are repeated where there are fewer.
            length: L; None: `self.length`. Text rows are cut or padded to it.
        """
        import numpy as np
        import torch

        width = length or self.length
        rows = np.resize(np.arange(len(self.calibration)), batch)
        given = []
        for tensor in self.signature.inputs:
            found = self.calibration.arrays[tensor.name][rows]
            if self.reads_text:
                missing = max(0, width - found.shape[1])
                found = np.pad(found[:, :width], ((0, 0), (0, missing)))
            given.append(torch.from_numpy(np.ascontiguousarray(found, dtype=np.int32)))
        return tuple(given)


@dataclass(frozen=True)
class Emitted:
    """A file that was written, before it is verified."""

    path: Path
    """The file, or the folder that it is."""
    details: Mapping[str, Any] = field(default_factory=dict)
    """What a reader of the report should know of it; plain data for JSON."""
    sidecars: tuple[Path, ...] = ()
    """Files beside it that belong to it."""
    graph: Path | None = None
    """The ONNX file that it was built from, where it cannot be run on the machine that wrote it:
    verified in its place."""
    faults: tuple[str, ...] = ()
    """Where it is not what its graph says, in words."""
