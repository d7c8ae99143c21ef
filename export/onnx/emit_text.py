"""Writing a student that reads text as ONNX, in fp32 or with dynamic int8."""

import logging
import os
import warnings
from collections.abc import Iterator, Sequence
from contextlib import contextmanager, redirect_stderr, redirect_stdout
from io import StringIO
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any, Literal

import onnx
from onnx import ModelProto

from compress.networks.hugging_face import HuggingFaceModel
from compress.saved_text_model import load_text_model
from export.onnx.divisor_folding import fold_divisors
from export.onnx.int8_graph import declare_floats, drop_zero_points, quantize_tables
from export.onnx.scale_folding import fold_scales
from export.onnx.text_contract import put_contract_around, write_onnx
from export.onnx.text_graph import (
    forget_shapes,
    inline_constants,
    keep_first_position,
    take_one_text,
    unfuse_residual_norms,
)
from export.signature import Signature

OPSET = 17
Preset = Literal["arm64", "avx2", "avx512_vnni"]
_INPUTS = ("input_ids", "attention_mask", "token_type_ids")
_LOGITS = "logits"


def emit_text_onnx(
    folder: Path,
    signature: Signature,
    path: Path,
    *,
    scheme: Literal["fp32", "int8-dynamic"],
    preset: Preset = "arm64",
    gains: Sequence[float] | None = None,
) -> None:
    """Write a file with a free batch and a free length up to the signature's.

    A Hugging Face student goes through Optimum: its export configuration for the architecture,
    its ONNX Runtime optimizer where that knows the architecture, and its quantizer's preset. What
    a quantizer cannot know is added between: the last layer computes one position, the sums before
    layer norms stay apart, scales become part of matrices (see `text_graph`, `scale_folding`), and
    word tables are int8 with a scale a row (`int8_graph`).

    Args:
        folder: What `save_text_model` wrote.
        signature: What the file takes and returns; goes into its metadata.
        path: The file to write.
        scheme: Floats, or int8 weights and activations that are quantized as they come.
        preset: Of Optimum's quantizer; the processor that int8 is laid out for.
        gains: What each grade is worth, for an output `score` besides `probabilities`.

    Raises:
        ValueError: The signature does not fit the student.
        RunError: The folder cannot be loaded.
    """
    with _quietly(), TemporaryDirectory(prefix="limbeck-") as temporary:
        saved = load_text_model(folder)
        place = Path(temporary)
        if isinstance(saved.model, HuggingFaceModel):
            model = _export_hugging_face(saved.model.model, place)
        else:
            model = _export_own(saved.model, place, as_matrices=scheme != "fp32")
        if all(one.name != "token_type_ids" for one in signature.inputs):
            take_one_text(model)
        fold_scales(model)
        fold_divisors(model)
        unfuse_residual_norms(model)
        keep_first_position(model)
        forget_shapes(model)
        if scheme != "fp32":
            quantize_tables(model)
            model = _quantize(model, preset, getattr(saved.model, "model", None), place)
        put_contract_around(model, signature, saved.target, gains)
        write_onnx(model, signature, path)


def _export_hugging_face(network: Any, place: Path) -> ModelProto:
    """Let Optimum export the network, and optimize it where it knows how."""
    from optimum.exporters.onnx import onnx_export_from_model

    onnx_export_from_model(
        network,
        place / "exported",
        opset=OPSET,
        task="text-classification",
        do_validation=False,  # every file is verified once it is whole
    )
    model = onnx.load(_optimize(place) or place / "exported" / "model.onnx")
    inline_constants(model)
    return model


def _optimize(place: Path) -> Path | None:
    """Fuse what ONNX Runtime has one operator for; None where Optimum cannot (MobileBERT)."""
    from optimum.onnxruntime import ORTOptimizer
    from optimum.onnxruntime.configuration import OptimizationConfig

    try:
        optimizer = ORTOptimizer.from_pretrained(place / "exported")
    except NotImplementedError:  # Optimum says so of architectures that it cannot fuse
        return None
    configuration = OptimizationConfig(
        optimization_level=1,
        # The mask as it is, so that it need not end with the padding.
        use_raw_attention_mask=True,
        # Measured: these kernels take longer than what they fuse.
        disable_skip_layer_norm_fusion=True,
        disable_bias_skip_layer_norm_fusion=True,
        disable_bias_gelu_fusion=True,
    )
    optimizer.optimize(configuration, place / "optimized", file_suffix="")
    return place / "optimized" / "model.onnx"


def _export_own(network: Any, place: Path, *, as_matrices: bool) -> ModelProto:
    """Export a network that is none of Hugging Face's."""
    import torch

    from export.onnx.text_modules import Logits

    example = torch.ones(2, 16, dtype=torch.int64)
    with torch.inference_mode():
        torch.onnx.export(
            Logits(network, as_matrices=as_matrices).eval(),
            (example, example, torch.zeros_like(example)),
            place / "exported.onnx",
            dynamo=False,
            opset_version=OPSET,
            input_names=list(_INPUTS),
            output_names=[_LOGITS],
            dynamic_axes={
                **{name: {0: "B", 1: "L"} for name in _INPUTS},
                _LOGITS: {0: "B"},
            },
        )
    model = onnx.load(place / "exported.onnx")
    inline_constants(model)
    return model


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


@contextmanager
def _quietly() -> Iterator[None]:
    """Keep back what the exporters say: they advise, and warn of what is meant so."""
    os.environ.setdefault("TOKENIZERS_PARALLELISM", "true")
    logging.disable(logging.WARNING)
    try:
        with (
            warnings.catch_warnings(),
            redirect_stdout(StringIO()),
            redirect_stderr(StringIO()),
        ):
            warnings.simplefilter("ignore")
            yield
    finally:
        logging.disable(logging.NOTSET)
