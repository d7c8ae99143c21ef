"""Graphs by either route, and what a route cannot write."""

import numpy as np
import onnxruntime
import pytest
import torch
from torch import nn

from export.onnx.routes import GraphRoute
from export.onnx.torch_export import export_by_torch
from export.quiet import quietly
from export.source import Unsupported

ROUTES = (GraphRoute("torchscript", 17), GraphRoute("dynamo", 18))
ENDS = {"inputs": ["x"], "outputs": ["y"]}


class Doubled(nn.Module):
    def __init__(self):
        super().__init__()
        self.register_buffer("parts", torch.arange(6.0).reshape(2, 3))

    def forward(self, x):
        return x + torch.cat([self.parts[:1], self.parts[1:]]).sum(dim=0)


class Eigenvalues(nn.Module):
    def forward(self, x):
        return torch.linalg.eigvals(x).real


@pytest.mark.parametrize("graph", ROUTES, ids=str)
def test_free_axes_are_free_and_constants_are_weights(tmp_path, graph):
    with quietly():
        model = export_by_torch(
            Doubled().eval(),
            (torch.ones(2, 4, 3),),
            tmp_path / "x.onnx",
            graph,
            **ENDS,
            axes={"x": {0: "B", 1: "L"}, "y": {0: "B", 1: "L"}},
        )
    assert "Constant" not in {node.op_type for node in model.graph.node}
    session = onnxruntime.InferenceSession(
        model.SerializeToString(), providers=["CPUExecutionProvider"]
    )
    answer = session.run(None, {"x": np.zeros((1, 7, 3), np.float32)})[0]
    assert answer.tolist() == [[[3.0, 5.0, 7.0]] * 7]


@pytest.mark.parametrize("graph", ROUTES, ids=str)
def test_an_operator_that_onnx_lacks_is_named_in_one_line(tmp_path, graph):
    with pytest.raises(Unsupported, match="eig") as caught, quietly():
        export_by_torch(
            Eigenvalues().eval(),
            (torch.eye(3).repeat(2, 1, 1),),
            tmp_path / "x.onnx",
            graph,
            **ENDS,
            axes={"x": {0: "B"}, "y": {0: "B"}},
        )
    assert "\n" not in str(caught.value)
    assert f"{graph.route} route cannot write this student at opset" in str(caught.value)
    assert "Try route: " in str(caught.value)
