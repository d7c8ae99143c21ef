"""Writing the student for NVIDIA's GPUs: an engine, or a folder that builds one on the device."""

import time
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import onnx

from compress.files import file_sha256, write_bytes_atomically
from compress.recipe.artifacts import TensorRt, TensorRtRtx
from export.gpu import gpu_is_present
from export.signature import Signature
from export.source import DeploySource, Emitted, Unsupported
from export.tensorrt.check import network_faults, verify_engine_file
from export.tensorrt.description import (
    EngineDescription,
    Range,
    described_inputs,
    described_outputs,
    profile_of,
)
from export.tensorrt.device_folder import emit_device_folder
from export.tensorrt.engine_header import CAPABILITY_BITS, read_engine_header
from export.tensorrt.library import (
    RTX,
    TENSORRT,
    BuildError,
    Library,
    build,
    inspect,
    parse,
)
from export.tensorrt.typed_graph import typed_onnx

PORTABLE = "portable"
_NO_KERNELS = {
    ("fp32", "sm75"): "fp32 matrix products",
    ("int4-weight", "sm75"): "int4 weights",
}
"""What TensorRT-RTX has no kernels for (1.7.1). Asked for it, the builder fails, and the next
engine that it builds in the same process is another one."""
_INSTEAD = {
    "fp32": "fp16",
    "fp16": "fp32",
    "int8-weight": "fp16",
    "int4-weight": "int8-weight or fp16",
    "int8-static": "fp16",
}
"""What can be had where a scheme cannot."""


def emit(source: DeploySource, wanted: TensorRtRtx | TensorRt, folder: Path) -> Emitted:
    """Write `folder / wanted.file_name`; see `compress.recipe.artifacts` for what can be wanted.

    Without a GPU an engine is not run: its network is compared with the ONNX that it was parsed
    from, which is returned for verification in its place.

    Raises:
        Unsupported: This machine, the target or the student does not allow it.
    """
    if isinstance(wanted, TensorRtRtx):
        return _emit_rtx(source, wanted, folder)
    if wanted.target == "build-on-device":
        return emit_device_folder(source, wanted, folder)
    return _emit_for_this_gpu(source, wanted, folder)


def _emit_rtx(source: DeploySource, wanted: TensorRtRtx, folder: Path) -> Emitted:
    known = _capabilities(_loaded(RTX))
    if wanted.target not in {*known, PORTABLE}:
        raise Unsupported(
            f"tensorrt-rtx: {wanted.target} is no compute capability that limbeck builds for with "
            f"TensorRT-RTX {RTX.version}; it knows {', '.join(known)} and {PORTABLE}"
        )
    if lacking := _NO_KERNELS.get((wanted.scheme, wanted.target)):
        raise Unsupported(
            f"tensorrt-rtx: there are no kernels for {lacking} on {wanted.target}; "
            f"{_INSTEAD[wanted.scheme]} can be had instead"
        )
    capability = known.get(wanted.target)
    return _emit_engine(source, wanted, folder, library=RTX, capability=capability)


def _emit_for_this_gpu(source: DeploySource, wanted: TensorRt, folder: Path) -> Emitted:
    _loaded(TENSORRT)
    return _emit_engine(source, wanted, folder, library=TENSORRT, capability=None)


def _loaded(library: Library) -> Any:
    """Return the library's package."""
    try:
        return library.load()
    except (ImportError, OSError, RuntimeError) as error:
        raise Unsupported(
            f"{library.name} is installed and cannot be loaded: {str(error).splitlines()[0]}"
        ) from error


def _capabilities(trt: Any) -> dict[str, tuple[int, int]]:
    """Return the compute capabilities that the library builds for, as major and minor, by name.

    One that a header is not known to name is left out: its engines could not be checked.
    """
    names = [one.lower() for one in trt.ComputeCapability.__members__ if one.startswith("SM")]
    return {one: (int(one[2:-1]), int(one[-1])) for one in names if one in CAPABILITY_BITS}


