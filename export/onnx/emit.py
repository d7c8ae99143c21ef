"""Writing a student as ONNX, whatever its task."""

from importlib.metadata import version
from pathlib import Path
from typing import Any

from compress.recipe import Onnx
from export.onnx.routes import GraphRoute, choose_route
from export.source import DeploySource, Emitted


def emit(source: DeploySource, wanted: Onnx, folder: Path) -> Emitted:
    """Write `folder / wanted.file_name`.

    Args:
        source: The student.
        wanted: Scheme, route and opset; of a text student an `OnnxText`, with Optimum's preset.
        folder: An existing folder.

    Raises:
        Unsupported: No route writes that opset of this student.
    """
    path = folder / wanted.file_name
    temporary = folder / f".{wanted.file_name}.making"
    try:
        graph = (_emit_text if source.reads_text else _emit_next_item)(source, wanted, temporary)
        temporary.replace(path)
    finally:
        temporary.unlink(missing_ok=True)
    details: dict[str, Any] = {"route": graph.route, "opset": graph.opset}
    if wanted.scheme != "fp32":
        details["quantizer"] = f"onnxruntime {version('onnxruntime')}"
    if wanted.scheme == "fp16":
        details["quantizer"] = "limbeck"
    if wanted.scheme == "int8-static":
        details["calibration_cases"] = len(source.calibration)
    if source.reads_text and wanted.scheme == "int8-dynamic":
        details["preset"] = getattr(wanted, "preset", "arm64")
    return Emitted(path, details)


def _emit_next_item(source: DeploySource, wanted: Onnx, path: Path) -> GraphRoute:
    from export.deploy import NextItemDeploy
    from export.onnx.emit_next_item import (
        emit_onnx,
        halve_onnx,
        quantize_onnx,
        quantize_static_next_item,
    )

    assert isinstance(source.module, NextItemDeploy)
    graph = choose_route("transformer", wanted.route, wanted.opset)
    emit_onnx(source.module, source.signature, path, graph)
    if wanted.scheme == "fp16":
        halve_onnx(path, source.signature, path)
    elif wanted.scheme == "int8-dynamic":
        quantize_onnx(path, source.signature, path)
    elif wanted.scheme == "int8-static":
        quantize_static_next_item(path, source.signature, path, source.calibration)
    return graph


def _emit_text(source: DeploySource, wanted: Onnx, path: Path) -> GraphRoute:
    from compress.recipe import OnnxText
    from export.onnx.emit_text import emit_text_onnx

    assert isinstance(wanted, OnnxText)
    return emit_text_onnx(
        source.student,
        source.signature,
        path,
        scheme=wanted.scheme,
        preset=wanted.preset,
        gains=source.gains,
        route=wanted.route,
        opset=wanted.opset,
        calibration=source.calibration,
    )
