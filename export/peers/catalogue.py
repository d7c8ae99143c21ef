"""Every peer, and how each takes the student."""

import os
import sys
from importlib.util import find_spec
from pathlib import Path
from shutil import which
from typing import Any, cast

import numpy as np

from compress.errors import UserError
from compress.files import tree_bytes
from export.peers.description import PeerModel
from export.peers.peer import DESCRIPTION, Peer, PeerFiles, PeerStudent, native_samples
from export.peers.plain_onnx import MODEL, optimum_cli, plain_onnx, run_optimum
from export.quiet import quietly

_COMPILERS = ("g++", "clang++", "c++")


def emit_compiled(student: PeerStudent, folder: Path) -> PeerFiles:
    """Describe the PyTorch student, with real inputs to compile for."""
    from export.peers.run_compiled import EXAMPLES
    from export.pytorch.emit import emit_pytorch
    from export.pytorch.emit_text import emit_pytorch_text

    source = student.source
    description = folder / DESCRIPTION
    if student.target is None:
        fields = source.signature.fields
        emit_pytorch(
            description,
            [source.student],
            top_k=int(fields["top_k"]),
            mask_seen=bool(fields["mask_seen"]),
            is_ensemble=False,
            trained_on_unseen=False,
            blocked=cast(Any, source.module).scorer.blocked,
        )
    else:
        emit_pytorch_text(description, source.student, source.gains)
    examples = source.calibration
    if examples.lengths is not None:
        order = np.argsort(examples.lengths, kind="stable")
        chosen = order[np.linspace(0, len(order) - 1, 5).astype(np.int64)][[2, 1, 3, 4, 0]]
    else:
        chosen = np.zeros(1, np.int64)
    native_samples(examples.take(chosen), "int64").save(folder / EXAMPLES)
    return PeerFiles(description, student.bytes, "torch.compile(student)")


def emit_onnx_runtime(student: PeerStudent, folder: Path) -> PeerFiles:
    """Export to ONNX, and no more."""
    typed = plain_onnx(student, folder)
    typed = f'{typed}; onnxruntime.InferenceSession("FP32/model.onnx")'
    return PeerFiles(folder / DESCRIPTION, _model_bytes(folder), typed)


def emit_openvino(student: PeerStudent, folder: Path) -> PeerFiles:
    """Export to ONNX, which OpenVINO reads and compiles as it loads."""
    typed = plain_onnx(student, folder)
    options = '{"PERFORMANCE_HINT": "LATENCY", "INFERENCE_PRECISION_HINT": "f32"}'
    model = '"FP32/model.onnx"'
    if not student.source.reads_text:
        typed = f"{typed}; model = openvino.Core().read_model({model}); model.reshape([1, L])"
        model = "model"
    typed = f'{typed}; openvino.compile_model({model}, "CPU", {options})'
    return PeerFiles(folder / DESCRIPTION, _model_bytes(folder), typed)


def emit_optimum(student: PeerStudent, folder: Path) -> PeerFiles:
    """Export to ONNX, then quantize dynamically with Optimum's preset and nothing else."""
    fp32, int8 = folder / "fp32", folder / "int8"
    fp32.mkdir(exist_ok=True)
    typed = plain_onnx(student, fp32)
    if student.is_hugging_face:
        option = f"--{student.preset}"
        run_optimum("onnxruntime", "quantize", option, "--onnx_model", fp32, "-o", int8)
        typed = f"{typed}; optimum-cli onnxruntime quantize {option} --onnx_model FP32 -o INT8"
    else:
        _quantize(fp32, int8, student.preset)
        typed = (
            f'{typed}; ORTQuantizer.from_pretrained("FP32").quantize('
            f'AutoQuantizationConfig.{student.preset}(is_static=False), save_dir="INT8")'
        )
    model = int8 / "model_quantized.onnx"
    if not model.is_file():
        raise UserError(f"Optimum ended without an error and did not write {model}")
    read = PeerModel.read(fp32 / DESCRIPTION)
    about = PeerModel(f"{int8.name}/{model.name}", read.target, read.gains)
    return PeerFiles(about.write(folder / DESCRIPTION), model.stat().st_size, typed)


def _quantize(fp32: Path, int8: Path, preset: str) -> None:
    """Quantize with Optimum's Python interface, as its command line takes its own models only."""
    with quietly():
        from optimum.onnxruntime import ORTQuantizer
        from optimum.onnxruntime.configuration import AutoQuantizationConfig

        config = getattr(AutoQuantizationConfig, preset)(is_static=False)
        ORTQuantizer.from_pretrained(fp32, file_name=MODEL).quantize(config, save_dir=int8)


def emit_litert(student: PeerStudent, folder: Path) -> PeerFiles:
    """Convert with litert-torch, without quantization and without limbeck's shortcuts."""
    from dataclasses import replace

    from export.litert.conversion import convert
    from export.peers.as_it_is import AsItIs

    path = folder / "model.tflite"
    convert(replace(student.source, module=AsItIs(student.source.module).eval()), path)
    typed = 'litert_torch.convert(student, inputs).export("model.tflite")'
    return PeerFiles(path, path.stat().st_size, typed)


def _model_bytes(folder: Path) -> int:
    """The graph and, where the exporter puts them beside it, the weights."""
    return sum(tree_bytes(one) for one in folder.glob(f"{MODEL}*"))


def _no_compiler() -> str | None:
    if sys.platform == "win32" or os.environ.get("CXX") or any(map(which, _COMPILERS)):
        return None
    return (
        "torch.compile needs a C++ compiler, and there is none: install g++ or clang++, or name "
        "one in the environment variable CXX"
    )


def _no_optimum() -> str | None:
    try:
        optimum_cli()
    except UserError as error:
        return str(error)
    return None


def _no_openvino() -> str | None:
    if find_spec("openvino") is not None:
        return None
    return "OpenVINO is not installed; install it with: pip install 'limbeck[openvino]'"


def _no_litert() -> str | None:
    if all(find_spec(one) is not None for one in ("litert_torch", "ai_edge_litert")):
        return None
    return "litert-torch is not installed; install it with: pip install 'limbeck[litert]'"


def _nothing() -> str | None:
    return None


PEERS = (
    Peer(
        name="torch.compile",
        runtime="pytorch-compiled",
        takes="int64",
        version=1,
        packages=("torch", "transformers"),
        obstacle=_no_compiler,
        emit=emit_compiled,
    ),
    Peer(
        name="ONNX Runtime fp32 (plain)",
        runtime="onnx-peer",
        takes="int64",
        version=2,
        packages=("torch", "onnxscript", "optimum", "optimum-onnx", "transformers", "onnxruntime"),
        obstacle=_nothing,
        emit=emit_onnx_runtime,
    ),
    Peer(
        name="Optimum int8 (plain)",
        runtime="onnx-peer",
        takes="int64",
        version=3,
        packages=("torch", "onnxscript", "optimum", "optimum-onnx", "transformers", "onnxruntime"),
        obstacle=_no_optimum,
        emit=emit_optimum,
    ),
    Peer(
        name="OpenVINO fp32",
        runtime="openvino",
        takes="int64",
        version=3,
        packages=("torch", "onnxscript", "optimum", "optimum-onnx", "transformers", "openvino"),
        obstacle=_no_openvino,
        emit=emit_openvino,
    ),
    Peer(
        name="LiteRT fp32 (plain)",
        runtime="litert",
        takes="int32",
        version=1,
        packages=("torch", "litert-torch", "ai-edge-litert"),
        obstacle=_no_litert,
        emit=emit_litert,
    ),
)
"""In the order that a report lists them. PyTorch eager is the student's own row."""
