from dataclasses import replace

import pytest
from pydantic import ValidationError

from benchmarks.measurement import EmittedFile, Row


def test_rows_survive_their_json(inputs):
    for measured in inputs.measured:
        assert Row.from_json(measured.row.to_json()) == measured.row


def test_json_of_another_shape_is_refused():
    with pytest.raises(ValidationError):
        Row.from_json('{"name": "teacher"}')


def test_only_a_refused_file_may_lack_figures(inputs):
    artifact = inputs.measured[-1].row
    refused = replace(artifact.file, usable=False, refused_because="it crashed")
    assert replace(artifact, file=refused, latency=None, quality=None).latency is None
    with pytest.raises(ValueError, match="only a refused file"):
        replace(artifact, latency=None)


def test_only_an_artifact_is_a_file(inputs):
    with pytest.raises(ValueError, match="names its file"):
        replace(inputs.measured[-1].row, role="student")
    with pytest.raises(ValueError, match="names its file"):
        replace(inputs.measured[0].row, role="artifact")


@pytest.mark.parametrize(("usable", "because"), [(True, "slow"), (False, None)])
def test_a_file_is_usable_or_refused_for_a_reason(usable, because):
    with pytest.raises(ValueError, match="refused for a reason"):
        EmittedFile("a.onnx", "onnx", "fp32", "cpu", "00" * 32, usable, because)
