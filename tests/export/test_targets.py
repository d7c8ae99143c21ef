"""What can be had on which machine."""

import sys
from dataclasses import replace

import pytest

from export.formats import FORMATS, format_of
from export.source import Unsupported
from export.targets import Machine, emit_obstacles, require, run_obstacles, targets

LINUX = Machine("Linux", "x86_64")
MAC = Machine("Darwin", "arm64")
WINDOWS = Machine("Windows", "AMD64")
JETSON = Machine("Linux", "aarch64", compute_capability="sm87")
RTX_40 = Machine("Linux", "x86_64", compute_capability="sm89")


def row(format_name, machine, target=None):
    return next(
        one
        for one in targets(machine)
        if one.format == format_name and target in (None, one.target)
    )


def test_what_is_installed_can_be_written_and_run():
    onnx = row("onnx", LINUX)
    assert onnx.can_emit
    assert onnx.can_run
    assert onnx.how == ""


def test_core_ml_is_written_on_linux_and_run_on_a_mac_alone():
    here = row("coreml", LINUX)
    assert here.can_emit
    assert not here.can_run
    assert here.how == (
        "run on macOS only; here it is evaluated from its own MIL program; no latency"
    )
    assert row("coreml", MAC).can_run


def test_core_ml_is_not_written_on_windows():
    assert not row("coreml", WINDOWS).can_emit
    assert "written on Linux and macOS only" in row("coreml", WINDOWS).how


def test_engines_for_rtx_are_written_without_a_gpu_but_not_run():
    pytest.importorskip("tensorrt_rtx")
    here = row("tensorrt-rtx", LINUX)
    assert here.can_emit
    assert not here.can_run
    assert "takes an NVIDIA GPU, and there is none" in here.how


def test_engines_for_rtx_are_not_written_on_arm():
    assert "written on x86_64 only, this is aarch64" in row("tensorrt-rtx", JETSON).how


def test_a_jetson_lacks_the_library_and_is_told_so():
    how = row("tensorrt", JETSON, "this-gpu").how
    if "tensorrt" not in sys.modules:
        assert "tensorrt not installed: install TensorRT" in how
    assert "takes an NVIDIA GPU" not in how


@pytest.mark.parametrize(
    ("device", "gpu", "obstacle"),
    [
        ("sm89", "sm89", []),
        ("sm86", "sm89", ["made for sm86, this GPU is sm89"]),
        ("sm120", "sm121", ["made for sm120, this GPU is sm121"]),
        ("portable", "sm80", []),
        ("portable", "sm120", []),
        ("portable", "sm75", ["made for sm80 and later, this GPU is sm75"]),
        ("sm86", None, ["takes an NVIDIA GPU, and there is none"]),
        (None, "sm89", []),
    ],
)
def test_an_engine_runs_on_the_gpu_that_it_is_made_for(device, gpu, obstacle):
    engine = replace(format_of("tensorrt-rtx"), run_needs=())
    machine = replace(LINUX, compute_capability=gpu)
    assert list(run_obstacles(engine, machine, device)) == obstacle


def test_what_a_device_is_called_matters_to_engines_alone():
    assert list(run_obstacles(format_of("onnx"), RTX_40, "sm86")) == []
    this_gpu = replace(format_of("tensorrt", "this-gpu"), run_needs=())
    assert list(run_obstacles(this_gpu, RTX_40, "this-gpu")) == []


def test_what_cannot_be_written_is_refused_with_what_can_be_had_instead():
    require(format_of("onnx"), LINUX)
    with pytest.raises(Unsupported) as caught:
        require(replace(format_of("coreml"), emit_needs=()), WINDOWS)
    assert str(caught.value) == (
        "written on Linux and macOS only; instead: onnx and ort files run on Apple's devices too"
    )
    with pytest.raises(Unsupported, match="NVIDIA GPU.*instead: .*build-on-device can be had"):
        require(format_of("tensorrt", "this-gpu"), LINUX)
    with pytest.raises(Unsupported, match="Linux and Windows only.*instead: .*build-on-device"):
        require(format_of("tensorrt-rtx"), MAC)


def test_a_format_made_through_another_counts_on_that_ones_code_too():
    known = {one.name for one in FORMATS}
    for one in FORMATS:
        assert set(one.made_with) <= known - {one.name}
    for name in ("ort", "tensorrt", "tensorrt-rtx"):
        assert format_of(name).made_with == ("onnx",)


def test_a_folder_to_build_on_a_device_can_be_had_anywhere():
    for machine in (LINUX, MAC, WINDOWS, JETSON):
        assert row("tensorrt", machine, "build-on-device").can_emit


def test_what_is_missing_is_named_with_how_to_get_it():
    one = replace(format_of("onnx"), run_needs=("no_such_package",), enable="pip install it")
    assert list(emit_obstacles(one, LINUX)) == []
    assert list(run_obstacles(one, LINUX)) == ["no_such_package not installed: pip install it"]


def test_the_device_decides_between_rows_of_one_format():
    assert format_of("tensorrt", "this-gpu").gpu_to_emit
    assert not format_of("tensorrt", "build-on-device").gpu_to_emit
    assert format_of("tensorrt-rtx", "sm86").name == "tensorrt-rtx"
    with pytest.raises(KeyError):
        format_of("pt")


def test_every_format_of_recipes_is_in_the_table_with_its_schemes():
    from typing import get_args

    from compress.recipe import NextItemArtifact

    sections = get_args(get_args(NextItemArtifact)[0])
    known = {one.name: one for one in FORMATS}
    for section in sections:
        name = get_args(section.model_fields["format"].annotation)[0]
        schemes = get_args(section.model_fields["scheme"].annotation)
        assert set(schemes) == set(known[name].schemes), name


def test_a_file_depends_on_the_code_that_it_is_made_through():
    from compress.recipe import Ort
    from export.formats import code_versions

    assert set(code_versions([Ort(format="ort")])) == {
        "ort onnxruntime-mobile",
        "onnx onnxruntime-cpu",
    }
