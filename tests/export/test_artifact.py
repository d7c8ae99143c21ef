"""Artifacts as data."""

import json
from dataclasses import replace

from export.artifact import Artifact
from export.verification import Check


def artifact(*faults):
    check = Check(256, 0.99, 0.01, 0.001, tuple(faults))
    return Artifact(
        name="onnx fp32",
        path="a.onnx",
        inputs="histories.npz",
        format="onnx",
        scheme="fp32",
        target="onnxruntime-cpu",
        runtime="onnx",
        bytes=10,
        sha256="00",
        check=check,
        signature={"limbeck.task": "next-item"},
        unmasked_path="unmasked/a.onnx",
        sidecars=("a.json",),
        sidecar_sha256={"a.json": "01"},
        details={"opset": 17},
    )


def checked(how):
    made = artifact()
    return replace(made, check=replace(made.check, checked=how))


def test_only_a_file_without_faults_is_usable():
    assert artifact().usable
    assert artifact().refused_because is None
    assert not artifact("one", "two").usable
    assert artifact("one", "two").refused_because == "one; two"


def test_what_was_evaluated_is_usable_and_has_no_latency():
    assert checked("evaluated").usable
    assert not checked("evaluated").was_run
    assert checked("run").was_run


def test_what_was_only_parsed_is_neither_usable_nor_refused():
    assert not checked("parsed").usable
    assert checked("parsed").refused_because is None


def test_what_an_earlier_export_did_not_record_is_empty():
    data = artifact().to_json()
    del data["sidecar_sha256"]
    assert Artifact.from_json(data).sidecar_sha256 == {}


def test_json_reads_back():
    for one in (artifact(), artifact("fault"), checked("parsed")):
        assert Artifact.from_json(json.loads(json.dumps(one.to_json()))) == one
