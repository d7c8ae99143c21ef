"""Opening an ONNX file with ONNX Runtime, with the operators for text where it needs them."""

from collections.abc import Iterator
from importlib.util import find_spec
from pathlib import Path
from typing import Any, BinaryIO, Literal

from compress.errors import UserError

TEXT_OPERATORS = frozenset({"ai.onnx.contrib", "com.microsoft.extensions"})
"""Domains of the operators that onnxruntime-extensions brings."""


def open_session(path: Path, threads: int, kind: Literal["ONNX", "ORT"] = "ONNX") -> Any:
    """Load the file on the CPU.

    Args:
        path: The file, whatever it is called.
        threads: Threads inside an operator; operators run one after another.
        kind: What it is: an ONNX graph, or one that ONNX Runtime wrote in its own format.

    Returns:
        An `onnxruntime.InferenceSession`.

    Raises:
        UserError: ONNX Runtime cannot load it, or its operators are not installed.
    """
    import onnxruntime

    options = onnxruntime.SessionOptions()
    options.intra_op_num_threads = threads
    options.inter_op_num_threads = 1
    options.execution_mode = onnxruntime.ExecutionMode.ORT_SEQUENTIAL
    options.log_severity_level = 3
    options.add_session_config_entry("session.intra_op.allow_spinning", "0")
    options.add_session_config_entry("session.load_model_format", kind)
    if kind == "ONNX" and needs_text_operators(path):
        options.register_custom_ops_library(text_operator_library())
    try:
        return onnxruntime.InferenceSession(str(path), options, providers=["CPUExecutionProvider"])
    except Exception as error:  # ONNX Runtime's own types share no base but Exception
        raise UserError(
            f"{path} is not an {kind} file that ONNX Runtime can load: {str(error).splitlines()[0]}"
        ) from error


def import_onnx_runtime(path: str | Path) -> None:
    """Import ONNX Runtime, and load the operators for text if the file needs them."""
    import onnxruntime

    if needs_text_operators(Path(path)):
        onnxruntime.SessionOptions().register_custom_ops_library(text_operator_library())


def text_operator_library() -> str:
    """Return where the library of onnxruntime-extensions is.

    Its Python package is not imported: that would load PyTorch and transformers if they are
    installed, 400 MB of memory that no app has.

    Raises:
        UserError: It is not installed.
    """
    package = find_spec("onnxruntime_extensions")
    for folder in (package.submodule_search_locations or ()) if package else ():
        for library in sorted(Path(folder).glob("_extensions_pydll*")):
            if library.suffix in {".so", ".pyd"}:
                return str(library)
    raise UserError(
        "The file tokenizes inside its graph, which takes onnxruntime-extensions. "
        "Install it with: pip install onnxruntime-extensions"
    )


def needs_text_operators(path: Path) -> bool:
    """Whether the file uses operators of onnxruntime-extensions; no for what is no ONNX file."""
    try:
        with path.open("rb") as file:
            return not TEXT_OPERATORS.isdisjoint(_operator_domains(file))
    except (OSError, ValueError):
        return False


def _operator_domains(file: BinaryIO) -> Iterator[str]:
    """Read `ModelProto.opset_import[].domain`, skipping the graph.

    The file is walked by hand (protobuf's wire format) because the `onnx` package would read all
    of it, and take more memory than a small model and its runtime.
    """
    for field, content in _fields(file, wanted=8):
        if field == 8:
            from io import BytesIO

            for inner, domain in _fields(BytesIO(content), wanted=1):
                if inner == 1:
                    yield domain.decode(errors="replace")


def _fields(file: BinaryIO, wanted: int) -> Iterator[tuple[int, bytes]]:
    """Yield the number of each field and, of those wanted, the content."""
    while (tag := _varint(file)) is not None:
        field, kind = tag >> 3, tag & 7
        if kind == 0:
            _varint(file)
        elif kind in {1, 5}:
            file.seek(8 if kind == 1 else 4, 1)
        elif kind == 2:
            length = _varint(file) or 0
            if field == wanted:
                yield field, file.read(length)
            else:
                file.seek(length, 1)
        else:
            raise ValueError(f"field {field} has the unknown wire type {kind}")


def _varint(file: BinaryIO) -> int | None:
    """Read a number of 7 bits a byte; None at the end of the file."""
    number, shift = 0, 0
    while byte := file.read(1):
        number |= (byte[0] & 127) << shift
        if byte[0] < 128:
            return number
        shift += 7
        if shift > 63:
            raise ValueError("a number is too long")
    return None
