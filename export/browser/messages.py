"""What Python and the page send each other: JSON and named arrays in one body.

A body is the length of the header (uint32, little-endian), the header as JSON (`content`, and
`tensors` with name, type, dims and offset), and the arrays' bytes; arrays begin at multiples of
8 bytes. `static/messages.js` is the other side.
"""

import json
import struct
import sys
from collections.abc import Mapping
from typing import Any

import numpy as np
from numpy.typing import NDArray

ALIGNMENT = 8
TYPES = ("bool", "float32", "float64", "int32", "int64", "int8", "uint8")
"""Types of tensors that both sides know; NumPy and onnxruntime-web call them alike."""


def pack(content: Any, tensors: Mapping[str, NDArray[Any]] | None = None) -> bytes:
    """Return one body.

    Args:
        content: JSON-able.
        tensors: By name, of any shape.

    Raises:
        TypeError: An array is of a type that is not sent.
    """
    described, parts, offset = [], [], 0
    for name, array in (tensors or {}).items():
        if array.dtype.name not in TYPES:
            raise TypeError(f"{name} is {array.dtype}, and browsers are sent {', '.join(TYPES)}")
        data = np.ascontiguousarray(array).astype(array.dtype.newbyteorder("<"), copy=False)
        described.append(
            {"name": name, "type": array.dtype.name, "dims": list(array.shape), "offset": offset}
        )
        parts.append(_padded(data.tobytes()))
        offset += len(parts[-1])
    header = json.dumps({"content": content, "tensors": described}).encode()
    return b"".join([_padded(struct.pack("<I", len(header)) + header), *parts])


def unpack(body: bytes) -> tuple[Any, dict[str, NDArray[Any]]]:
    """Return content and arrays of a body.

    Raises:
        ValueError: It is not one.
    """
    try:
        (length,) = struct.unpack_from("<I", body)
        header = json.loads(body[4 : 4 + length])
        start = 4 + length + -(4 + length) % ALIGNMENT
        arrays = {one["name"]: _array(body, start, one) for one in header["tensors"]}
        return header["content"], arrays
    except (struct.error, KeyError, TypeError, ValueError) as error:
        raise ValueError(f"not a message of limbeck's page: {error}") from error


def _array(body: bytes, start: int, described: Mapping[str, Any]) -> NDArray[Any]:
    if described["type"] not in TYPES:
        raise ValueError(f"type {described['type']}")
    dims = [int(size) for size in described["dims"]]
    offset = int(described["offset"])
    if offset < 0 or min(dims, default=0) < 0:
        raise ValueError("an array outside of the message")
    kind = np.dtype(described["type"]).newbyteorder("<")
    flat = np.frombuffer(body, kind, int(np.prod(dims, dtype=np.int64)), start + offset)
    native = flat.reshape(dims)
    return native if sys.byteorder == "little" else native.astype(kind.newbyteorder("="))


def _padded(part: bytes) -> bytes:
    return part + bytes(-len(part) % ALIGNMENT)
