"""Every format that files are written in: one table of data."""

from collections.abc import Iterable
from dataclasses import dataclass
from importlib import import_module
from pathlib import Path
from typing import TYPE_CHECKING, Any

from compress.recipe import ArtifactSection
from export.runner import Runtime

if TYPE_CHECKING:
    from export.source import DeploySource, Emitted


@dataclass(frozen=True)
class Format:
    """How a format is written, and what of this machine it takes."""

    name: str
    """As recipes call it."""
    target: str
    """What runs it; where a recipe names a device, that stands in its place."""
    schemes: tuple[str, ...]
    emitter: str
    """Module that has `emit`."""
    runtime: Runtime
    emit_needs: tuple[str, ...]
    """Python packages without which it cannot be written."""
    run_needs: tuple[str, ...]
    """Python packages without which it cannot be run here."""
    enable: str
    """How to get the packages."""
    emit_systems: tuple[str, ...] = ("Linux", "Darwin", "Windows")
    """Where it can be written: `platform.system()`."""
    emit_machines: tuple[str, ...] = ()
    """Processors likewise: `platform.machine()`; none named: any."""
    run_systems: tuple[str, ...] = ("Linux", "Darwin", "Windows")
    """Where its own runtime exists."""
    gpu_to_emit: bool = False
    gpu_to_run: bool = False
    instead: str = ""
    """How it is checked where it cannot be run."""
    otherwise: str = ""
    """What can be had where it cannot be written."""
    is_recipe_for_device: bool = False
    """Whether it is what a device makes its file from, and is never run itself."""
    has_twins: bool = False
    """Whether files that differ in one thing come beside it: next-item's with seen items allowed,
    which unmasked quality is of, and a text student's with the tokenizer inside."""
    version: int = 1
    """Raised whenever its code writes something else than before."""
    made_with: tuple[str, ...] = ()
    """Formats that it is made through, whose `version` and packages count as well."""
    versions_of: tuple[str, ...] = ()
    """Python packages that decide its bytes besides `emit_needs`, where they are installed."""

    def emit(self, source: "DeploySource", wanted: Any, folder: Path) -> "Emitted":
        """Write the file; see the format's own `emit`.

        Raises:
            Unsupported: It cannot be written here, or of this student.
        """
        written: Emitted = import_module(self.emitter).emit(source, wanted, folder)
        return written


_PIP = "pip install limbeck"
_X86 = ("x86_64", "AMD64")
_TEXTS = ("transformers",)
"""Whose networks text students are."""

FORMATS = (
    Format(
        name="onnx",
        target="onnxruntime-cpu",
        schemes=("fp32", "fp16", "int8-dynamic", "int8-static"),
        emitter="export.onnx.emit",
        runtime="onnx",
        emit_needs=("torch", "onnx", "onnxruntime"),
        run_needs=("onnxruntime",),
        enable=_PIP,
        has_twins=True,
        versions_of=("onnxscript", *_TEXTS, "optimum", "onnxruntime_extensions"),
    ),
    Format(
        name="ort",
        target="onnxruntime-mobile",
        schemes=("fp32", "fp16", "int8-dynamic", "int8-static"),
        emitter="export.ort.emit",
        runtime="ort",
        emit_needs=("torch", "onnx", "onnxruntime"),
        run_needs=("onnxruntime",),
        enable=_PIP,
        made_with=("onnx",),
    ),
    Format(
        name="coreml",
        target="iOS17 (iOS16, iOS18)",
        schemes=("fp32", "fp16", "int8-weight", "int4-weight", "palettized-6", "palettized-4"),
        emitter="export.coreml.emit",
        runtime="coreml",
        emit_needs=("torch", "coremltools"),
        run_needs=("coremltools",),
        enable=_PIP,
        emit_systems=("Linux", "Darwin"),
        run_systems=("Darwin",),
        instead="evaluated from its own MIL program; no latency",
        version=3,
        otherwise="onnx and ort files run on Apple's devices too",
        versions_of=_TEXTS,
    ),
    Format(
        name="tensorrt-rtx",
        target="sm75 sm80 sm86 sm89 sm120 sm121, portable",
        schemes=("fp32", "fp16", "int8-weight", "int4-weight"),
        emitter="export.tensorrt.emit",
        runtime="tensorrt",
        emit_needs=("torch", "onnx", "tensorrt_rtx", "polygraphy"),
        run_needs=("tensorrt_rtx", "polygraphy"),
        enable="pip install 'limbeck[tensorrt]'",
        emit_systems=("Linux", "Windows"),
        emit_machines=_X86,
        run_systems=("Linux", "Windows"),
        gpu_to_run=True,
        instead="parsed and held against its ONNX, not run",
        otherwise="tensorrt with target: build-on-device can be had anywhere",
        made_with=("onnx",),
    ),
    Format(
        name="tensorrt",
        target="build-on-device",
        schemes=("fp32", "fp16", "int8-static"),
        emitter="export.tensorrt.emit",
        runtime="tensorrt",
        emit_needs=("torch", "onnx", "onnxruntime"),
        run_needs=("tensorrt", "polygraphy"),
        enable="install TensorRT for the GPU: https://developer.nvidia.com/tensorrt",
        run_systems=("Linux", "Windows"),
        gpu_to_run=True,
        instead="checked by running the ONNX that it builds from",
        is_recipe_for_device=True,
        version=2,
        made_with=("onnx",),
    ),
    Format(
        name="tensorrt",
        target="this-gpu",
        schemes=("fp32", "fp16", "int8-static"),
        emitter="export.tensorrt.emit",
        runtime="tensorrt",
        emit_needs=("torch", "onnx", "tensorrt", "polygraphy"),
        run_needs=("tensorrt", "polygraphy"),
        enable="install TensorRT for the GPU: https://developer.nvidia.com/tensorrt",
        emit_systems=("Linux", "Windows"),
        run_systems=("Linux", "Windows"),
        gpu_to_emit=True,
        gpu_to_run=True,
        otherwise="target: build-on-device can be had anywhere",
        made_with=("onnx",),
    ),
    Format(
        name="litert",
        target="litert-cpu",
        schemes=("fp32", "fp16", "int8-dynamic"),
        emitter="export.litert.emit",
        runtime="litert",
        emit_needs=("torch", "litert_torch", "ai_edge_quantizer", "ai_edge_litert"),
        run_needs=("ai_edge_litert",),
        enable="pip install 'limbeck[litert]'",
        emit_systems=("Linux", "Darwin"),
        otherwise="onnx and ort files run on the same devices",
        versions_of=_TEXTS,
    ),
)


def code_versions(artifacts: Iterable[ArtifactSection]) -> dict[str, int]:
    """Return the version of the code that writes each of the files, by format."""
    direct = [format_of(one.format, one.device) for one in artifacts]
    through = [format_of(name) for one in direct for name in one.made_with]
    return {f"{one.name} {one.target}": one.version for one in (*direct, *through)}


def format_of(name: str, device: str | None = None) -> Format:
    """Return the format of an artifact's section.

    Args:
        name: As the recipe calls it.
        device: What the section is made for; decides where a format has several rows.

    Raises:
        KeyError: There is no such format.
    """
    found = [one for one in FORMATS if one.name == name]
    if not found:
        raise KeyError(name)
    return next((one for one in found if one.target == device), found[0])
