"""Writing the student as ONNX, in fp32 or with dynamic int8."""

import logging
import warnings
from contextlib import redirect_stdout
from io import StringIO
from pathlib import Path

import onnx
import torch
from onnxruntime.quantization import QuantType, quantize_dynamic

from export.deploy import NextItemDeploy
from export.signature import Signature

OPSET = 17


def emit_onnx(module: NextItemDeploy, signature: Signature, path: Path) -> None:
    """Write an fp32 file with a dynamic batch and a fixed history length.

    The TorchScript route (`dynamo=False`) at opset 17 gives the graph that ONNX Runtime fuses.

    Args:
        module: The deploy module, in inference mode.
        signature: Goes into the file's metadata.
        path: The file to write.
    """
    example = torch.zeros(2, int(signature.fields["history_length"]), dtype=torch.int32)
    example[:, -1] = 2
    with warnings.catch_warnings(), redirect_stdout(StringIO()), torch.inference_mode():
        warnings.simplefilter("ignore")
        torch.onnx.export(
            module,
            (example,),
            path,
            dynamo=False,
            opset_version=OPSET,
            do_constant_folding=True,
            input_names=["history"],
            output_names=["item_ids", "scores"],
            dynamic_axes={name: {0: "batch"} for name in ("history", "item_ids", "scores")},
        )
    model = onnx.load(path)
    model.producer_name = "limbeck"
    model.producer_version = ""
    _finish(model, signature, path)


def quantize_onnx(source: Path, signature: Signature, path: Path) -> None:
    """Write `source` again with int8 weights and dynamically quantized activations.

    Weights are signed and per channel: per-tensor unsigned ones are slower and less exact. The
    embedding table (Gather) is quantized too; it is most of the file.

    Args:
        source: An fp32 file from `emit_onnx`.
        signature: Goes into the file's metadata.
        path: The file to write.
    """
    logging.disable(logging.WARNING)  # the quantizer advises on the root logger
    try:
        quantize_dynamic(
            source,
            path,
            op_types_to_quantize=["MatMul", "Gather"],
            per_channel=True,
            weight_type=QuantType.QInt8,
            extra_options={"DefaultTensorType": onnx.TensorProto.FLOAT},
        )
    finally:
        logging.disable(logging.NOTSET)
    _finish(onnx.load(path), signature, path)


def _finish(model: onnx.ModelProto, signature: Signature, path: Path) -> None:
    """Check the graph and write it with its metadata, leaving out where it was made."""
    model.doc_string = ""
    model.graph.doc_string = ""
    for node in model.graph.node:
        node.doc_string = ""
    del model.metadata_props[:]
    onnx.helper.set_model_props(model, signature.metadata())
    onnx.checker.check_model(model, full_check=True)
    temporary = path.with_name(f".{path.name}.tmp")
    temporary.write_bytes(model.SerializeToString(deterministic=True))
    temporary.replace(path)
