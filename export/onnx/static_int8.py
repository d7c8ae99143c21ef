"""Int8 with ranges that are known before: matrices and what goes into them, in QDQ form.

QDQ (quantize, dequantize) is how ONNX says it in plain operators: ONNX Runtime computes such
products in int8, and TensorRT takes the ranges from it (Jacob et al. 2018, section 2).
"""

from collections.abc import Iterator
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any

import onnx
from numpy.typing import NDArray
from onnx import ModelProto, helper

from export.onnx.text_contract import write_onnx
from export.onnx.text_graph import Links, forget_shapes, inline_constants
from export.quiet import quietly
from export.samples import Samples
from export.signature import Signature

PRODUCTS = ("MatMul", "Gemm", "Conv")
"""Operators that are computed in int8 where one factor is a weight; all others stay floats."""


def quantize_static_onnx(
    plain: Path,
    path: Path,
    calibration: Samples,
    signature: Signature,
    *,
    symmetric: bool = False,
) -> None:
    """Write `plain` with int8 weights and activations whose ranges come from real inputs.

    Weights are signed, symmetric, with a scale a column; activations are signed, with one scale
    and the smallest and largest value that calibration saw. What a product gives stays float: a
    bias, a residual and a norm behind it are added as exactly as before.

    Args:
        plain: An fp32 file with the signature's inputs and outputs.
        path: The file to write.
        calibration: Inputs from the training split; each is asked alone, without padding.
        signature: Goes into the file's metadata.
        symmetric: Whether activations' zero is 0 too, as TensorRT wants it.
    """
    from onnxruntime.quantization import (
        CalibrationMethod,
        QuantFormat,
        QuantType,
        quantize_static,
    )

    with quietly(), TemporaryDirectory(prefix="limbeck-") as temporary:
        place = Path(temporary)
        model = onnx.load(plain)
        inline_constants(model)
        forget_shapes(model)
        excluded = _name_nodes(model)
        _keep_biases_apart(model)
        onnx.save(model, place / "model.onnx")
        quantize_static(
            place / "model.onnx",
            place / "quantized.onnx",
            _reader(model, calibration),
            quant_format=QuantFormat.QDQ,
            op_types_to_quantize=list(PRODUCTS),
            nodes_to_exclude=excluded,
            per_channel=True,
            activation_type=QuantType.QInt8 if symmetric else QuantType.QUInt8,
            weight_type=QuantType.QInt8,
            calibrate_method=CalibrationMethod.MinMax,
            extra_options={
                "WeightSymmetric": True,
                "ActivationSymmetric": symmetric,
                "QuantizeBias": not symmetric,  # TensorRT dequantizes no int32
                "OpTypesToExcludeOutputQuantization": list(PRODUCTS),
                "DefaultTensorType": onnx.TensorProto.FLOAT,
            },
        )
        quantized = onnx.load(place / "quantized.onnx")
        _give_others_floats(quantized)
        write_onnx(quantized, signature, path)


def _reader(model: ModelProto, calibration: Samples) -> Any:
    """Return what hands calibration's examples to ONNX Runtime, as the file's inputs want them."""
    from onnxruntime.quantization import CalibrationDataReader

    class Reader(CalibrationDataReader):  # type: ignore[misc]  # it has no type information
        """Example after example."""

        def __init__(self) -> None:
            self.examples = _examples(model, calibration)

        def get_next(self) -> dict[str, NDArray[Any]] | None:
            """Return the next example; None: there are no more."""
            return next(self.examples, None)

    return Reader()


def _examples(model: ModelProto, calibration: Samples) -> Iterator[dict[str, NDArray[Any]]]:
    dtypes = {
        one.name: helper.tensor_dtype_to_np_dtype(one.type.tensor_type.elem_type)
        for one in model.graph.input
    }
    for number in range(len(calibration)):
        row = calibration.row(number)
        yield {name: row[name].astype(dtype) for name, dtype in dtypes.items()}


def _name_nodes(model: ModelProto) -> list[str]:
    """Give every node a name, and return the products that must stay floats.

    These are products of two activations (attention), which int8 makes coarse twice, and products
    of an answer, such as the gain of probabilities: an app reads both, and they must agree.
    """
    links = Links(model)
    excluded = []
    for number, node in enumerate(model.graph.node):
        node.name = f"{node.op_type}.{number}"
        if node.op_type not in PRODUCTS:
            continue
        is_layer = node.input[1] in links.weights
        if not is_layer or _comes_from_answer(links, node.input[0]):
            excluded.append(node.name)
    return excluded


def _comes_from_answer(links: Links, name: str) -> bool:
    """Whether a tensor is one of the graph's outputs, or the same under another name."""
    if name in links.outputs:
        return True
    copies = [node for node in links.readers.get(name, ()) if node.op_type == "Identity"]
    return any(node.output[0] in links.outputs for node in copies)


def _keep_biases_apart(model: ModelProto) -> None:
    """Write the bias behind a product as `Sum` instead of `Add`.

    ONNX Runtime makes one operator of product and bias, or of bias and activation, before it sees
    that the product can be computed in int8, and then computes it in floats. `Sum` is left alone.
    """
    links = Links(model)
    for node in model.graph.node:
        made_by = {links.maker[name].op_type for name in node.input if name in links.maker}
        if node.op_type == "Add" and "MatMul" in made_by:
            node.op_type = "Sum"


def _give_others_floats(model: ModelProto) -> None:
    """Let nodes that are no products read what was there before it was quantized.

    A residual is then as exact as before, and the product alone has its quantized input, which is
    how ONNX Runtime knows that it can be computed in int8.
    """
    links = Links(model)
    before = {
        node.output[0]: links.maker[node.input[0]].input[0]
        for node in model.graph.node
        if node.op_type == "DequantizeLinear" and node.input[0] in links.maker
    }
    for node in model.graph.node:
        if node.op_type not in PRODUCTS:
            for place, name in enumerate(node.input):
                node.input[place] = before.get(name, name)
