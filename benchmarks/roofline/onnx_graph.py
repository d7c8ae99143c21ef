"""Counting the graph that ONNX Runtime runs, with the sizes that it has for real inputs.

What is counted is not the file's graph but the one that ONNX Runtime makes of it when it loads it:
fused operators, folded constants, casts where the CPU has no kernel (fp16 runs as fp32). It writes
that graph down itself. A second session, which changes nothing any more, then returns every value
of it, whose sizes are so known without inferring them, of fused operators too.

ONNX Runtime's profile was the other way: it leaves out inputs whose weights are packed in advance
and says nothing of attributes, such as which side is transposed.
"""

from collections.abc import Iterator, Mapping
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import TYPE_CHECKING, Any, Literal

import numpy as np

from benchmarks.roofline.cost import GraphCost, NumberType, OperatorCost, Value, total_cost
from benchmarks.roofline.onnx_operators import onnx_operator_cost
from compress.errors import UserError
from export.samples import Inputs

if TYPE_CHECKING:
    from onnx import GraphProto

_NUMBERS: Mapping[str, NumberType] = {
    "int8": "int8",
    "uint8": "int8",
    "float16": "fp16",
    "bfloat16": "fp16",
    "float32": "fp32",
}


def count_onnx(
    path: Path,
    inputs: Inputs,
    kind: Literal["ONNX", "ORT"] = "ONNX",
    *,
    optimized: bool = True,
) -> GraphCost:
    """Count one query to a file that ONNX Runtime loads.

    Args:
        path: The file.
        inputs: What is asked, by name; what the file does not take is not looked at.
        kind: What the file is: ONNX, or ONNX Runtime's own format.
        optimized: Whether the graph is counted that ONNX Runtime makes of it on this CPU, or the
            one of the file, which something else will run.

    Raises:
        UserError: It cannot be loaded or asked.
    """
    import onnx

    from export.onnx.session import needs_text_operators, text_operator_library

    has_texts = kind == "ONNX" and needs_text_operators(path)
    library = text_operator_library() if has_texts else None
    with TemporaryDirectory() as folder:
        written = Path(folder) / "optimized.onnx"
        try:
            if optimized:
                _session(path, library, load=kind, write=written)
            model = onnx.load(written if optimized else path)
            values = _values(model, library, inputs)
        except Exception as error:  # ONNX Runtime's own types share no base but Exception
            first = (str(error).splitlines() or [type(error).__name__])[0]
            raise UserError(f"{path}: its graph cannot be counted: {first}") from error
    return total_cost(_costs(model.graph, values))


def _session(source: Path | bytes, library: str | None, *, load: str, write: Path | None) -> Any:
    """Open a session that writes its graph down, or one that leaves the graph as it is."""
    import onnxruntime

    options = onnxruntime.SessionOptions()
    options.intra_op_num_threads = 1
    options.log_severity_level = 3
    options.add_session_config_entry("session.load_model_format", load)
    if write is None:
        level = onnxruntime.GraphOptimizationLevel.ORT_DISABLE_ALL
        options.graph_optimization_level = level
    else:
        options.add_session_config_entry("session.save_model_format", "ONNX")
        options.optimized_model_filepath = str(write)
    if library is not None:
        options.register_custom_ops_library(library)
    given = source if isinstance(source, bytes) else str(source)
    return onnxruntime.InferenceSession(given, options, providers=["CPUExecutionProvider"])


def _values(model: Any, library: str | None, inputs: Inputs) -> dict[str, Value]:
    """Return every value of a graph: constants, inputs, and what operators make of them."""
    import onnx
    from onnx import helper, numpy_helper

    graph = model.graph
    values = {
        one.name: _value(numpy_helper.to_array(one), is_weight=True) for one in graph.initializer
    }
    changed = onnx.ModelProto()
    changed.CopyFrom(model)
    known = {one.name for one in graph.output}
    inner = [name for node in graph.node for name in node.output if name and name not in known]
    changed.graph.output.extend(helper.make_empty_tensor_value_info(name) for name in inner)
    session = _session(changed.SerializeToString(), library, load="ONNX", write=None)
    taken = {one.name: inputs[one.name] for one in session.get_inputs()}
    names = [one.name for one in session.get_outputs()]
    for name, array in zip(names, session.run(names, taken), strict=True):
        if isinstance(array, np.ndarray):
            values[name] = _value(array)
    values |= {name: _value(array) for name, array in taken.items()}
    return values


def _value(array: Any, *, is_weight: bool = False) -> Value:
    size = array.nbytes
    if array.dtype == object:
        size = sum(len(str(text).encode()) for text in array.flat)
    return Value(tuple(array.shape), size, _NUMBERS.get(array.dtype.name), is_weight)


def _costs(graph: "GraphProto", values: Mapping[str, Value]) -> Iterator[OperatorCost]:
    from onnx import helper

    for node in graph.node:
        yield onnx_operator_cost(
            node.op_type,
            node.domain,
            [values.get(name) for name in node.input],
            [values.get(name) for name in node.output],
            {one.name: _plain(helper.get_attribute_value(one)) for one in node.attribute},
        )


def _plain(attribute: Any) -> Any:
    return attribute.decode() if isinstance(attribute, bytes) else attribute
