"""What an engine cannot say of itself, in a JSON file beside it: all that an app must know."""

import json
from collections.abc import Mapping
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any, Literal

from compress.files import write_atomically
from export.signature import Signature
from export.source import DeploySource

Range = tuple[tuple[int, ...], tuple[int, ...], tuple[int, ...]]
"""Least, best and largest shape of an input."""


@dataclass(frozen=True)
class EngineDescription:
    """One engine, `<engine>.json`."""

    format: Literal["tensorrt-rtx", "tensorrt"]
    scheme: str
    target: str
    """`sm86`, `portable`, `this-gpu`, ..."""
    library_version: str
    """Of TensorRT-RTX or TensorRT: what built it."""
    inputs: tuple[Mapping[str, Any], ...]
    """Name, dtype, shape, and the profile: least, best and largest shape."""
    outputs: tuple[Mapping[str, Any], ...]
    """Name, dtype and shape."""
    metadata: Mapping[str, str]
    """See `export.signature`."""
    engine_bytes: int
    engine_sha256: str
    onnx_sha256: str
    """The graph that it was built from."""
    version_compatible: bool = False
    """Whether later versions of the library load it."""

    @property
    def least_batch(self) -> int:
        """How many examples it takes at once at least."""
        return int(self.inputs[0]["least"][0])

    @property
    def largest_batch(self) -> int:
        """How many examples it answers at once."""
        return int(self.inputs[0]["most"][0])

    def write(self, engine: Path) -> Path:
        """Write it beside an engine; return the file."""
        path = description_path(engine)
        write_atomically(path, json.dumps(asdict(self), indent=2, sort_keys=True) + "\n")
        return path


def description_path(engine: Path) -> Path:
    """Return where an engine's description is."""
    return engine.with_name(f"{engine.name}.json")


def read_description(engine: Path) -> EngineDescription:
    """Read what is said beside an engine.

    Raises:
        ValueError: There is nothing, or it is damaged; the message names the file.
    """
    path = description_path(engine)
    try:
        found = EngineDescription(**json.loads(path.read_text()))
        names = [one["name"] for one in (*found.inputs, *found.outputs)]
        if not all(isinstance(name, str) for name in names) or not (
            1 <= found.least_batch <= found.largest_batch
        ):
            raise ValueError("its inputs or outputs are not as they are written")
    except FileNotFoundError as error:
        raise ValueError(f"{path.name} is missing beside it") from error
    except (OSError, ValueError, TypeError, LookupError) as error:
        raise ValueError(f"{path.name} is damaged: {error}") from error
    return found


def profile_of(source: DeploySource, least: int, best: int, most: int) -> dict[str, Range]:
    """Return the optimization profile: every batch from `least` to `most`, and every length.

    Args:
        source: What is built.
        least: Examples at once.
        best: What the engine is tuned for, at full length.
        most: Likewise.
    """
    sizes = ({"B": least, "L": 1}, {"B": best, "L": source.length}, {"B": most, "L": source.length})
    found: dict[str, Range] = {}
    for one in source.signature.inputs:
        low, middle, high = (
            tuple(size if isinstance(size, int) else given[size] for size in one.shape)
            for given in sizes
        )
        found[one.name] = (low, middle, high)
    return found


def described_inputs(
    signature: Signature, profile: Mapping[str, Range]
) -> tuple[dict[str, Any], ...]:
    """Return the inputs as a description has them."""
    found = []
    for one in signature.inputs:
        least, best, most = (list(shape) for shape in profile[one.name])
        tensor = {"name": one.name, "dtype": one.dtype, "shape": list(one.shape)}
        found.append({**tensor, "least": least, "best": best, "most": most})
    return tuple(found)


def described_outputs(signature: Signature) -> tuple[dict[str, Any], ...]:
    """Return the outputs as a description has them."""
    return tuple(
        {"name": one.name, "dtype": one.dtype, "shape": list(one.shape)}
        for one in signature.outputs
    )
