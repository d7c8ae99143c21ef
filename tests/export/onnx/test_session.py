"""Opening files, with the operators for text where they are needed."""

import subprocess
import sys

import numpy as np
import onnx
import pytest
from onnx import TensorProto, helper

from export.onnx import session
from export.onnx.run import OnnxRunner
from export.onnx.session import needs_text_operators


@pytest.fixture(scope="module")
def upper(tmp_path_factory):
    """A file that needs onnxruntime-extensions: texts in capital letters."""
    path = tmp_path_factory.mktemp("text") / "upper.onnx"
    values = [
        helper.make_tensor_value_info(name, TensorProto.STRING, ["B"]) for name in ("text", "upper")
    ]
    node = helper.make_node("StringUpper", ["text"], ["upper"], domain="ai.onnx.contrib")
    opsets = [helper.make_opsetid("", 17), helper.make_opsetid("ai.onnx.contrib", 1)]
    graph = helper.make_graph([node], "g", values[:1], values[1:])
    onnx.save(helper.make_model(graph, opset_imports=opsets, ir_version=8), path)
    return path


def test_a_file_that_needs_them_gets_them(upper):
    with OnnxRunner(upper) as runner:
        answer = runner({"text": np.array(["red dress", "红 x", ""], dtype=object)})
    assert answer["upper"].tolist() == ["RED DRESS", "红 X", ""]


def test_only_files_that_use_them_need_them(upper, onnx_files, tmp_path):
    assert needs_text_operators(upper)
    assert not any(needs_text_operators(path) for path in onnx_files.values())
    model = onnx.load(upper)
    del model.opset_import[1:]
    model.opset_import.append(helper.make_opsetid("com.microsoft", 1))
    model.doc_string = "ai.onnx.contrib"
    onnx.save(model, tmp_path / "other.onnx")
    assert not needs_text_operators(tmp_path / "other.onnx")


@pytest.mark.parametrize("content", [b"", b"hello", b"\xff" * 40, b"\x42\xff\xff\xff\xff\x0f"])
def test_what_is_no_onnx_file_needs_nothing(content, tmp_path):
    (tmp_path / "x.onnx").write_bytes(content)
    assert not needs_text_operators(tmp_path / "x.onnx")
    assert not needs_text_operators(tmp_path / "missing.onnx")


def test_every_cut_file_is_read_without_trouble(upper, tmp_path):
    whole = upper.read_bytes()
    for end in range(len(whole)):
        (tmp_path / "cut.onnx").write_bytes(whole[:end])
        assert needs_text_operators(tmp_path / "cut.onnx") in (True, False)


def test_the_python_package_of_the_operators_is_never_imported(upper):
    """It would load PyTorch and transformers, 400 MB that no app has."""
    code = (
        "import sys; from export.runner import *; spec = RunnerSpec('onnx', sys.argv[1])\n"
        "import_runtime(spec)\n"
        "with open_runner(spec): print(*sys.modules)"
    )
    done = subprocess.run(
        [sys.executable, "-c", code, str(upper)], capture_output=True, text=True, check=True
    )
    assert "onnxruntime" in done.stdout.split()
    assert not {"onnxruntime_extensions", "torch", "onnx"}.intersection(done.stdout.split())


def test_without_the_package_the_error_says_what_to_install(upper, monkeypatch):
    monkeypatch.setattr(session, "find_spec", lambda name: None)
    with (
        pytest.raises(session.UserError, match="pip install onnxruntime-extensions"),
        OnnxRunner(upper),
    ):
        pass
