"""Writing the ONNX file as ONNX Runtime Mobile takes it: optimized before, in its own format."""

from importlib.metadata import version
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any

from compress.files import write_atomically
from compress.recipe import Onnx, OnnxText, Ort, OrtText
from export.onnx.emit import emit as emit_onnx_file
from export.ort.conversion import convert
from export.ort.usability import usability
from export.ort.weights import onnx_weight_bytes, ort_weight_bytes
from export.quiet import quietly
from export.source import DeploySource, Emitted

CONFIG = "required_operators.config"
GROWTH = 1.05
"""Most that weights may grow. What ONNX Runtime lays out anew grows less; a table that is used
twice grows by half of the file."""
_SLACK = 4096
"""Bytes of shapes and scales that optimizing may add to the smallest file."""


def emit(source: DeploySource, wanted: Ort, folder: Path) -> Emitted:
    """Write `folder / wanted.file_name` and, beside it, the operators that it needs.

    The operators are a configuration for a build of ONNX Runtime that has no others, with the
    types that each of them is used with.

    Args:
        source: The student.
        wanted: The scheme, and of a text student Optimum's preset.
        folder: An existing folder.

    Raises:
        Unsupported: The student cannot be written as ONNX, or ONNX Runtime cannot convert that.
    """
    path = folder / wanted.file_name
    config = path.with_name(f"{path.name}.{CONFIG}")
    with TemporaryDirectory(prefix="ort-", dir=source.scratch) as temporary:
        place = Path(temporary)
        graph = emit_onnx_file(source, _same_as_onnx(wanted), place)
        made = place / path.name
        convert(graph.path, made, wanted.scheme)
        before, after = onnx_weight_bytes(graph.path), ort_weight_bytes(made)
        operators, count = _required_operators(made)
        details: dict[str, Any] = {
            **graph.details,
            "onnxruntime": version("onnxruntime"),
            "weight_bytes": after,
            "onnx_weight_bytes": before,
            "operators": count,
            **usability(graph.path),
        }
        write_atomically(config, operators)
        made.replace(path)
    return Emitted(path, details, sidecars=(config,), faults=growth_faults(before, after))


def _same_as_onnx(wanted: Ort) -> Onnx:
    if isinstance(wanted, OrtText):
        return OnnxText(format="onnx", scheme=wanted.scheme, preset=wanted.preset)
    return Onnx(format="onnx", scheme=wanted.scheme)


def _required_operators(path: Path) -> tuple[str, int]:
    """Return the configuration of a `.ort` file's operators, and how many there are.

    The tool's first lines say where the file lay; here they say what it is called.
    """
    from onnxruntime.tools.ort_format_model import create_config_from_models
    from onnxruntime.tools.reduced_build_config_parser import parse_config

    written = path.with_suffix(".config")
    with quietly():
        create_config_from_models([path], written, enable_type_reduction=True)
        needed, _ = parse_config(str(written), enable_type_reduction=True)
    lines = written.read_text(encoding="utf-8").splitlines()
    kept = [line for line in lines if not line.startswith("#")]
    names = {name for opsets in needed.values() for names in opsets.values() for name in names}
    return "\n".join([f"# Operators that {path.name} needs", *kept, ""]), len(names)


def growth_faults(before: int, after: int) -> tuple[str, ...]:
    """Say where converting wrote a weight twice."""
    if after <= before * GROWTH + _SLACK:
        return ()
    return (
        f"its weights take {after:,} bytes, those of the ONNX file {before:,}: converting wrote "
        "one twice, as it does where one table both embeds and scores. Give each use a copy "
        "before quantizing, or deploy the ONNX file",
    )
