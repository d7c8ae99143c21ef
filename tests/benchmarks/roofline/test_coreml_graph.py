"""MIL programs, counted by hand."""

import numpy as np
import pytest

from benchmarks.roofline.coreml_graph import (
    coreml_operation_cost,
    count_coreml,
    program_costs,
)
from benchmarks.roofline.cost import Value, total_cost


def value(*shape, number="fp16", size=2, is_weight=False):
    return Value(shape, int(np.prod(shape)) * size, number, is_weight)


def test_a_program_of_a_table_and_two_products():
    """Rows of a table `[50, 8]`, times weights `[6, 8]`, times one another: fp32."""
    pytest.importorskip("coremltools")
    from coremltools.converters.mil import Builder as mb
    from coremltools.converters.mil.mil import types

    @mb.program(input_specs=[mb.TensorSpec((1, 5), dtype=types.int32)])
    def program(ids):
        rows = mb.gather(x=np.ones((50, 8), np.float32), indices=ids, axis=0)
        wide = mb.linear(x=rows, weight=np.ones((6, 8), np.float32), bias=np.ones(6, np.float32))
        return mb.matmul(x=wide, y=wide, transpose_x=True, name="pairs")

    found = total_cost(program_costs(program.functions["main"], {}))
    assert found.multiply_adds == {"fp32": 5 * 6 * 8 + 6 * 6 * 5}
    assert found.weight_bytes >= (5 * 8 + 6 * 8 + 6) * 4
    assert found.weight_bytes < (5 * 8 + 6 * 8 + 6) * 4 + 50  # axes and flags
    assert not found.not_understood
    assert found.operators == 3


def test_compressed_weights_count_as_they_are_stored():
    weights = Value((6, 8), 6 * 8, "fp16", is_weight=True)
    found = coreml_operation_cost("linear", {"x": value(1, 8), "weight": weights}, [value(1, 6)])
    assert found.multiply_adds == {"fp16": 48}
    assert found.weight_bytes == 48


def test_attention_pairs_queries_with_keys():
    found = coreml_operation_cost(
        "scaled_dot_product_attention",
        {"query": value(1, 2, 5, 4), "key": value(1, 2, 9, 4), "value": value(1, 2, 9, 4)},
        [value(1, 2, 5, 4)],
    )
    assert found.multiply_adds == {"fp16": 2 * 2 * 5 * 9 * 4}


@pytest.mark.parametrize("operation", ["einsum", "while_loop"])
def test_what_is_not_understood_says_so(operation):
    found = coreml_operation_cost(operation, {"x": value(3)}, [value(3)])
    assert not found.is_understood


@pytest.mark.parametrize(("asked", "counted"), [(3, 4), (4, 4), (5, 8)])
def test_of_several_sizes_the_smallest_that_holds_the_example_is_counted(tmp_path, asked, counted):
    coremltools = pytest.importorskip("coremltools")
    import torch

    from export.quiet import quietly

    class Model(torch.nn.Module):
        def __init__(self):
            super().__init__()
            self.linear = torch.nn.Linear(6, 5)

        def forward(self, x):
            made = self.linear(x)
            return made @ made.transpose(-1, -2)

    path = tmp_path / "sizes.mlpackage"
    with quietly():
        traced = torch.jit.trace(Model().eval(), torch.ones(1, 4, 6))
        shape = coremltools.EnumeratedShapes(shapes=[(1, 4, 6), (1, 8, 6)])
        coremltools.convert(
            traced,
            inputs=[coremltools.TensorType(name="x", shape=shape)],
            convert_to="mlprogram",
            minimum_deployment_target=coremltools.target.iOS17,
            compute_precision=coremltools.precision.FLOAT32,
            skip_model_load=True,
        ).save(str(path))
    found = count_coreml(path, {"x": np.ones((1, asked, 6), np.float32)})
    assert found.multiply_adds == {"fp32": counted * 6 * 5 + counted * counted * 5}
