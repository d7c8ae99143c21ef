"""The folder that builds an engine on the device."""

import json
import os
import py_compile
import subprocess
import sys

import numpy as np
import pytest

from compress.files import tree_sha256
from export.onnx.run import OnnxRunner
from export.tensorrt.check import verify_engine_file
from export.tensorrt.description import read_description

TRTEXEC = """#!/bin/sh
[ "$1" = --help ] && {{ echo "{help}"; exit 0; }}
printf '%s\\n' "$@" > arguments.txt
"""
LATER = "--stronglyTyped --fp16 --int8 --skipInference"
BEFORE_10 = "--fp16 --int8 --buildOnly"


def _run_build_sh(folder, help_text):
    program = folder.parent / "trtexec"
    program.write_text(TRTEXEC.format(help=help_text))
    program.chmod(0o755)
    environment = {**os.environ, "TRTEXEC": str(program)}
    subprocess.run([folder / "build.sh"], env=environment, check=True, cwd="/")
    return (folder.parent / "student-engine" / "arguments.txt").read_text().split()


def test_it_holds_the_graph_the_scripts_and_the_flags(next_item_source, device_folder, histories):
    emitted = device_folder(next_item_source)
    assert emitted.path.name == "student.fp16.build-on-device.tensorrt"
    assert sorted(one.name for one in emitted.path.iterdir()) == [
        "README.md",
        "build.py",
        "build.sh",
        "flags.json",
        "student.onnx",
    ]
    assert emitted.graph == emitted.path / "student.onnx"
    assert verify_engine_file(emitted.path) == []
    with OnnxRunner(emitted.graph) as runner:
        assert runner({"history": histories[:2]})["item_ids"].shape == (2, 25)
        assert runner.metadata == next_item_source.signature.metadata()
    json.dumps(emitted.details)


def test_the_scripts_are_sound(next_item_source, device_folder):
    folder = device_folder(next_item_source).path
    subprocess.run(["bash", "-n", folder / "build.sh"], check=True)
    subprocess.run(["sh", "-n", folder / "build.sh"], check=True)
    py_compile.compile(folder / "build.py", cfile=folder.parent / "build.pyc", doraise=True)
    assert len((folder / "README.md").read_text().splitlines()) <= 20


@pytest.mark.parametrize(
    ("scheme", "older"), [("fp32", set()), ("fp16", {"--fp16"}), ("int8-static", {"--int8"})]
)
def test_build_sh_gives_trtexec_the_exact_flags(text_source_of, device_folder, scheme, older):
    source = text_source_of("bert")
    batch = {"least": 1, "best": 2, "most": 4}
    folder = device_folder(source, scheme=scheme, batch=batch).path
    common = {
        f"--saveEngine=student.{scheme}.engine",
        "--minShapes=input_ids:1x1,attention_mask:1x1",
        "--optShapes=input_ids:2x24,attention_mask:2x24",
        "--maxShapes=input_ids:4x24,attention_mask:4x24",
    } | ({"--noTF32"} if scheme == "fp32" else set())
    expected = common | {f"--onnx={folder}/student.onnx"}
    later = _run_build_sh(folder, LATER)
    assert set(later) == expected | {"--stronglyTyped", "--skipInference"}
    assert set(_run_build_sh(folder, BEFORE_10)) == expected | older | {"--buildOnly"}
    said = set(json.loads((folder / "flags.json").read_text())["trtexec"])
    assert said == common | {"--onnx=student.onnx"}


def test_building_leaves_the_folder_as_it_is(next_item_source, device_folder):
    folder = device_folder(next_item_source).path
    before = tree_sha256(folder)
    _run_build_sh(folder, LATER)
    assert tree_sha256(folder) == before


