"""Running an engine: on a GPU, or a clear line."""

import numpy as np
import pytest

from compress.errors import UserError
from export.gpu import gpu_is_present
from export.tensorrt import run as run_module
from export.tensorrt.run import TensorRtRunner

without_gpu = pytest.mark.skipif(gpu_is_present(), reason="there is an NVIDIA GPU")
with_gpu = pytest.mark.skipif(not gpu_is_present(), reason="there is no NVIDIA GPU")


@without_gpu
def test_without_a_gpu_one_line_says_what_is_missing(next_item_source, rtx):
    path = rtx(next_item_source).path
    runner = TensorRtRunner(path)
    with pytest.raises(UserError) as caught, runner:
        pass
    assert str(caught.value) == f"{path} takes an NVIDIA GPU to run, and there is none here"


@without_gpu
def test_an_engine_that_the_library_cannot_load_is_named(next_item_source, rtx, monkeypatch):
    monkeypatch.setattr(run_module, "gpu_is_present", lambda: True)
    path = rtx(next_item_source).path
    with pytest.raises(UserError) as caught, TensorRtRunner(path):
        pass
    assert str(caught.value).startswith(f"TensorRT-RTX cannot load {path}: ")
    assert "\n" not in str(caught.value)


def test_an_engine_that_is_not_there_is_named(tmp_path, monkeypatch):
    monkeypatch.setattr(run_module, "gpu_is_present", lambda: True)
    path = tmp_path / "student.engine"
    with pytest.raises(UserError, match=r"student\.engine cannot be loaded"), TensorRtRunner(path):
        pass


@with_gpu
@pytest.mark.parametrize("scheme", ["fp32", "fp16"])
def test_on_a_gpu_it_answers_as_the_student_does(next_item_source, rtx, reference, scheme):
    with TensorRtRunner(rtx(next_item_source, scheme=scheme, target="portable").path) as runner:
        found = runner({"history": reference.histories[:20]})  # more than one batch
        assert runner.last_gpu_ms > 0
        assert runner.metadata == next_item_source.signature.metadata()
    same = (found["item_ids"] == reference.item_ids[:20]).mean()
    assert found["scores"].dtype == np.float32
    assert same > 0.9


@with_gpu
def test_on_a_gpu_one_example_can_be_asked_of_an_engine_for_several(
    next_item_source, rtx, reference
):
    batch = {"least": 4, "best": 4, "most": 8}
    path = rtx(next_item_source, scheme="fp32", target="portable", batch=batch).path
    with TensorRtRunner(path) as runner:
        found = runner({"history": reference.histories[:1]})
    assert found["item_ids"].shape == (1, 25)
