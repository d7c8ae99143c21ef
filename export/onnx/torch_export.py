"""Letting PyTorch write a graph, by either route."""

from collections.abc import Mapping, Sequence
from pathlib import Path

import onnx
import torch
from onnx import ModelProto
from torch import Tensor, nn

from export.onnx.constant_folding import fold_weights
from export.onnx.routes import OPSETS, GraphRoute
from export.onnx.text_graph import inline_constants
from export.source import Unsupported


def export_by_torch(
    module: nn.Module,
    given: tuple[Tensor, ...],
    path: Path,
    graph: GraphRoute,
    *,
    inputs: Sequence[str],
    outputs: Sequence[str],
    axes: Mapping[str, Mapping[int, str]],
) -> ModelProto:
    """Write a module's graph and return it, constants as weights.

    Args:
        module: In inference mode.
        given: Inputs to trace with, at least two examples; each a tensor of its own, as the dynamo
            route takes what is given twice for one input.
        path: Where PyTorch writes; the file stays.
        graph: The route and the opset.
        inputs: Names, in order.
        outputs: Likewise.
        axes: By name the axes that are free, and what their size is called.

    Raises:
        Unsupported: The route cannot write something that the module computes.
    """
    try:
        _export(module, given, path, graph, inputs=inputs, outputs=outputs, axes=axes)
    except torch.onnx.errors.OnnxExporterError as error:
        other = next(one for one in OPSETS if one != graph.route)
        raise Unsupported(
            f"PyTorch's {graph.route} route cannot write this student at opset {graph.opset}: "
            f"{_reason(error)}. Try route: {other}"
        ) from error
    model = onnx.load(path)
    if graph.route == "dynamo":
        model = fold_weights(model)
    inline_constants(model)
    return model


def _export(
    module: nn.Module,
    given: tuple[Tensor, ...],
    path: Path,
    graph: GraphRoute,
    *,
    inputs: Sequence[str],
    outputs: Sequence[str],
    axes: Mapping[str, Mapping[int, str]],
) -> None:
    with torch.inference_mode():
        if graph.route == "dynamo":
            free = torch.export.Dim.DYNAMIC
            torch.onnx.export(
                module,
                given,
                path,
                dynamo=True,
                opset_version=graph.opset,
                input_names=list(inputs),
                output_names=list(outputs),
                dynamic_shapes=tuple({axis: free for axis in axes[name]} for name in inputs),
                external_data=False,
                verbose=False,
            )
        else:
            torch.onnx.export(
                module,
                given,
                path,
                dynamo=False,
                opset_version=graph.opset,
                input_names=list(inputs),
                output_names=list(outputs),
                dynamic_axes=axes,
            )


def _reason(error: BaseException) -> str:
    """Return what went wrong first, in one line: the dynamo route wraps it."""
    while error.__cause__ is not None:
        error = error.__cause__
    lines = [line.strip() for line in str(error).splitlines() if line.strip()]
    return (lines[0] if lines else type(error).__name__).rstrip(".")
