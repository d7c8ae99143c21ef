"""The first 64 bytes of a TensorRT-RTX engine, which say what it is without a GPU.

NVIDIA does not document them. The places were found by building engines of several students, in
several precisions, for each compute capability with TensorRT-RTX 1.7.1; a layout with another
number is not guessed at. Little-endian:

| bytes | what |
|---|---|
| 0-3 | `vtrt` |
| 8-11 | number of the layout, 2 |
| 16-23 | size of the file |
| 24-27 | the library's version, four numbers |
| 28-31 | `vtrt` |
| 32-35 | compute capabilities, a bit each |
| 56-63 | size of the weights |
| 64-67 | `NGNE`, the first section |
"""

import struct
from dataclasses import dataclass
from pathlib import Path

SIZE = 68
MAGIC = b"vtrt"
LAYOUT = 2
CAPABILITY_BITS = {
    "sm75": 1 << 0,
    "sm80": 1 << 1,
    "sm86": 1 << 2,
    "sm89": 1 << 3,
    "sm120": 1 << 4,
    "sm121": 1 << 5,
}
"""A bit more is set in portable engines, for what is newer."""
PORTABLE_CAPABILITIES = frozenset(CAPABILITY_BITS) - {"sm75"}
"""What a portable engine runs on at least: Ampere and later."""


@dataclass(frozen=True)
class EngineHeader:
    """What an engine says of itself."""

    version: str
    """Of the library: `1.7.1.116`."""
    capabilities: frozenset[str]
    """`sm86`, ..."""
    weight_bytes: int


def read_engine_header(path: Path) -> EngineHeader:
    """Read the header, and see that the file is as long as it says.

    Raises:
        ValueError: It is no TensorRT-RTX engine, or cut off; the message says which.
    """
    with path.open("rb") as file:
        start = file.read(SIZE)
    if len(start) < SIZE or start[:4] != MAGIC or start[28:32] != MAGIC or start[64:] != b"NGNE":
        raise ValueError("it does not begin as a TensorRT-RTX engine does")
    (layout,) = struct.unpack_from("<I", start, 8)
    if layout != LAYOUT:
        raise ValueError(f"its layout has the number {layout}, and {LAYOUT} is known")
    (size,) = struct.unpack_from("<Q", start, 16)
    if size != path.stat().st_size:
        raise ValueError(f"it has {path.stat().st_size} bytes, and should have {size}")
    (bits,) = struct.unpack_from("<I", start, 32)
    (weights,) = struct.unpack_from("<Q", start, 56)
    return EngineHeader(
        version=".".join(str(number) for number in start[24:28]),
        capabilities=frozenset(name for name, bit in CAPABILITY_BITS.items() if bits & bit),
        weight_bytes=weights,
    )


def names_tensor(engine: bytes, name: str) -> bool:
    """Whether an engine has an input or output of a name: it stands behind its length."""
    text = name.encode()
    return struct.pack("<Q", len(text)) + text in engine


def is_rtx_engine(path: Path) -> bool:
    """Whether a file begins as an engine of TensorRT-RTX does; others are of TensorRT."""
    with path.open("rb") as file:
        return file.read(4) == MAGIC
