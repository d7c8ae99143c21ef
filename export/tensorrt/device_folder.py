"""A folder that builds the student's engine on the device, for GPUs that nothing here builds for.

TensorRT's engines are of one GPU and one version. Where the GPU is elsewhere (Jetson, a data
centre), what travels is the graph, and the exact flags.
"""

import json
import shutil
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import onnx

from compress.files import file_sha256, tree_bytes
from compress.recipe.artifacts import TensorRt
from export.source import DeploySource, Emitted
from export.tensorrt.description import (
    Range,
    described_inputs,
    described_outputs,
    profile_of,
)
from export.tensorrt.typed_graph import typed_onnx

ONNX, ENGINE, FLAGS = "student.onnx", "student.engine", "flags.json"
_WEAK = {"fp32": [], "fp16": ["FP16"], "int8-static": ["INT8"]}
"""Precisions that TensorRT before version 10 must be allowed."""


def emit_device_folder(source: DeploySource, wanted: TensorRt, folder: Path) -> Emitted:
    """Write the graph, `build.sh` (trtexec), `build.py` (Python), `flags.json`, `README.md`.

    Raises:
        Unsupported: PyTorch cannot write an operator of the student.
    """
    graph = typed_onnx(source, wanted.scheme)
    batch = wanted.batch
    profile = profile_of(source, batch.least, batch.best, batch.most)
    flags = _flags(source, wanted, graph, profile)
    path = folder / wanted.file_name
    partial = path.with_name(f".{path.name}.tmp")
    shutil.rmtree(partial, ignore_errors=True)
    partial.mkdir(parents=True)
    shutil.copyfile(graph, partial / ONNX)
    (partial / FLAGS).write_text(json.dumps(flags, indent=2, sort_keys=True) + "\n")
    (partial / "build.sh").write_text(_shell_script(wanted.scheme, flags["trtexec"]))
    (partial / "build.sh").chmod(0o755)
    shutil.copyfile(Path(__file__).with_name("build_script.py"), partial / "build.py")
    (partial / "README.md").write_text(_readme(source, wanted))
    shutil.rmtree(path, ignore_errors=True)
    partial.replace(path)
    details = {
        "library": "TensorRT",
        "target": wanted.target,
        "trtexec": flags["trtexec"],
        "tf32": flags["tf32"],
        "version_compatible": wanted.version_compatible,
        "onnx_nodes": len(onnx.load(graph).graph.node),
        "folder_bytes": tree_bytes(path),
    }
    return Emitted(path, details, graph=path / ONNX)


def device_folder_faults(path: Path) -> list[str]:
    """Tell why a folder is not as it was written, in words.

    Args:
        path: From `emit_device_folder`.
    """
    missing = [
        name for name in (ONNX, FLAGS, "build.sh", "build.py") if not (path / name).is_file()
    ]
    if missing:
        return [f"{', '.join(missing)} is missing in it"]
    try:
        expected = json.loads((path / FLAGS).read_text())["description"]["onnx_sha256"]
    except (ValueError, KeyError, TypeError) as error:
        return [f"{FLAGS} is damaged: {error}"]
    if file_sha256(path / ONNX) != expected:
        return [f"the sha256 of {ONNX} is not the one in {FLAGS}: it was changed or exchanged"]
    return []


def _flags(
    source: DeploySource, wanted: TensorRt, graph: Path, profile: Mapping[str, Range]
) -> dict[str, Any]:
    trtexec = [f"--onnx={ONNX}", f"--saveEngine={ENGINE}"]
    for name, place in (("minShapes", 0), ("optShapes", 1), ("maxShapes", 2)):
        shapes = (
            f"{one}:{'x'.join(str(size) for size in ranges[place])}"
            for one, ranges in profile.items()
        )
        trtexec.append(f"--{name}={','.join(shapes)}")
    if wanted.scheme == "fp32":
        trtexec.append("--noTF32")
    if wanted.version_compatible:
        trtexec.append("--versionCompatible")
    description = {
        "format": "tensorrt",
        "scheme": wanted.scheme,
        "target": wanted.target,
        "inputs": described_inputs(source.signature, profile),
        "outputs": described_outputs(source.signature),
        "metadata": source.signature.metadata(),
        "onnx_sha256": file_sha256(graph),
        "version_compatible": wanted.version_compatible,
    }
    return {
        "onnx": ONNX,
        "engine": ENGINE,
        "strongly_typed": True,
        "weakly_typed_flags": _WEAK[wanted.scheme],
        "tf32": wanted.scheme != "fp32",
        "trtexec": trtexec,
        "description": description,
    }


def _shell_script(scheme: str, flags: list[str]) -> str:
    """Return `build.sh`."""
    weak = " ".join(f"--{name.lower()}" for name in _WEAK[scheme])
    older = f'else\n  set -- "$@" {weak}\n' if weak else ""
    lines = " \\\n  ".join(f"'{flag}'" for flag in flags)
    return f"""#!/bin/sh
# Builds {ENGINE} from {ONNX} with TensorRT's trtexec, on the device that will run it.
set -eu
cd "$(dirname "$0")"
: "${{TRTEXEC:=trtexec}}"
command -v "$TRTEXEC" >/dev/null 2>&1 || TRTEXEC=/usr/src/tensorrt/bin/trtexec
if ! command -v "$TRTEXEC" >/dev/null 2>&1; then
  echo "trtexec is not found: install TensorRT, or name it: TRTEXEC=/path/to/trtexec $0" >&2
  exit 2
fi
help=$("$TRTEXEC" --help 2>&1 || true)
knows() {{ case "$help" in *"$1"*) return 0 ;; *) return 1 ;; esac }}
set -- \\
  {lines}
# The graph gives every tensor its type. Versions before 10 must be allowed the precision instead.
if knows --stronglyTyped; then
  set -- "$@" --stronglyTyped
{older}fi
# Build only: made-up pieces or items could lie outside the tables.
if knows --skipInference; then set -- "$@" --skipInference; else set -- "$@" --buildOnly; fi
exec "$TRTEXEC" "$@"
"""


def _readme(source: DeploySource, wanted: TensorRt) -> str:
    """Return `README.md`."""
    batch = wanted.batch
    length = f", and 1 to {source.length} pieces" if source.reads_text else ""
    return f"""# {source.about.name}: {wanted.scheme} for TensorRT

An engine is of one GPU and one version of TensorRT, so it is built where it will run:

    ./build.sh           # with trtexec, or
    python3 build.py     # with TensorRT's Python package (also writes {ENGINE}.json)

Either writes `{ENGINE}`, which takes {batch.least} to {batch.most} examples at once{length}.
`{ONNX}` is the graph, checked with ONNX Runtime against the student; it gives every tensor its
type, so build it strongly typed. `{FLAGS}` has the exact flags, the inputs and outputs, and the
metadata that an app must compare.

`limbeck verify {ENGINE}` runs the engine on a machine with the GPU, beside {ENGINE}.json.
"""
