"""Small ONNX graphs whose cost can be counted by hand."""

from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray
from onnx import NodeProto, TensorProto, helper, numpy_helper, save

KINDS = {
    "float32": TensorProto.FLOAT,
    "float16": TensorProto.FLOAT16,
    "uint8": TensorProto.UINT8,
    "int8": TensorProto.INT8,
    "int32": TensorProto.INT32,
    "int64": TensorProto.INT64,
}


def write_graph(
    path: Path,
    nodes: Sequence[NodeProto],
    inputs: Mapping[str, NDArray[Any]],
    outputs: Mapping[str, str],
    weights: Mapping[str, NDArray[Any]],
) -> Path:
    """Write a model.

    Args:
        path: Where.
        nodes: In their order.
        inputs: By name, as they will be given.
        outputs: Type by name.
        weights: Constants by name.
    """
    graph = helper.make_graph(
        list(nodes),
        "graph",
        [
            helper.make_tensor_value_info(name, KINDS[one.dtype.name], list(one.shape))
            for name, one in inputs.items()
        ],
        [helper.make_tensor_value_info(name, KINDS[kind], None) for name, kind in outputs.items()],
        [numpy_helper.from_array(one, name) for name, one in weights.items()],
    )
    sets = [helper.make_opsetid("", 17), helper.make_opsetid("com.microsoft", 1)]
    save(helper.make_model(graph, opset_imports=sets, ir_version=8), path)
    return path


def floats(*shape: int) -> NDArray[np.float32]:
    return np.random.default_rng(0).standard_normal(shape).astype(np.float32)
