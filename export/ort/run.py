"""Running an ONNX Runtime Mobile file with ONNX Runtime on the CPU."""

from typing import ClassVar, Literal

from export.onnx.run import OnnxRunner


class OrtRunner(OnnxRunner):
    """A session of a `.ort` file: the same runtime, which takes the graph as it was optimized."""

    kind: ClassVar[Literal["ONNX", "ORT"]] = "ORT"
