from dataclasses import replace

import pytest
from pydantic import ValidationError

from benchmarks.measurement import CheckFigures, EmittedFile, Row


def test_rows_survive_their_json(every_format_inputs):
    for measured in every_format_inputs.measured:
        assert Row.from_json(measured.row.to_json()) == measured.row


def test_json_of_another_shape_is_refused():
    with pytest.raises(ValidationError):
        Row.from_json('{"name": "teacher"}')


def file_of(checked, agreement, *, usable, because=None):
    check = CheckFigures(256, agreement, None, None, None)
    return EmittedFile(
        "a.onnx", "onnx", "fp32", "cpu", "00" * 32, usable, check, checked, refused_because=because
    )


@pytest.fixture
def artifact(inputs):
    """A row with latency and quality."""
    return inputs.measured[-1].row


def test_a_usable_file_that_was_run_has_latency_and_quality(artifact):
    for missing in ({"latency": None}, {"quality": None}):
        with pytest.raises(ValueError, match="has latency and quality"):
            replace(artifact, **missing)


def test_an_evaluated_file_has_no_latency_and_may_lack_quality(artifact):
    file = file_of("evaluated", 0.99, usable=True)
    assert replace(artifact, file=file, latency=None).quality is not None
    assert replace(artifact, file=file, latency=None, quality=None).quality is None
    with pytest.raises(ValueError, match="was evaluated has no latency"):
        replace(artifact, file=file)


@pytest.mark.parametrize(
    "file",
    [
        file_of("parsed", None, usable=False),
        file_of("parsed", None, usable=False, because="a layer is missing"),
        file_of("run", None, usable=False, because="it crashed"),
        file_of("evaluated", None, usable=False, because="an op cannot be evaluated"),
    ],
)
def test_a_file_that_did_not_answer_has_no_figures(artifact, file):
    assert replace(artifact, file=file, latency=None, quality=None).file is file
    with pytest.raises(ValueError, match="did not answer has no figures"):
        replace(artifact, file=file, latency=None)


def test_a_refused_file_may_have_figures_or_not(artifact):
    refused = file_of("run", 0.6, usable=False, because="it differs")
    assert replace(artifact, file=refused).latency is not None
    assert replace(artifact, file=refused, latency=None, quality=None).latency is None


def test_only_an_artifact_may_lack_figures(inputs):
    with pytest.raises(ValueError, match="only an artifact may lack"):
        replace(inputs.measured[0].row, latency=None)


def test_only_an_artifact_is_a_file(inputs):
    with pytest.raises(ValueError, match="names its file"):
        replace(inputs.measured[-1].row, role="student")
    with pytest.raises(ValueError, match="names its file"):
        replace(inputs.measured[0].row, role="artifact")


@pytest.mark.parametrize(
    ("checked", "agreement", "usable", "because", "fault"),
    [
        ("run", 0.9, True, "slow", "either usable or refused"),
        ("run", 0.9, False, None, "usable or refused for a reason"),
        ("evaluated", 0.9, False, None, "usable or refused for a reason"),
        ("run", None, True, None, "only a file that answered"),
        ("parsed", None, True, None, "only a file that answered"),
        ("parsed", 0.9, False, None, "agrees with nothing yet"),
    ],
)
def test_a_verdict_fits_what_was_seen(checked, agreement, usable, because, fault):
    with pytest.raises(ValueError, match=fault):
        file_of(checked, agreement, usable=usable, because=because)


def test_a_file_that_was_only_parsed_is_neither_usable_nor_refused():
    file = file_of("parsed", None, usable=False)
    assert not file.usable
    assert file.refused_because is None
    assert not file.answered
