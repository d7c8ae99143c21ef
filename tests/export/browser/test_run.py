"""Files answer in the browser as they do on the CPU."""

import numpy as np
import onnx
import pytest
from onnx import TensorProto, helper

from compress.errors import UserError
from export.browser import chromium
from export.browser.page import BrowserPage
from export.browser.run import BrowserRunner, input_names
from export.onnx.run import OnnxRunner
from export.runner import RunnerSpec, open_runner


@pytest.mark.parametrize("scheme", [pytest.param("fp32", marks=pytest.mark.slow), "int8-dynamic"])
def test_histories_get_the_items_that_they_get_on_the_cpu(browser, onnx_files, histories, scheme):
    spec = RunnerSpec("browser", str(onnx_files[scheme]))
    with open_runner(spec) as runner, OnnxRunner(onnx_files[scheme]) as cpu:
        for rows in (slice(0, 1), slice(3, 40)):
            inputs = {"history": histories[rows], "not taken": np.zeros(1, np.float32)}
            own, expected = runner(inputs), cpu(inputs)
            assert {name: one.dtype for name, one in own.items()} == {
                "item_ids": np.int32,
                "scores": np.float32,
            }
            assert (own["item_ids"][:, :10] == expected["item_ids"][:, :10]).mean() > 0.99
            np.testing.assert_allclose(own["scores"], expected["scores"], atol=1e-3)


def echo(path, **types):
    """A file that gives back each of its inputs."""
    nodes, inputs, outputs = [], [], []
    for name, kind in types.items():
        nodes.append(helper.make_node("Identity", [name], [f"{name}_out"]))
        inputs.append(helper.make_tensor_value_info(name, kind, ["N"]))
        outputs.append(helper.make_tensor_value_info(f"{name}_out", kind, ["N"]))
    model = helper.make_model(
        helper.make_graph(nodes, "echo", inputs, outputs),
        opset_imports=[helper.make_opsetid("", 17)],
        ir_version=9,
    )
    onnx.save(model, path)
    return path


def test_every_type_goes_there_and_back(browser, tmp_path):
    types = {
        "a": TensorProto.INT32,
        "b": TensorProto.INT64,
        "c": TensorProto.FLOAT,
        "d": TensorProto.BOOL,
        "e": TensorProto.UINT8,
    }
    given = {
        "a": np.array([-(2**31), 2**31 - 1], np.int32),
        "b": np.array([-(2**63), 2**63 - 1, 0], np.int64),
        "c": np.array([0.1, -0.0, 3e38], np.float32),
        "d": np.array([True, False]),
        "e": np.array([0, 255], np.uint8),
    }
    with BrowserRunner(echo(tmp_path / "echo.onnx", **types)) as runner:
        answers = runner(given)
        with pytest.raises(UserError, match="takes a, b, c, d, e, and was given a$"):
            runner({"a": given["a"]})
        with pytest.raises(UserError, match="in Chromium: "):
            runner({**given, "a": given["b"]})
        assert runner(given)["a_out"].tolist() == given["a"].tolist()
    for name, array in given.items():
        assert answers[f"{name}_out"].dtype == array.dtype
        assert answers[f"{name}_out"].tobytes() == array.tobytes()


@pytest.mark.slow
def test_an_output_of_a_type_that_is_not_sent_is_named(browser, tmp_path):
    node = helper.make_node("Cast", ["a"], ["half"], to=TensorProto.FLOAT16)
    graph = helper.make_graph(
        [node],
        "half",
        [helper.make_tensor_value_info("a", TensorProto.FLOAT, ["N"])],
        [helper.make_tensor_value_info("half", TensorProto.FLOAT16, ["N"])],
    )
    onnx.save(
        helper.make_model(graph, opset_imports=[helper.make_opsetid("", 17)], ir_version=9),
        tmp_path / "half.onnx",
    )
    with BrowserRunner(tmp_path / "half.onnx") as runner:  # noqa: SIM117
        with pytest.raises(UserError, match="the output half is of type float16"):
            runner({"a": np.ones(1, np.float32)})


@pytest.mark.slow
def test_a_file_that_is_none_is_refused_in_the_runtime_s_words(browser, tmp_path):
    (tmp_path / "no.onnx").write_bytes(b"not a model")
    with pytest.raises(UserError, match=r"no\.onnx in Chromium: "):
        BrowserRunner(tmp_path / "no.onnx").__enter__()


@pytest.mark.slow
def test_the_page_sees_one_file_and_nothing_beside_it(browser, onnx_files):
    with BrowserPage(onnx_files["fp32"]) as page:
        page.ask("open", {"module": "ort.wasm.min.mjs", "backend": "wasm", "threads": 1})
        assert set(page.served) == {
            "page.html",
            "page.js",
            "messages.js",
            "timing.js",
            "model",
            "ort/ort.wasm.min.mjs",
            "ort/ort-wasm-simd-threaded.mjs",
            "ort/ort-wasm-simd-threaded.wasm",
        }


def test_a_file_with_its_tokenizer_inside_is_refused_before_a_browser_starts(tmp_path):
    model = onnx.load(echo(tmp_path / "text.onnx", a=TensorProto.FLOAT))
    model.opset_import.append(helper.make_opsetid("ai.onnx.contrib", 1))
    onnx.save(model, tmp_path / "text.onnx")
    with pytest.raises(UserError, match="tokenizes inside its graph.*tokenizer in JavaScript"):
        BrowserRunner(tmp_path / "text.onnx").__enter__()


def test_inputs_that_pages_are_not_sent_are_refused(tmp_path):
    path = tmp_path / "a.ort"
    assert input_names(path, [{"name": "a", "type": "int32"}]) == ("a",)
    with pytest.raises(UserError, match="tokenizes inside its graph"):
        input_names(path, [{"name": "text", "type": "string"}])
    with pytest.raises(UserError, match="its input x is float16, and pages are sent bool"):
        input_names(path, [{"name": "x", "type": "float16"}])


def test_a_missing_file_is_missed_before_a_browser_starts(tmp_path):
    with pytest.raises(UserError, match="there is no such file"):
        BrowserRunner(tmp_path / "no.onnx").__enter__()


def test_a_runner_is_called_inside_of_with(onnx_files):
    with pytest.raises(RuntimeError, match="inside of `with`"):
        BrowserRunner(onnx_files["fp32"])({})


@pytest.mark.slow
def test_webgpu_answers_alike_on_an_emulated_gpu(browser, onnx_files, histories, monkeypatch):
    flags = ("--enable-unsafe-webgpu", "--use-webgpu-adapter=swiftshader")
    monkeypatch.setattr(chromium, "_WITH_GPU", (*flags, "--enable-unsafe-swiftshader"))
    inputs = {"history": histories[3:9]}
    runner = BrowserRunner(onnx_files["fp32"], backend="webgpu")
    try:
        runner.__enter__()
    except UserError as error:
        pytest.skip(f"this Chromium emulates no GPU: {error}")
    with OnnxRunner(onnx_files["fp32"]) as cpu:
        try:
            own = runner(inputs)
        finally:
            runner.__exit__(None, None, None)
        np.testing.assert_allclose(own["scores"], cpu(inputs)["scores"], atol=1e-4)


@pytest.mark.slow
def test_an_emulated_gpu_is_none(browser, monkeypatch):
    flags = ("--enable-unsafe-webgpu", "--use-webgpu-adapter=swiftshader")
    monkeypatch.setattr(chromium, "_WITH_GPU", (*flags, "--enable-unsafe-swiftshader"))
    with BrowserPage(gpu=True) as page:
        assert page.ask("about").content["gpu"] is None
