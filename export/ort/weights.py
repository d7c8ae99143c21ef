"""How much of a file its weights are."""

from pathlib import Path
from typing import Any


def onnx_weight_bytes(path: Path) -> int:
    """Return the bytes of all weights and constants of an ONNX file."""
    import onnx
    from onnx import numpy_helper

    graph = onnx.load(path).graph
    constants = [one.t for node in graph.node for one in node.attribute if one.HasField("t")]
    return sum(int(numpy_helper.to_array(one).nbytes) for one in (*graph.initializer, *constants))


def ort_weight_bytes(path: Path) -> int:
    """Return the bytes of all weights of a `.ort` file."""
    graph = _session(path.read_bytes()).Model().Graph()
    number = graph.InitializersLength()
    return sum(int(graph.Initializers(one).RawDataLength()) for one in range(number))


def _session(content: bytes) -> Any:
    from onnxruntime.tools.ort_format_model import ort_flatbuffers_py  # noqa: F401  (finds `fbs`)
    from onnxruntime.tools.ort_format_model.ort_flatbuffers_py.fbs import InferenceSession

    return InferenceSession.InferenceSession.GetRootAs(content, 0)
