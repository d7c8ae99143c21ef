"""Building a part of an ONNX graph, node by node."""

from collections.abc import Sequence
from typing import Any

from onnx import NodeProto, TensorProto, helper

TEXT = "ai.onnx.contrib"
"""The domain of the operators that onnxruntime-extensions brings."""


class Nodes:
    """Nodes and constants under one prefix, so that their names clash with no model's."""

    def __init__(self, prefix: str) -> None:
        """Begin with nothing.

        Args:
            prefix: What the names of all tensors and nodes begin with.
        """
        self.prefix = prefix
        self.nodes: list[NodeProto] = []
        self.constants: list[TensorProto] = []

    def add(self, op: str, *inputs: str, domain: str = "", **attributes: Any) -> str:
        """Add a node with one output and return the output's name."""
        return self.add_many(op, *inputs, outputs=1, domain=domain, **attributes)[0]

    def add_many(
        self, op: str, *inputs: str, outputs: int, domain: str = "", **attributes: Any
    ) -> list[str]:
        """Add a node and return the names of its outputs."""
        name = self._name(op)
        names = [name if number == 0 else f"{name}.{number}" for number in range(outputs)]
        node = helper.make_node(op, list(inputs), names, name=name, domain=domain, **attributes)
        self.nodes.append(node)
        return names

    def rename(self, name: str, output: str) -> None:
        """Give a tensor a name from outside the prefix."""
        node = helper.make_node("Identity", [name], [output], name=self._name("Identity"))
        self.nodes.append(node)

    def integers(self, *values: int) -> str:
        """Add a constant, int64 `[len(values)]`."""
        return self._constant(TensorProto.INT64, [len(values)], values)

    def integer(self, value: int) -> str:
        """Add a constant, an int64 without dimensions."""
        return self._constant(TensorProto.INT64, [], [value])

    def texts(self, *values: str) -> str:
        """Add a constant, string `[len(values)]`."""
        return self._constant(TensorProto.STRING, [len(values)], [one.encode() for one in values])

    def _constant(self, kind: int, shape: Sequence[int], values: Sequence[Any]) -> str:
        name = f"{self.prefix}/constant.{len(self.constants)}"
        self.constants.append(helper.make_tensor(name, kind, shape, values))
        return name

    def _name(self, op: str) -> str:
        return f"{self.prefix}/{op}.{len(self.nodes)}"
