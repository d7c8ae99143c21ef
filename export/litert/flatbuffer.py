"""Reading and writing what surrounds the graph in a LiteRT file: names, metadata, alignment."""

import json
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import numpy as np

METADATA = "limbeck"
"""Name of the metadata entry: one JSON object of texts."""

_ALIGNMENT = 16
"""Bytes; `force_align` of `Buffer.data` in LiteRT's schema."""


def read_model(content: bytes) -> Any:
    """Return the file's `ModelT` with every constant inside it.

    Quantizers put constants behind the flatbuffer once they are many; old runtimes do not look
    there.
    """
    from ai_edge_litert import schema_py_generated as schema

    model = schema.ModelT.InitFromPackedBuf(content, 0)
    for buffer in model.buffers:
        if buffer.offset > 1:
            data = content[buffer.offset : buffer.offset + buffer.size]
            buffer.data = np.frombuffer(data, dtype=np.uint8)
            buffer.offset = buffer.size = 0
    return model


def pack_model(model: Any) -> bytes:
    """Return the bytes of a `ModelT`, the same for the same model."""
    import flatbuffers

    class Builder(flatbuffers.Builder):  # type: ignore[misc]  # it has no types
        """Aligns constants, which the generated Python does not, though the schema asks it to."""

        def CreateNumpyVector(self, x: Any) -> int:  # noqa: N802  (flatbuffers names it)
            if x.dtype == np.uint8:
                self.Prep(_ALIGNMENT, x.size)
            return int(super().CreateNumpyVector(x))

    builder = Builder(1024)
    builder.Finish(model.Pack(builder), file_identifier=b"TFL3")
    return bytes(builder.Output())


def name_tensors(model: Any) -> None:
    """Call inputs and outputs by the signature's names, and number the tensors between.

    The converter's own names are the Python classes that a tensor passed through: up to a few
    hundred bytes each, a tenth of a small file.
    """
    for number, graph in enumerate(model.subgraphs):
        for index, tensor in enumerate(graph.tensors):
            tensor.name = f"t{index}" if number == 0 else f"g{number}t{index}"
    for signature in model.signatureDefs:
        tensors = model.subgraphs[signature.subgraphIndex].tensors
        for one in [*signature.inputs, *signature.outputs]:
            tensors[one.tensorIndex].name = one.name


def put_metadata(model: Any, metadata: Mapping[str, str], description: str) -> None:
    """Write what the file says of itself, in place of what it said before.

    Args:
        model: A `ModelT`.
        metadata: Key and value texts: the entry `METADATA`.
        description: For people who look into the file.
    """
    from ai_edge_litert import schema_py_generated as schema

    content = json.dumps(dict(metadata), sort_keys=True, ensure_ascii=False).encode()
    buffer = schema.BufferT()
    buffer.data = np.frombuffer(content, dtype=np.uint8)
    model.buffers.append(buffer)
    entry = schema.MetadataT()
    entry.name, entry.buffer = METADATA, len(model.buffers) - 1
    model.metadata = [*(model.metadata or ()), entry]
    model.description = description


def read_metadata(path: Path) -> dict[str, str]:
    """Return what `put_metadata` wrote; empty for a file of another maker."""
    from ai_edge_litert import schema_py_generated as schema

    model = schema.Model.GetRootAs(path.read_bytes(), 0)
    for index in range(model.MetadataLength()):
        entry = model.Metadata(index)
        if entry.Name() == METADATA.encode():
            content = model.Buffers(entry.Buffer()).DataAsNumpy()
            return {str(key): str(value) for key, value in json.loads(bytes(content)).items()}
    return {}
