"""The same bytes for the same graph.

A `.ort` file (FlatBuffers) ends with a table of the types that operators are called with, and ONNX
Runtime writes its entries in the order of a hash that is another in every process. All else is in
order. The table is written anew, sorted, behind the rest, and where it was are zeros.
"""

import struct
from collections.abc import Iterator
from typing import Any

Entry = tuple[bytes, tuple[tuple[bytes, tuple[tuple[int, int], ...]], ...]]
"""An operator, and by the name of a type the kinds and numbers of arguments that have it."""
_FIELD_OF_TYPES = 10
"""`InferenceSession.kernel_type_str_resolver`, the fourth field, in a table's list of offsets."""
_ALIGNMENT = 8


def in_order(content: bytes) -> bytes:
    """Return a `.ort` file that loads as `content` does, and depends on nothing but the graph."""
    session, resolver = _tables(content)
    if resolver is None:
        return content
    entries = sorted(_entries(resolver))
    made = bytearray(content)
    for start, end in _extents(resolver):
        made[start:end] = bytes(end - start)
    made += bytes(-len(made) % _ALIGNMENT)
    table = _built(entries)
    field = session._tab.Pos + session._tab.Offset(_FIELD_OF_TYPES)
    place = len(made) + struct.unpack_from("<I", table)[0]
    struct.pack_into("<I", made, field, place - field)
    return bytes(made + table)


def _tables(content: bytes) -> tuple[Any, Any]:
    from onnxruntime.tools.ort_format_model import ort_flatbuffers_py  # noqa: F401  (finds `fbs`)
    from onnxruntime.tools.ort_format_model.ort_flatbuffers_py.fbs import InferenceSession

    session = InferenceSession.InferenceSession.GetRootAs(content, 0)
    return session, session.KernelTypeStrResolver()


def _operators(resolver: Any) -> list[Any]:
    return [
        resolver.OpKernelTypeStrArgs(one) for one in range(resolver.OpKernelTypeStrArgsLength())
    ]


def _types(operator: Any) -> list[Any]:
    return [operator.KernelTypeStrArgs(one) for one in range(operator.KernelTypeStrArgsLength())]


def _arguments(kind: Any) -> list[Any]:
    return [kind.Args(one) for one in range(kind.ArgsLength())]


def _entries(resolver: Any) -> Iterator[Entry]:
    for operator in _operators(resolver):
        kinds = (
            (kind.KernelTypeStr(), tuple((one.ArgType(), one.Index()) for one in _arguments(kind)))
            for kind in _types(operator)
        )
        yield operator.OpId(), tuple(sorted(kinds))


def _extents(resolver: Any) -> Iterator[tuple[int, int]]:
    """Yield where the table lies: first byte and the one behind the last, part by part.

    Lists of offsets that it shares with the graph lie behind it and stay.
    """
    tables = [resolver]
    for operator in _operators(resolver):
        tables.append(operator)
        for kind in _types(operator):
            tables += [kind, *_arguments(kind)]
    behind = max(one._tab.Pos for one in tables)
    for one in tables:
        table = one._tab
        offsets = table.Pos - struct.unpack_from("<i", table.Bytes, table.Pos)[0]
        size, length = struct.unpack_from("<HH", table.Bytes, offsets)
        yield table.Pos, table.Pos + length
        if offsets < behind:
            yield offsets, offsets + size
    lists = [(resolver, 4, 4)]
    for operator in _operators(resolver):
        lists += [(operator, 4, 1), (operator, 6, 4)]
        for kind in _types(operator):
            lists += [(kind, 4, 1), (kind, 6, 4)]
    for one, field, width in lists:
        table = one._tab
        offset = table.Offset(field)
        if offset:
            start = table.Indirect(table.Pos + offset)
            number = struct.unpack_from("<I", table.Bytes, start)[0]
            yield start, start + 4 + number * width + (width == 1)  # texts end with a zero


def _built(entries: list[Entry]) -> bytes:
    """Return a buffer whose root is the table with these entries."""
    import flatbuffers  # ONNX Runtime brings it

    builder = flatbuffers.Builder(4096)

    def vector(offsets: list[int]) -> int:
        builder.StartVector(4, len(offsets), 4)
        for one in reversed(offsets):
            builder.PrependUOffsetTRelative(one)
        return int(builder.EndVector())

    def pair(text: bytes, parts: list[int]) -> int:
        listed, name = vector(parts), builder.CreateString(text)
        builder.StartObject(2)
        builder.PrependUOffsetTRelativeSlot(0, name, 0)
        builder.PrependUOffsetTRelativeSlot(1, listed, 0)
        return int(builder.EndObject())

    def argument(kind: int, index: int) -> int:
        builder.StartObject(2)
        builder.PrependInt8Slot(0, kind, 0)
        builder.PrependUint32Slot(1, index, 0)
        return int(builder.EndObject())

    operators = [
        pair(name, [pair(kind, [argument(*one) for one in found]) for kind, found in kinds])
        for name, kinds in entries
    ]
    listed = vector(operators)
    builder.StartObject(1)
    builder.PrependUOffsetTRelativeSlot(0, listed, 0)
    builder.Finish(builder.EndObject())
    return bytes(builder.Output())
