"""What can be told of an engine without a GPU: of its network, its header, its files."""

from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import Any

import onnx
from onnx import ModelProto

from compress.files import file_sha256
from export.tensorrt.description import EngineDescription, read_description
from export.tensorrt.device_folder import device_folder_faults
from export.tensorrt.engine_header import (
    PORTABLE_CAPABILITIES,
    EngineHeader,
    is_rtx_engine,
    names_tensor,
    read_engine_header,
)

_TYPES = {
    onnx.TensorProto.INT32: "INT32",
    onnx.TensorProto.INT64: "INT64",
    onnx.TensorProto.FLOAT: "FLOAT",
    onnx.TensorProto.FLOAT16: "HALF",
}
_UNNAMED = frozenset({"Constant", "ConstantOfShape", "Identity"})
"""Operators whose layers the parser gives no name, or that it makes no layer of."""


def network_faults(network: Any, model: ModelProto) -> list[str]:
    """Compare a parsed network with the ONNX that it was parsed from.

    The parser makes one or several layers of each node (more layers than nodes is the rule:
    broadcasts and shapes become layers of their own) and notes on each the node's name. So what is
    compared is not two counts, which cannot be equal, but which nodes have layers: every node that
    computes must have one, and no layer may be of a node that is not there.

    Args:
        network: `trt.INetworkDefinition`.
        model: What was parsed.
    """
    given = [network.get_input(place) for place in range(network.num_inputs)]
    made = [network.get_output(place) for place in range(network.num_outputs)]
    faults = [
        *_end_faults("input", given, model.graph.input),
        *_end_faults("output", made, model.graph.output),
    ]
    parsed = {name for name in _parsed_nodes(network) if name}
    expected = {node.name for node in model.graph.node}
    computing = {node.name for node in model.graph.node if node.op_type not in _UNNAMED}
    if lost := sorted(computing - parsed):
        faults.append(f"{len(lost)} nodes of the ONNX have no layer, the first is {lost[0]}")
    if foreign := sorted(parsed - expected):
        faults.append(
            f"{len(foreign)} layers are of nodes that the ONNX does not have: {foreign[0]}"
        )
    return faults


def _end_faults(what: str, found: Sequence[Any], expected: Sequence[Any]) -> Iterator[str]:
    names = [one.name for one in found]
    if names != [one.name for one in expected]:
        wanted = ", ".join(one.name for one in expected)
        yield f"the {what}s are {', '.join(names)}, and the ONNX's {wanted}"
        return
    for one, value in zip(found, expected, strict=True):
        tensor = value.type.tensor_type
        sizes = tuple(-1 if size.dim_param else size.dim_value for size in tensor.shape.dim)
        if tuple(one.shape) != sizes:
            yield f"{what} {one.name} has the shape {tuple(one.shape)}, in the ONNX {sizes}"
        if one.dtype.name != _TYPES.get(tensor.elem_type):
            wanted = _TYPES.get(tensor.elem_type, str(tensor.elem_type))
            yield f"{what} {one.name} is {one.dtype.name}, in the ONNX {wanted}"


def _parsed_nodes(network: Any) -> Iterator[str]:
    """Yield for each layer the name of the node that it was made of, if it says one."""
    for place in range(network.num_layers):
        said: str = network.get_layer(place).metadata
        yield said.removeprefix("[ONNX Layer: ").partition("]")[0]


def verify_engine_file(path: Path) -> list[str]:
    """Tell why an engine is not what its description says, without running it.

    Args:
        path: The engine, its description beside it; or a folder that builds one.

    Returns:
        In words; empty where header, size, sha256, target and library version are right.
    """
    if path.is_dir():
        return device_folder_faults(path)
    if not path.is_file():
        return ["it is not there"]
    try:
        description = read_description(path)
    except ValueError as error:
        return [str(error)]
    faults = []
    if description.format == "tensorrt-rtx":
        try:
            header = read_engine_header(path)
        except ValueError as error:
            faults.append(str(error))
        else:
            faults += [*_header_faults(header, description), *_name_faults(path, description)]
    elif is_rtx_engine(path):
        faults.append("it is an engine of TensorRT-RTX, and its description is of TensorRT's")
    if path.stat().st_size == 0 or file_sha256(path) != description.engine_sha256:
        faults.append("its sha256 is not the one in its description: it was changed or exchanged")
    return faults


def _name_faults(path: Path, description: EngineDescription) -> Iterator[str]:
    """Engines hold the names of their inputs and outputs as they are."""
    content = path.read_bytes()
    for one in (*description.inputs, *description.outputs):
        if not names_tensor(content, one["name"]):
            yield f"it has no input or output {one['name']}"


def _header_faults(header: EngineHeader, description: EngineDescription) -> Iterator[str]:
    target = description.target
    if target == "portable":
        if not header.capabilities >= PORTABLE_CAPABILITIES:
            found = ", ".join(sorted(header.capabilities)) or "none"
            yield f"its header is for {found}, not portable"
    elif header.capabilities != {target}:
        found = ", ".join(sorted(header.capabilities)) or "none"
        yield f"its header is for {found}, not {target}"
    if header.version != description.library_version:
        yield (
            f"its header is of TensorRT-RTX {header.version}, "
            f"its description of {description.library_version}"
        )
    if header.weight_bytes == 0:
        yield "it has no weights"
