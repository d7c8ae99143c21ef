"""Writing a student that reads text as ONNX."""

from collections.abc import Sequence
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any, Literal

import onnx
from onnx import ModelProto

from compress.networks.hugging_face import HuggingFaceModel
from compress.recipe import Target
from compress.saved_text_model import load_text_model
from export.onnx.divisor_folding import fold_divisors
from export.onnx.half_precision import halve
from export.onnx.int8_graph import declare_floats, drop_zero_points, quantize_tables
from export.onnx.routes import GraphRoute, Wish, choose_route
from export.onnx.scale_folding import fold_scales
from export.onnx.static_int8 import quantize_static_onnx
from export.onnx.text_contract import put_contract_around, write_onnx
from export.onnx.text_graph import (
    forget_shapes,
    inline_constants,
    keep_first_position,
    take_one_text,
    unfuse_residual_norms,
)
from export.quiet import quietly
from export.samples import Samples
from export.signature import Signature
from export.source import Unsupported

Scheme = Literal["fp32", "fp16", "int8-dynamic", "int8-static"]
Preset = Literal["arm64", "avx2", "avx512_vnni"]
_INPUTS = ("input_ids", "attention_mask", "token_type_ids")
_LOGITS = "logits"
_TRACED_SHAPE = (2, 16)


def emit_text_onnx(
    folder: Path,
    signature: Signature,
    path: Path,
    *,
    scheme: Scheme,
    preset: Preset = "arm64",
    gains: Sequence[float] | None = None,
    route: Wish = "auto",
    opset: int | None = None,
    calibration: Samples | None = None,
) -> GraphRoute:
    """Write a saved student; see `emit_text_network`.

    Args:
        folder: What `save_text_model` wrote.
        signature: What the file takes and returns; goes into its metadata.
        path: The file to write.
        scheme: See `emit_text_network`.
        preset: Likewise.
        gains: Likewise.
        route: How PyTorch writes the graph; see `choose_route`.
        opset: Likewise.
        calibration: See `emit_text_network`.

    Returns:
        How the graph was written.

    Raises:
        ValueError: The signature does not fit the student.
        RunError: The folder cannot be loaded.
        Unsupported: No route writes that opset.
    """
    saved = load_text_model(folder)
    kind = "hugging-face" if saved.section is None else saved.section.kind
    graph = choose_route(kind, route, opset)
    emit_text_network(
        saved.model,
        saved.target,
        signature,
        path,
        scheme=scheme,
        graph=graph,
        preset=preset,
        gains=gains,
        calibration=calibration,
    )
    return graph


def emit_text_network(
    network: Any,
    target: Target,
    signature: Signature,
    path: Path,
    *,
    scheme: Scheme,
    graph: GraphRoute,
    preset: Preset = "arm64",
    gains: Sequence[float] | None = None,
    calibration: Samples | None = None,
) -> None:
    """Write a file with a free batch and a free length up to the signature's.

    By the TorchScript route a Hugging Face student goes through Optimum: its export configuration
    for the architecture, its ONNX Runtime optimizer where that knows the architecture, and its
    quantizer's preset. What a quantizer cannot know is added between: the last layer computes one
    position, the sums before layer norms stay apart, scales become part of matrices (see
    `text_graph`, `scale_folding`), and word tables are int8 with a scale a row (`int8_graph`).

    Args:
        network: A `TextModel` in inference mode.
        target: What its logits are of.
        signature: What the file takes and returns; goes into its metadata.
        path: The file to write.
        scheme: Floats, halves, or int8 weights: with activations that are quantized as they come
            (dynamic) or by ranges that calibration saw (static).
        graph: How PyTorch writes the graph.
        preset: Of Optimum's quantizer; the processor that dynamic int8 is laid out for.
        gains: What each grade is worth, for an output `score` besides `probabilities`.
        calibration: Inputs from the training split, for static int8.

    Raises:
        ValueError: The signature does not fit the student, or calibration is missing.
    """
    if scheme == "int8-static" and calibration is None:
        raise ValueError("static int8 takes its ranges from calibration, and there is none")
    with quietly(), TemporaryDirectory(prefix="limbeck-") as temporary:
        place = Path(temporary)
        model = _logits_graph(network, graph, scheme, place)
        if all(one.name != "token_type_ids" for one in signature.inputs):
            take_one_text(model)
        fold_scales(model)
        fold_divisors(model)
        unfuse_residual_norms(model)
        keep_first_position(model)
        forget_shapes(model)
        if scheme.startswith("int8"):
            quantize_tables(model)
        if scheme == "int8-dynamic":
            model = _quantize(model, preset, getattr(network, "model", None), place)
        elif scheme == "fp16":
            halve(model)
        put_contract_around(model, signature, target, gains)
        if calibration is None or scheme != "int8-static":
            write_onnx(model, signature, path)
        else:
            write_onnx(model, signature, place / "contract.onnx")
            quantize_static_onnx(place / "contract.onnx", path, calibration, signature)


