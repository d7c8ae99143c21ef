"""Writing a student as a Core ML package."""

import logging
import re
import traceback
from pathlib import Path
from typing import Any

from compress.errors import MissingExtraError
from compress.recipe.artifacts import CoreMl, CoreMlText
from export.coreml.compression import compress, compressed_share, refuse_impossible
from export.coreml.compute_units import compute_units
from export.coreml.description import describe
from export.coreml.evaluate import load_program
from export.coreml.package import read_package, write_package
from export.coreml.tools import import_coremltools
from export.coreml.tracing import trace
from export.quiet import quietly
from export.source import DeploySource, Emitted, Unsupported

_MAC_OF = {"iOS16": "macOS 13", "iOS17": "macOS 14", "iOS18": "macOS 15"}


def emit(source: DeploySource, wanted: CoreMl | CoreMlText, folder: Path) -> Emitted:
    """Write `wanted.file_name` into the folder.

    Args:
        source: The student.
        wanted: Scheme, oldest system and, for texts, the lengths.
        folder: An existing folder; a package of the same name is replaced.

    Raises:
        Unsupported: The machine, the scheme, the lengths or an operation do not allow it.
    """
    try:
        tools = import_coremltools()
    except MissingExtraError as error:
        raise Unsupported(f"coreml: {error}") from error
    refuse_impossible(wanted)
    lengths = _lengths(source, wanted)
    with quietly():
        logging.disable(logging.ERROR)  # coremltools logs what it raises, too
        model = compress(_convert(tools, source, wanted, lengths), wanted)
        spec = model.get_spec()
        describe(spec, source)
        path = folder / wanted.file_name
        write_package(spec, Path(model.weights_dir), path)
    return Emitted(path, _details(tools, path, wanted, lengths))


def _lengths(source: DeploySource, wanted: CoreMl | CoreMlText) -> tuple[int, ...]:
    """Every L that the package takes, shortest first."""
    given = wanted.lengths if isinstance(wanted, CoreMlText) else ()
    lengths = tuple(sorted(set(given))) or (source.length,)
    if lengths[-1] != source.length:
        raise Unsupported(
            f"coreml: lengths: the longest of lengths must be the task's max_length, "
            f"{source.length}, and is {lengths[-1]}"
        )
    if len(lengths) > 1 and wanted.target != "iOS18":
        names = ", ".join(one.name for one in source.signature.inputs)
        raise Unsupported(
            f"coreml: {wanted.target} takes several lengths of one input only, and the student "
            f"has {len(source.signature.inputs)} ({names}); set target: iOS18, or one length"
        )
    return lengths


def _convert(
    tools: Any, source: DeploySource, wanted: CoreMl | CoreMlText, lengths: tuple[int, ...]
) -> Any:
    """Return a coremltools `MLModel` in fp16 or fp32."""
    import numpy as np

    shape: Any = (1, lengths[-1])
    if len(lengths) > 1:
        every = [[1, length] for length in lengths]
        shape = tools.EnumeratedShapes(shapes=every, default=every[-1])
    precision = tools.precision.FLOAT32 if wanted.scheme == "fp32" else tools.precision.FLOAT16
    types = {"int32": np.int32, "float32": np.float32}
    try:
        return tools.convert(
            trace(source, lengths[-1]),
            source="pytorch",
            convert_to="mlprogram",
            inputs=[
                tools.TensorType(name=one.name, shape=shape, dtype=np.int32)
                for one in source.signature.inputs
            ],
            outputs=[
                tools.TensorType(name=one.name, dtype=types[one.dtype])
                for one in source.signature.outputs
            ],
            minimum_deployment_target=getattr(tools.target, wanted.target),
            compute_precision=precision,
            skip_model_load=True,
        )
    except Exception as error:  # what converts an operation may raise of every kind
        operation = _operation(error)
        if operation is None and not isinstance(error, (RuntimeError, ValueError)):
            raise
        first, *_ = str(error).splitlines() or [type(error).__name__]
        reason = operation or first[:160]
        raise Unsupported(
            f"coreml: coremltools cannot convert this student: {reason}; choose format: onnx"
        ) from error


def _operation(error: BaseException) -> str | None:
    """What coremltools says of an operation, which is its own or the one that it stopped at."""
    if found := re.search(r"convert function for op '([^']+)'", str(error)):
        return f"it does not know the operation {found[1]}"
    for frame, _ in traceback.walk_tb(error.__traceback__):
        if frame.f_code.co_name == "convert_single_node" and "node" in frame.f_locals:
            first, *_ = str(error).splitlines() or [type(error).__name__]
            return f"it fails at the operation {frame.f_locals['node'].kind}: {first[:160]}"
    return None


def _details(
    tools: Any, path: Path, wanted: CoreMl, lengths: tuple[int, ...]
) -> dict[str, str | int | float | bool | list[str]]:
    """What the written package is, read from it."""
    package = read_package(path)
    operations = load_program(package).functions["main"].operations
    units = compute_units(operations)
    return {
        "coremltools": str(tools.__version__),
        "minimum_system": f"{wanted.target[:3]} {wanted.target[3:]}, {_MAC_OF[wanted.target]}",
        "specification_version": int(package.spec.specificationVersion),
        "compute_precision": "fp32" if wanted.scheme == "fp32" else "fp16",
        "lengths": [str(length) for length in lengths],
        "weights_bytes": sum(file.stat().st_size for file in package.weights.iterdir()),
        "compressed_share": round(compressed_share(operations), 4),
        "compute_units": units.allowed,
        "fp16_operations": units.fp16_operations,
        "off_neural_engine": list(units.off_neural_engine),
        "operations": list(units.operations),
    }
