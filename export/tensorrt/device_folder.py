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

ONNX, FLAGS = "student.onnx", "flags.json"
ENGINES = "student-engine"
"""Folder beside it, where engines go: what is in the folder itself is checked by its hash."""
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
    texts = {
        FLAGS: json.dumps(flags, indent=2, sort_keys=True) + "\n",
        "build.sh": _shell_script(wanted.scheme, flags["trtexec"]),
        "build.py": Path(__file__).with_name("build_script.py").read_text(encoding="utf-8"),
        "README.md": _readme(source, wanted),
    }
    for name, text in texts.items():  # a shell on the device reads no other ends of lines
        (partial / name).write_text(text, encoding="utf-8", newline="\n")
    (partial / "build.sh").chmod(0o755)
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


def engine_name(scheme: str) -> str:
    """Return what an engine of a scheme is called on the device."""
    return f"student.{scheme}.engine"


def _flags(
    source: DeploySource, wanted: TensorRt, graph: Path, profile: Mapping[str, Range]
) -> dict[str, Any]:
    trtexec = [f"--onnx={ONNX}", f"--saveEngine={engine_name(wanted.scheme)}"]
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
        "target": "this-gpu",  # of the device, once it is built
        "inputs": described_inputs(source.signature, profile),
        "outputs": described_outputs(source.signature),
        "metadata": source.signature.metadata(),
        "onnx_sha256": file_sha256(graph),
        "version_compatible": wanted.version_compatible,
    }
    return {
        "onnx": ONNX,
        "engine": engine_name(wanted.scheme),
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
    given = [f"'{flag}'" for flag in flags if not flag.startswith("--onnx=")]
    lines = " \\\n  ".join([f'--onnx="$here/{ONNX}"', *given])
    return f"""#!/bin/sh
# Builds {engine_name(scheme)} from {ONNX} with TensorRT's trtexec, on the device that will run it,
# into the folder given, or ../{ENGINES}.
set -eu
here=$(cd "$(dirname "$0")" && pwd)
into=${{1:-$here/../{ENGINES}}}
mkdir -p "$into"
into=$(cd "$into" && pwd)
if [ "$into" = "$here" ]; then
  echo "this folder is checked as it is: choose another folder for the engine" >&2
  exit 2
fi
cd "$into"
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
    engine = engine_name(wanted.scheme)
    return f"""# {source.about.name}: {wanted.scheme} for TensorRT

An engine is of one GPU and one version of TensorRT, so it is built where it will run:

    python3 build.py [FOLDER]    # with TensorRT's Python package, or
    ./build.sh [FOLDER]          # with trtexec

Either writes `{engine}` into FOLDER (`../{ENGINES}` if none is named), which takes {batch.least} to
{batch.most} examples at once{length}. `build.py` also writes `{engine}.json`: what built it, its
inputs and outputs, and the metadata that an app must compare. `{ONNX}` is the graph, checked with
ONNX Runtime against the student; it gives every tensor its type, so build it strongly typed.
`{FLAGS}` has the exact flags. Build elsewhere, not in here: this folder is checked by its hash.

On the device, with the `verification.safetensors` of the export folder, an engine of `build.py` is
run and held against the student:

    limbeck verify ../{ENGINES}/{engine} --against ../verification.safetensors
"""
