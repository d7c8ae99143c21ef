"""The student as ONNX in standard operators and fp32: what builders of other formats read."""

import hashlib
import json
from pathlib import Path

import onnx
import torch

from export.onnx.text_contract import declare_ends, write_onnx
from export.onnx.text_graph import inline_constants, keep_first_position
from export.quiet import quietly
from export.source import DeploySource, Unsupported

OPSET = 17


def plain_onnx(source: DeploySource) -> Path:
    """Write the student once, into the source's scratch folder; later calls return the same file.

    Inputs are int32; the batch is free (`B`), and for texts the length (`L`). No operator is of a
    runtime's own domain, and none is fused, so that every parser of ONNX reads it. A text's last
    layer computes the position that is read, and no other.

    Raises:
        Unsupported: PyTorch cannot write an operator of the student.
    """
    path = source.scratch / f"plain-{_key(source)}.onnx"
    if path.is_file():
        return path
    raw = path.with_suffix(".raw")
    try:
        _export(source, raw)
        model = onnx.load(raw)
    finally:
        raw.unlink(missing_ok=True)
    inline_constants(model)
    if source.reads_text:
        keep_first_position(model)
    declare_ends(model, source.signature)
    write_onnx(model, source.signature, path)
    return path


def _key(source: DeploySource) -> str:
    """Tell students apart that share a scratch folder, such as one with and one without a mask."""
    said = json.dumps([source.signature.metadata(), str(source.student)])
    return hashlib.sha256(said.encode()).hexdigest()[:12]


def _export(source: DeploySource, path: Path) -> None:
    signature = source.signature
    axes = {
        one.name: {axis: size for axis, size in enumerate(one.shape) if isinstance(size, str)}
        for one in (*signature.inputs, *signature.outputs)
    }
    try:
        with quietly(), torch.inference_mode():
            torch.onnx.export(
                source.module,
                source.example(batch=2),
                path,
                dynamo=False,
                opset_version=OPSET,
                do_constant_folding=True,
                input_names=[one.name for one in signature.inputs],
                output_names=[one.name for one in signature.outputs],
                dynamic_axes=axes,
            )
    except torch.onnx.errors.OnnxExporterError as error:
        first = str(error).splitlines()[0]
        raise Unsupported(
            f"the student cannot be written as ONNX of opset {OPSET}: {first}"
        ) from error