def _logits_graph(network: Any, graph: GraphRoute, scheme: Scheme, place: Path) -> ModelProto:
    """Return a graph from int64 pieces to logits."""
    is_int8 = scheme.startswith("int8")
    if graph.route == "torchscript" and isinstance(network, HuggingFaceModel):
        # Only matrices that stand alone have ranges to calibrate.
        return _export_by_optimum(network.model, graph, place, fuses=scheme != "int8-static")
    return _export_by_torch(network, graph, place, as_matrices=is_int8)


def _export_by_optimum(network: Any, graph: GraphRoute, place: Path, *, fuses: bool) -> ModelProto:
    """Let Optimum export a network of Hugging Face's, and optimize it where it knows how."""
    from optimum.exporters.onnx import onnx_export_from_model

    try:
        onnx_export_from_model(
            network,
            place / "exported",
            opset=graph.opset,
            task="text-classification",
            do_validation=False,  # every file is verified once it is whole
        )
    except ValueError as error:  # so Optimum says that it knows no such architecture
        raise Unsupported(
            f"Optimum cannot export {type(network).__name__}: {str(error).splitlines()[0]}. "
            "Try route: dynamo"
        ) from error
    path = _optimize(place, fuses_attention=fuses) or place / "exported" / "model.onnx"
    model = onnx.load(path)
    inline_constants(model)
    return model


def _optimize(place: Path, *, fuses_attention: bool) -> Path | None:
    """Fuse what ONNX Runtime has one operator for; None where Optimum cannot (MobileBERT)."""
    from optimum.onnxruntime import ORTOptimizer
    from optimum.onnxruntime.configuration import OptimizationConfig

    try:
        optimizer = ORTOptimizer.from_pretrained(place / "exported")
    except NotImplementedError:  # Optimum says so of architectures that it cannot fuse
        return None
    configuration = OptimizationConfig(
        optimization_level=1,
        disable_attention_fusion=not fuses_attention,
        # The mask as it is, so that it need not end with the padding.
        use_raw_attention_mask=True,
        # Measured: these kernels take longer than what they fuse.
        disable_skip_layer_norm_fusion=True,
        disable_bias_skip_layer_norm_fusion=True,
        disable_bias_gelu_fusion=True,
    )
    optimizer.optimize(configuration, place / "optimized", file_suffix="")
    return place / "optimized" / "model.onnx"


def _export_by_torch(
    network: Any, graph: GraphRoute, place: Path, *, as_matrices: bool
) -> ModelProto:
    """Let PyTorch export a network."""
    import torch

    from export.onnx.text_modules import Logits
    from export.onnx.torch_export import export_by_torch

    example = torch.ones(_TRACED_SHAPE, dtype=torch.int64)
    return export_by_torch(
        Logits(network, as_matrices=as_matrices).eval(),
        (example, example.clone(), torch.zeros_like(example)),
        place / "exported.onnx",
        graph,
        inputs=_INPUTS,
        outputs=[_LOGITS],
        axes={**{name: {0: "B", 1: "L"} for name in _INPUTS}, _LOGITS: {0: "B"}},
    )


def _quantize(model: ModelProto, preset: Preset, network: Any, place: Path) -> ModelProto:
    """Let Optimum quantize all matrices, with a scale a column."""
    from optimum.onnxruntime import ORTQuantizer
    from optimum.onnxruntime.configuration import AutoQuantizationConfig

    declare_floats(model)
    onnx.save(model, place / "model.onnx")
    configuration = getattr(AutoQuantizationConfig, preset)(
        is_static=False, per_channel=True, operators_to_quantize=["MatMul", "Attention"]
    )
    quantizer = ORTQuantizer(place / "model.onnx", config=getattr(network, "config", None))
    quantizer.quantize(configuration, place / "quantized", file_suffix="")
    quantized = onnx.load(place / "quantized" / "model.onnx")
    drop_zero_points(quantized)
    return quantized
