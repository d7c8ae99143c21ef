"""A peer: what a user could take instead of our files, made of the very same student."""

import json
import platform
from collections.abc import Callable
from dataclasses import dataclass
from importlib.metadata import PackageNotFoundError, version
from pathlib import Path
from typing import TYPE_CHECKING, Literal

import numpy as np
from numpy.typing import NDArray

from compress.recipe import Target
from export.runner import Runtime
from export.samples import Samples
from export.source import DeploySource

if TYPE_CHECKING:
    from torch import Tensor

Preset = Literal["arm64", "avx2", "avx512_vnni"]
"""Of Optimum's quantizer: the processor that int8 is laid out for."""
DESCRIPTION = "peer.json"
"""What a peer's runner opens, in the peer's folder."""


@dataclass(frozen=True, eq=False)
class PeerStudent:
    """A student as its owner has it, before any tool."""

    source: DeploySource
    """Its module, its saved folder, real inputs, and a folder that peers share."""
    target: Target | None
    """What a text student's logits are of; None: it predicts the next item."""
    bytes: int
    """What serving it in PyTorch takes."""
    preset: Preset

    @property
    def is_hugging_face(self) -> bool:
        """Whether transformers loads its folder, so that Optimum's own exporter takes it."""
        if self.target is None:
            return False
        about = json.loads((self.source.student / "model.json").read_bytes())
        return bool(about["format"] == "huggingface")

    def example(self, batch: int = 1) -> "tuple[Tensor, ...]":
        """Return real inputs as PyTorch models take them, int64 `[batch, L]` each."""
        return tuple(one.long() for one in self.source.example(batch))


@dataclass(frozen=True)
class PeerFiles:
    """What came out of a tool."""

    description: Path
    """What the peer's runtime opens."""
    bytes: int
    """Of what has to be shipped or served."""
    typed: str
    """What a user would type for it, without paths of any machine."""


@dataclass(frozen=True)
class Peer:
    """A tool that takes a student.

    `emit` may raise anything that the tool raises: what it does not take is reported, and the
    other peers go on.
    """

    name: str
    """Of its row."""
    runtime: Runtime
    takes: Literal["int32", "int64"]
    """In what type its inputs are asked with, so that no call pays for a conversion of ours."""
    version: int
    """Of the code here that makes and calls it."""
    packages: tuple[str, ...]
    """What answers or was written with, by the names that pip knows."""
    obstacle: Callable[[], str | None]
    """What is not installed here and how to get it, in one sentence; None: nothing."""
    emit: Callable[[PeerStudent, Path], PeerFiles]
    """Writes into an existing folder."""

    @property
    def slug(self) -> str:
        """Names its files."""
        kept = (one if one.isalnum() or one in ".-" else " " for one in self.name)
        return "-".join("".join(kept).split())

    @property
    def versions(self) -> dict[str, str]:
        """Versions of those of `packages` that are installed."""
        found = {}
        for name in self.packages:
            try:
                found[name] = version(name)
            except PackageNotFoundError:
                continue
        return found


def default_preset() -> Preset:
    """Return what Optimum's documentation recommends for this machine's processor."""
    return "arm64" if platform.machine().lower() in {"arm64", "aarch64"} else "avx512_vnni"


def native_samples(samples: Samples, takes: Literal["int32", "int64"]) -> Samples:
    """Return the same examples in the types and with the arrays that a peer takes.

    Token types, which tokenizers give and limbeck's single texts leave out, are added as zeros.

    Args:
        samples: Histories or pieces, int32.
        takes: `Peer.takes`.
    """
    arrays: dict[str, NDArray[np.generic]] = {
        name: array.astype(takes) for name, array in samples.arrays.items()
    }
    if takes == "int64" and "input_ids" in arrays and "token_type_ids" not in arrays:
        arrays["token_type_ids"] = np.zeros_like(arrays["input_ids"])
    return Samples(arrays, samples.lengths)