def _emit_engine(
    source: DeploySource,
    wanted: TensorRtRtx | TensorRt,
    folder: Path,
    *,
    library: Library,
    capability: tuple[int, int] | None,
) -> Emitted:
    graph = typed_onnx(source, wanted.scheme)
    batch = wanted.batch
    profile = profile_of(source, batch.least, batch.best, batch.most)
    version_compatible = isinstance(wanted, TensorRt) and wanted.version_compatible
    begun = time.perf_counter()
    try:
        parsed = parse(library, str(graph))
        engine = build(
            parsed,
            profile,
            capabilities=(capability,) if capability else None,
            allow_tf32=wanted.scheme != "fp32",
            version_compatible=version_compatible,
        )
    except BuildError as error:
        raise Unsupported(
            f"{library.name} {library.version} cannot build {wanted.scheme} for {wanted.target}: "
            f"{error}; {_INSTEAD[wanted.scheme]} can be had instead"
        ) from error
    seconds = time.perf_counter() - begun
    path = folder / wanted.file_name
    write_bytes_atomically(path, engine)
    description = EngineDescription(
        format=wanted.format,
        scheme=wanted.scheme,
        target=wanted.target,
        library_version=library.version,
        inputs=described_inputs(source.signature, profile),
        outputs=described_outputs(source.signature),
        metadata=source.signature.metadata(),
        engine_bytes=len(engine),
        engine_sha256=file_sha256(path),
        onnx_sha256=file_sha256(graph),
        version_compatible=version_compatible,
    )
    sidecars = [description.write(path)]
    inspected = _inspected(library, engine, path)
    model = onnx.load(graph)
    faults = [*network_faults(parsed.network, model), *verify_engine_file(path)]
    details = {
        "library": library.name,
        "library_version": library.version,
        "target": wanted.target,
        "build_seconds": round(seconds, 3),
        "layers": parsed.network.num_layers,
        "onnx_nodes": len(model.graph.node),
        "onnx_bytes": graph.stat().st_size,
        **_profile_words(source.signature, profile),
        "tf32": wanted.scheme != "fp32",
        **_weights(model),
        "inspector": inspected or "takes a GPU of the target",
    }
    if library.is_rtx and not faults:
        header = read_engine_header(path)
        details["compute_capabilities"] = sorted(header.capabilities, key=_number)
        details["weight_bytes"] = header.weight_bytes
    else:
        details["version_compatible"] = version_compatible
    if inspected:
        sidecars.append(path.with_name(inspected))
    return Emitted(path, details, tuple(sidecars), graph, tuple(faults))


def _inspected(library: Library, engine: bytes, path: Path) -> str | None:
    """Save what the engine inspector says; return the file's name, or None where it says nothing.

    The library loads engines only where there is a GPU that they are for.
    """
    said = inspect(library, engine) if gpu_is_present() else None
    if said is None:
        return None
    other = path.with_name(f"{path.name}.inspector.json")
    write_bytes_atomically(other, said.encode())
    return other.name


def _profile_words(signature: Signature, profile: Mapping[str, Range]) -> dict[str, str]:
    first = signature.inputs[0]
    ranges = zip(*profile[first.name], strict=True)
    words = {"B": "batch", "L": "length"}
    return {
        words[size]: "least {}, best {}, most {}".format(*one)
        for size, one in zip(first.shape, ranges, strict=True)
        if isinstance(size, str)
    }


def _weights(model: onnx.ModelProto) -> dict[str, int]:
    """Count the quantized weights."""
    kinds = {"int8_weights": onnx.TensorProto.INT8, "int4_weights": onnx.TensorProto.INT4}
    counts = {
        name: sum(1 for one in model.graph.initializer if one.data_type == kind and one.dims)
        for name, kind in kinds.items()
    }
    return {name: count for name, count in counts.items() if count}


def _number(capability: str) -> int:
    return int(capability[2:])
