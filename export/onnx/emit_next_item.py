"""Writing a next-item student as ONNX."""

import logging
from pathlib import Path
from tempfile import TemporaryDirectory

import onnx
import torch
from onnxruntime.quantization import QuantType, quantize_dynamic

from export.deploy import NextItemDeploy
from export.onnx.constant_folding import fold_weights
from export.onnx.half_precision import halve, nodes_behind_last_product
from export.onnx.int8_graph import quantize_tables
from export.onnx.routes import DEFAULT, GraphRoute
from export.onnx.static_int8 import quantize_static_onnx
from export.onnx.text_contract import declare_ends, write_onnx
from export.onnx.text_graph import forget_shapes, inline_constants
from export.onnx.torch_export import export_by_torch
from export.quiet import quietly
from export.samples import Samples
from export.signature import Signature


def emit_onnx(
    module: NextItemDeploy, signature: Signature, path: Path, graph: GraphRoute = DEFAULT
) -> None:
    """Write an fp32 file with a dynamic batch and a fixed history length.

    What is made of weights alone is folded: measured, the file is 6% faster for it.

    Args:
        module: The deploy module, in inference mode.
        signature: Goes into the file's metadata.
        path: The file to write.
        graph: How PyTorch writes the graph.
    """
    example = torch.zeros(2, int(signature.fields["history_length"]), dtype=torch.int32)
    example[:, -1] = 2
    inputs = [one.name for one in signature.inputs]
    outputs = [one.name for one in signature.outputs]
    with quietly():
        model = export_by_torch(
            module,
            (example,),
            path,
            graph,
            inputs=inputs,
            outputs=outputs,
            axes={name: {0: "B"} for name in (*inputs, *outputs)},
        )
        model = fold_weights(model)
    inline_constants(model)
    declare_ends(model, signature)
    write_onnx(model, signature, path)


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


def halve_onnx(source: Path, signature: Signature, path: Path) -> None:
    """Write `source` again with float16 weights and computation, up to the items' scores.

    Scores get their bias, are masked and compared in float32: where float16 has steps of 1/128,
    items would be ties.

    Args:
        source: An fp32 file from `emit_onnx`.
        signature: Goes into the file's metadata.
        path: The file to write.
    """
    model = onnx.load(source)
    inline_constants(model)
    halve(model, nodes_behind_last_product(model))
    write_onnx(model, signature, path)


def quantize_static_next_item(
    source: Path, signature: Signature, path: Path, calibration: Samples
) -> None:
    """Write `source` again with int8 weights and activations whose ranges are known before.

    Args:
        source: An fp32 file from `emit_onnx`.
        signature: Goes into the file's metadata.
        path: The file to write.
        calibration: Histories from the training split.
    """
    model = onnx.load(source)
    inline_constants(model)
    quantize_tables(model)
    forget_shapes(model)
    with TemporaryDirectory(prefix="limbeck-") as temporary:
        tables = Path(temporary) / "tables.onnx"
        onnx.save(model, tables)
        quantize_static_onnx(tables, path, calibration, signature)


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