def test_another_folder_can_be_named_but_not_this_one(next_item_source, device_folder, tmp_path):
    folder = device_folder(next_item_source).path
    _run_build_sh(folder, LATER)  # puts trtexec there
    environment = {**os.environ, "TRTEXEC": str(folder.parent / "trtexec")}
    command = [folder / "build.sh", "engines/here"]
    subprocess.run(command, env=environment, check=True, cwd=tmp_path)
    assert (tmp_path / "engines/here/arguments.txt").is_file()
    for script in ([folder / "build.sh"], [sys.executable, folder / "build.py"]):
        done = subprocess.run(
            [*script, folder], env=environment, capture_output=True, text=True, check=False
        )
        assert done.returncode != 0
        assert "choose another folder" in done.stderr


def test_lines_end_as_the_devices_shell_reads_them(next_item_source, device_folder):
    folder = device_folder(next_item_source).path
    for name in ("build.sh", "build.py", "flags.json", "README.md"):
        assert b"\r" not in (folder / name).read_bytes(), name


def test_the_readme_says_how_the_engine_is_checked(next_item_source, device_folder):
    said = (device_folder(next_item_source).path / "README.md").read_text()
    assert "limbeck verify ../student-engine/student.fp16.engine --against" in said


def test_a_version_compatible_engine_is_asked_for(next_item_source, device_folder):
    folder = device_folder(next_item_source, version_compatible=True).path
    assert "--versionCompatible" in _run_build_sh(folder, LATER)


def test_without_trtexec_build_sh_says_so(next_item_source, device_folder):
    folder = device_folder(next_item_source).path
    environment = {**os.environ, "TRTEXEC": "no-such-trtexec"}
    done = subprocess.run(
        [folder / "build.sh"], env=environment, capture_output=True, text=True, check=False
    )
    assert done.returncode == 2
    assert "trtexec is not found: install TensorRT" in done.stderr


@pytest.mark.parametrize("scheme", ["fp32", "fp16", "int8-static"])
def test_build_py_builds_an_engine_that_its_description_fits(text_source_of, device_folder, scheme):
    """TensorRT-RTX has the same Python interface, and needs no GPU: it stands in for TensorRT."""
    pytest.importorskip("tensorrt_rtx")
    source = text_source_of("bert")
    folder = device_folder(source, scheme=scheme).path
    before = tree_sha256(folder)
    program = (
        "import runpy, sys, tensorrt_rtx; sys.modules['tensorrt'] = tensorrt_rtx; "
        f"runpy.run_path({str(folder / 'build.py')!r}, run_name='__main__')"
    )
    subprocess.run([sys.executable, "-c", program], check=True, capture_output=True)
    assert tree_sha256(folder) == before
    engine = folder.parent / "student-engine" / f"student.{scheme}.engine"
    assert engine.stat().st_size > 10_000
    said = read_description(engine)
    assert said.engine_bytes == engine.stat().st_size
    assert said.metadata == source.signature.metadata()
    assert said.largest_batch == 8
    assert (said.format, said.scheme, said.target) == ("tensorrt", scheme, "this-gpu")
    assert verify_engine_file(engine) == [
        "it is an engine of TensorRT-RTX, and its description is of TensorRT's"
    ]


def test_a_changed_graph_is_refused(next_item_source, device_folder):
    emitted = device_folder(next_item_source)
    content = bytearray(emitted.graph.read_bytes())
    content[len(content) // 2] ^= 1
    emitted.graph.write_bytes(content)
    (fault,) = verify_engine_file(emitted.path)
    assert "student.onnx is not the one in flags.json" in fault
    (emitted.path / "flags.json").write_text("{}")
    assert "flags.json is damaged" in verify_engine_file(emitted.path)[0]
    (emitted.path / "build.sh").unlink()
    assert verify_engine_file(emitted.path) == ["build.sh is missing in it"]


def test_the_same_student_gives_the_same_folder(next_item_source, device_folder):
    first = tree_sha256(device_folder(next_item_source).path)
    assert tree_sha256(device_folder(next_item_source).path) == first


def test_numbers_of_the_int8_graph_come_from_calibration(next_item_source, device_folder):
    graph = device_folder(next_item_source, scheme="int8-static").graph
    with OnnxRunner(graph) as runner:
        scores = runner({"history": next_item_source.calibration.arrays["history"][:4]})["scores"]
    assert np.isfinite(scores).all()
