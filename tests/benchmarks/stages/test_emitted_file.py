"""What the report takes over of a file from the export stage."""

from dataclasses import replace

import pytest

from benchmarks.measurement import CheckFigures
from benchmarks.stages.subjects import emitted_file
from export.artifact import Artifact
from export.verification import Check

CHECK = Check(
    256, 0.99, 0.0041, 0.002, (), "evaluated", "coremltools 9.0", seconds_per_example=0.03
)


@pytest.fixture
def artifact():
    return Artifact(
        name="coreml fp16 iOS17",
        path="student.fp16.iOS17.mlpackage",
        inputs="histories.npz",
        format="coreml",
        scheme="fp16",
        target="iOS17",
        runtime="coreml",
        bytes=283_000,
        sha256="ab" * 32,
        check=CHECK,
        signature={},
        sidecars=("labels.json",),
        details={"compute_units": ["CPU", "GPU"]},
    )


def test_a_file_keeps_how_it_was_checked_and_what_belongs_to_it(artifact):
    file = emitted_file(artifact)
    assert (file.usable, file.checked, file.checked_with) == (True, "evaluated", "coremltools 9.0")
    assert file.check == CheckFigures(256, 0.99, 0.0041, 0.002, 0.03)
    assert file.path == "export/student.fp16.iOS17.mlpackage"
    assert file.sidecars == ("export/labels.json",)
    assert file.details == {"compute_units": ["CPU", "GPU"]}


def test_a_parsed_file_is_neither_usable_nor_refused(artifact):
    file = emitted_file(replace(artifact, check=Check(0, None, None, None, (), checked="parsed")))
    assert (file.usable, file.refused_because, file.checked_with) == (False, None, None)


def test_a_file_that_could_not_be_run_is_refused_for_that(artifact):
    file = emitted_file(replace(artifact, check=Check.failed("it cannot be run: no such op")))
    assert (file.usable, file.refused_because) == (False, "it cannot be run: no such op")
