"""The evaluator answers as the program says, and refuses what it cannot know."""

import numpy as np
import pytest
from coremltools.converters.mil.mil import Builder as mb

from compress.errors import UserError
from export.coreml.evaluate import Evaluator, load_program
from export.coreml.package import read_package
from export.coreml.program import _by_value_inference, _infers_values, compile_function

X = np.array([[-1.5, 0.5, 2.5]], dtype=np.float32)


def test_a_program_is_computed(save_program):
    path = save_program(lambda x, y: mb.mul(x=mb.add(x=x, y=y), y=2.0, name="z"), (1, 3), (1, 3))

    (answer,) = Evaluator(path)({"x": X, "y": X}).values()

    assert answer.dtype == np.float32
    assert answer.tolist() == [[-6.0, 2.0, 10.0]]


def test_what_depends_on_no_input_is_computed_when_loaded(save_program):
    table = np.arange(6, dtype=np.float32).reshape(2, 3)
    function = load_program(
        read_package(save_program(lambda x: mb.linear(x=mb.relu(x=x), weight=table), (1, 3)))
    ).functions["main"]

    steps = compile_function(function).steps

    assert [step.name.split()[0] for step in steps] == ["relu", "linear"]
    assert set(steps[1].fixed) >= {"weight"}


def test_where_numpy_has_no_way_coremltools_infers_the_value(save_program):
    def build(x):
        return mb.band_part(x=mb.round(x=x), lower=0, upper=1)

    evaluator = Evaluator(save_program(build, (3, 3)))
    x = np.arange(9, dtype=np.float32).reshape(3, 3) + 0.4

    for factor in (1, 2):  # nothing of the first call is left in the second
        (answer,) = evaluator({"x": factor * x}).values()
        assert answer.tolist() == np.tril(np.triu(np.round(factor * x)), 1).tolist()


def test_every_operation_that_is_not_known_is_named(save_program):
    def build(x):
        pooled = mb.max_pool(x=x, kernel_sizes=[2], pad_type="valid")
        return mb.upsample_nearest_neighbor(x=mb.expand_dims(x=mb.relu(x=pooled), axes=[-1]))

    with pytest.raises(UserError, match=r"max_pool, upsample_nearest_neighbor.*on a Mac") as caught:
        Evaluator(save_program(build, (1, 2, 4)))

    assert "relu" not in str(caught.value)
    assert "\n" not in str(caught.value)


def test_numpy_and_coremltools_agree_on_every_operation_that_both_know(emitted, histories):
    function = load_program(read_package(emitted("fp16").path)).functions["main"]
    operations = {f"{one.op_type} {one.name}": one for one in function.operations}
    compiled = compile_function(function)
    values = {**compiled.constants, "history": histories[3:4]}
    compared = set()

    for step in compiled.steps:
        step.compute(values)
        operation = operations[step.name]
        if not _infers_values(operation):
            continue
        given = {key: values[name] for key, name in step.varying}
        given |= {key: [values[name] for name in names] for key, names in step.lists}
        found = _by_value_inference(operation)(**given)
        for (name, _), answer in zip(
            step.outputs, found if isinstance(found, tuple) else (found,), strict=True
        ):
            np.testing.assert_allclose(values[name], answer, rtol=5e-3, atol=2e-3)
        compared.add(operation.op_type)

    assert compared == {one.name.split()[0] for one in compiled.steps}


def test_each_result_is_rounded_to_fp16_where_the_program_says_so(emitted, histories):
    scores = Evaluator(emitted("fp16").path)({"history": histories[:1]})["scores"]

    assert scores.dtype == np.float32
    np.testing.assert_array_equal(scores, scores.astype(np.float16))


def test_only_the_declared_shape_is_taken(emitted, histories):
    evaluator = Evaluator(emitted("fp16").path)

    assert evaluator.shapes == ({"history": (1, 12)},)
    with pytest.raises(
        UserError, match=r"takes history \[1, 12\], and was given history \[2, 12\]"
    ):
        evaluator({"history": histories[:2]})
    with pytest.raises(UserError, match="history is not given"):
        evaluator({})


def test_a_code_that_is_not_in_the_table_is_refused(emitted, histories):
    wrong = histories[3:4].copy()
    wrong[0, -1] = 5000

    with pytest.raises(UserError, match="gather .* failed"):
        Evaluator(emitted("fp16").path)({"history": wrong})
