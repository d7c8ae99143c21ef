"""Artifacts as data."""

import json

from export.artifact import Artifact
from export.verification import Check


def artifact(*faults):
    check = Check(256, 0.99, 0.01, 0.001, tuple(faults))
    return Artifact("a.onnx", "unmasked/a.onnx", "onnx", "fp32", "onnxruntime-cpu", 10, "00", check)


def test_only_a_file_without_faults_is_usable():
    assert artifact().usable
    assert artifact().refused_because is None
    assert not artifact("one", "two").usable
    assert artifact("one", "two").refused_because == "one; two"


def test_json_reads_back():
    for one in (artifact(), artifact("fault")):
        assert Artifact.from_json(json.loads(json.dumps(one.to_json()))) == one
