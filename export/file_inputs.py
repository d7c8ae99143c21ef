"""What a file says that it takes, whoever wrote it."""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from compress.errors import UserError
from compress.tasks.item_codes import FIRST_ITEM
from export.runner import Runtime

RUNTIMES: Mapping[str, Runtime] = {
    ".onnx": "onnx",
    ".ort": "ort",
    ".tflite": "litert",
    ".mlpackage": "coreml",
    ".engine": "tensorrt",
}
"""By the end of a file's name, where no `artifacts.json` says what it is."""

GIVE_INPUTS = "Give real inputs with --inputs FILE.npz, one array a name, a row an example."

_ONNX_TYPES = {
    "tensor(int32)": "int32",
    "tensor(int64)": "int64",
    "tensor(float)": "float32",
    "tensor(float16)": "float16",
    "tensor(bool)": "bool",
    "tensor(string)": "string",
    "tensor(double)": "float64",
    "tensor(int8)": "int8",
    "tensor(uint8)": "uint8",
}


@dataclass(frozen=True)
class FileInput:
    """One input as the file declares it."""

    name: str
    dtype: str
    """NumPy's name of the type, or `string`."""
    shape: tuple[int | None, ...]
    """None where a size is free."""
    rows: int | None = None
    """How many rows the table has that it looks up, where that can be told: ids are below it."""

    def __str__(self) -> str:
        sizes = ", ".join("?" if size is None else str(size) for size in self.shape)
        return f"{self.name} {self.dtype} [{sizes}]"


def parts_of(path: Path) -> list[Path]:
    """Return a file, and those beside it that an ONNX graph keeps its weights in (external data).

    Files that are not there, or that lie elsewhere, are left out: the runtime refuses them.
    """
    if path.suffix != ".onnx":
        return [path]
    import onnx

    try:
        graph = onnx.load(path, load_external_data=False).graph
    except Exception:  # Whatever protobuf says of a file that is none; loading it will tell.
        return [path]
    folder = path.resolve().parent
    named = {
        folder / entry.value
        for one in graph.initializer
        for entry in one.external_data
        if entry.key == "location"
    }
    inside = (one for one in named if one.is_file() and one.resolve().is_relative_to(folder))
    return [path, *sorted(inside)]


def runtime_of(path: Path) -> Runtime:
    """Return what runs a file, by the end of its name.

    Raises:
        UserError: No runtime is known for it.
    """
    if path.suffix not in RUNTIMES:
        known = ", ".join(RUNTIMES)
        raise UserError(f"{path} is of no known format: files end in {known}.")
    return RUNTIMES[path.suffix]


def file_inputs(path: Path) -> tuple[FileInput, ...]:
    """Return what a file declares, in its order.

    Args:
        path: An `.onnx`, `.ort` or `.tflite` file.

    Raises:
        UserError: It cannot be loaded, or does not say what it takes.
    """
    runtime = runtime_of(path)
    if runtime in ("onnx", "ort"):
        return tuple(_of_onnx(path, "ORT" if runtime == "ort" else "ONNX"))
    if runtime == "litert":
        return tuple(_of_litert(path))
    if runtime == "tensorrt":
        return _of_engine(path)
    raise UserError(f"{path} does not say by itself what it takes. {GIVE_INPUTS}")


def _of_onnx(path: Path, kind: Any) -> Iterator[FileInput]:
    from export.onnx.session import open_session

    session = open_session(path, 1, kind)
    items = session.get_modelmeta().custom_metadata_map.get("limbeck.items")
    tables = {} if kind == "ORT" else _tables(path)
    for one in session.get_inputs():
        if one.type not in _ONNX_TYPES:
            raise UserError(
                f"{path} takes {one.name} as {one.type}, which is no type known here. {GIVE_INPUTS}"
            )
        shape = tuple(size if isinstance(size, int) else None for size in one.shape)
        rows = _rows_of_catalogue(items) if one.name == "history" else None
        rows = tables.get(one.name) if rows is None else rows
        yield FileInput(one.name, _ONNX_TYPES[one.type], shape, rows)


def _of_litert(path: Path) -> Iterator[FileInput]:
    from export.litert.run import LiteRtRunner

    with LiteRtRunner(path) as runner:
        try:
            items = runner.metadata.get("limbeck.items")
        except UserError:  # another writer's file
            items = None
        for name, dtype, shape in runner.declared:
            rows = _rows_of_catalogue(items) if name == "history" else None
            yield FileInput(name, dtype, shape, rows)


def _of_engine(path: Path) -> tuple[FileInput, ...]:
    """An engine tells nothing without a GPU; the description that limbeck writes beside it does."""
    from export.tensorrt.description import read_description

    try:
        description = read_description(path)
    except (ValueError, OSError) as error:
        raise UserError(
            f"{path} has no description of limbeck's beside it, and an engine does not say by "
            f"itself what it takes: {error}. {GIVE_INPUTS}"
        ) from error
    rows = _rows_of_catalogue(description.metadata.get("limbeck.items"))
    return tuple(
        FileInput(
            str(one["name"]),
            str(one["dtype"]),
            tuple(size if isinstance(size, int) and size > 0 else None for size in one["shape"]),
            rows if one["name"] == "history" else None,
        )
        for one in description.inputs
    )


def _rows_of_catalogue(items: str | None) -> int | None:
    """Read a file's metadata, which anybody may have written."""
    return int(items) + FIRST_ITEM if items and items.isdecimal() and int(items) else None


def _tables(path: Path) -> dict[str, int]:
    """Return, by input, the rows of the table that it is looked up in."""
    import onnx

    graph = onnx.load(path, load_external_data=False).graph
    rows = {one.name: int(one.dims[0]) for one in graph.initializer if len(one.dims) == 2}
    source = {one.name: one.name for one in graph.input}
    found: dict[str, int] = {}
    for node in graph.node:
        if node.op_type in ("Cast", "Identity", "Reshape", "Unsqueeze", "Squeeze", "Clip"):
            if node.input[0] in source:
                source[node.output[0]] = source[node.input[0]]
            continue
        table, ids = _lookup(node)
        if table in rows and ids in source:
            name = source[ids]
            found[name] = min(rows[table], found.get(name, rows[table]))
    return found


def _lookup(node: Any) -> tuple[str | None, str | None]:
    """Return the table and the ids of an operator that looks rows up."""
    if node.op_type in ("Gather", "GatherBlockQuantized"):
        return node.input[0], node.input[1]
    if node.op_type in ("EmbedLayerNormalization", "QEmbedLayerNormalization"):
        return node.input[2], node.input[0]
    return None, None
