"""Artifacts as data."""

import json
from dataclasses import replace

from export.artifact import Artifact
from export.verification import Check


def artifact(*faults):
    check = Check(256, 0.99, 0.01, 0.001, tuple(faults))
    return Artifact(
        path="a.onnx",
        inputs="histories.npz",
        format="onnx",
        scheme="fp32",
        target="onnxruntime-cpu",
        bytes=10,
        sha256="00",
        check=check,
        unmasked_path="unmasked/a.onnx",
    )


def test_only_a_file_without_faults_is_usable():
    assert artifact().usable
    assert artifact().refused_because is None
    assert not artifact("one", "two").usable
    assert artifact("one", "two").refused_because == "one; two"


def test_json_reads_back():
    for one in (artifact(), artifact("fault")):
        assert Artifact.from_json(json.loads(json.dumps(one.to_json()))) == one


def test_the_name_says_what_a_file_takes():
    assert artifact().name == "onnx fp32"
    assert replace(artifact(), takes_texts=True).name == "onnx fp32 text-in"
