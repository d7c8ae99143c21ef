"""A student's files are written and verified one by one; one that cannot be keeps no other back."""

from dataclasses import replace
from pathlib import Path

import numpy as np
import onnx
import pytest

from compress.progress import Display, Progress
from compress.recipe import NextItemRecipe
from compress.stage import StageContext
from export.formats import Format
from export.stages.emission import Emission
from export.targets import Machine
from export.verification_set import VerificationSet


class Told(Display):
    """Remembers what was said."""

    def __init__(self):
        self.messages = []

    def said(self, message):
        self.messages.append(message)


@pytest.fixture
def told():
    return Told()


@pytest.fixture
def emission(tmp_path, next_item_source, reference, told):
    """An emission into a folder; `previous` is where an earlier one wrote."""

    def emission(*artifacts, folder="now", previous=None, digest="a", source=next_item_source):
        recipe = NextItemRecipe.model_validate(
            {
                "name": "r",
                "data": {"source": {"kind": "movielens-100k"}},
                "teacher": {"kind": "text-sequence"},
                "student": {"kind": "transformer"},
                "export": {"artifacts": list(artifacts)},
            }
        )
        place = tmp_path / folder
        place.mkdir(exist_ok=True)
        context = StageContext(
            recipe=recipe,
            recipe_folder=Path(),
            folder=place,
            inputs={},
            progress=Progress(told),
            logs=tmp_path,
            version=1,
            previous=previous,
            digests={"student": digest},
        )
        verification = VerificationSet.from_reference(reference, source.signature)
        return Emission(context, source, verification, "histories.npz", ("student",))

    return emission


FP32 = {"format": "onnx", "scheme": "fp32"}
INT8 = {"format": "onnx", "scheme": "int8-dynamic"}
UNKNOWN_GPU = {"format": "tensorrt-rtx", "scheme": "fp16", "target": "sm99"}


def test_each_file_is_verified_and_described(emission, tmp_path):
    artifacts, not_written = emission(FP32, INT8).write_all()
    assert not_written == []
    assert [one.name for one in artifacts] == ["onnx fp32", "onnx int8-dynamic"]
    for one in artifacts:
        assert one.usable, one.refused_because
        assert one.check.checked == "run"
        assert "ONNX Runtime" in one.check.checked_with
        assert one.bytes == (tmp_path / "now" / one.path).stat().st_size
        assert one.signature["limbeck.task"] == "next-item"
    assert artifacts[1].bytes < artifacts[0].bytes


def test_an_unknown_gpu_is_told_in_one_line_and_the_rest_is_written(emission, told):
    pytest.importorskip("tensorrt_rtx")
    artifacts, not_written = emission(UNKNOWN_GPU, FP32).write_all()
    assert [one.name for one in artifacts] == ["onnx fp32"]
    (missing,) = not_written
    assert missing.name == "tensorrt-rtx fp16 sm99"
    assert "sm99" in missing.because
    assert "sm86" in missing.because  # what can be had instead
    assert "\n" not in missing.because
    assert told.messages == [f"tensorrt-rtx fp16 sm99 is not written: {missing.because}"]


def test_core_ml_on_windows_is_not_written_and_the_rest_is(emission, monkeypatch):
    windows = Machine("Windows", "AMD64")
    monkeypatch.setattr("export.stages.emission.this_machine", lambda: windows)
    artifacts, (missing,) = emission({"format": "coreml", "optional": True}, FP32).write_all()
    assert [one.name for one in artifacts] == ["onnx fp32"]
    assert "Linux and macOS only" in missing.because
    assert "onnx" in missing.because  # what can be had instead
    assert missing.optional


def test_a_file_of_another_student_is_refused(emission, next_item_source, reference):
    wrong = replace(reference, scores=reference.scores[:, ::-1].copy())
    one = emission(FP32)
    verification = VerificationSet.from_reference(wrong, next_item_source.signature)
    (artifact,), _ = replace(one, verification=verification).write_all()
    assert not artifact.usable
    assert artifact.refused_because


@pytest.fixture
def emitted(monkeypatch):
    """Names of the files that were really written."""
    names = []
    really = Format.emit

    def emit(self, source, wanted, folder):
        names.append(wanted.name)
        return really(self, source, wanted, folder)

    monkeypatch.setattr(Format, "emit", emit)
    return names


def test_what_an_earlier_export_made_is_taken_over(emission, emitted, tmp_path):
    first, _ = emission(FP32).write_all()
    second, _ = emission(FP32, INT8, folder="next", previous=tmp_path / "now").write_all()
    assert emitted == ["onnx fp32", "onnx int8-dynamic"]
    assert second[0] == first[0]
    assert (tmp_path / "next" / first[0].path).is_file()


def test_an_interrupted_export_goes_on(emission, emitted):
    emission(FP32).write_all()
    emission(FP32).write_all()
    assert emitted == ["onnx fp32"]


def test_another_student_is_written_anew(emission, emitted, tmp_path):
    emission(FP32).write_all()
    emission(FP32, folder="next", previous=tmp_path / "now", digest="b").write_all()
    assert emitted == ["onnx fp32", "onnx fp32"]


def test_the_unmasked_twin_is_written_beside_and_verified_too(
    emission, next_item_source, deploy, histories, reference, tmp_path
):
    signature = replace(
        next_item_source.signature,
        fields={**next_item_source.signature.fields, "mask_seen": False},
    )
    scratch = tmp_path / "scratch"
    scratch.mkdir()
    open_source = replace(
        next_item_source, module=deploy(mask_seen=False), signature=signature, scratch=scratch
    )
    wrong = replace(reference, mask_seen=False)
    twin = (open_source, VerificationSet.from_reference(wrong, signature))
    (artifact,), _ = replace(emission(FP32), twin=twin).write_all()
    assert artifact.unmasked_path == "unmasked/student.fp32.onnx"
    assert onnx.load(tmp_path / "now" / artifact.unmasked_path)
    # The twin was held against the masked student, from which it differs.
    assert artifact.refused_because.startswith("its unmasked twin differs from the student")
    assert np.isfinite(artifact.check.agreement)


def test_a_converter_that_breaks_down_keeps_no_other_file_back(emission, monkeypatch, tmp_path):
    really = Format.emit

    def emit(self, source, wanted, folder):
        if wanted.scheme == "fp32":
            raise KeyError("aten::whatever")
        return really(self, source, wanted, folder)

    monkeypatch.setattr(Format, "emit", emit)
    artifacts, (broken,) = emission({**FP32, "optional": True}, INT8).write_all()
    assert [one.name for one in artifacts] == ["onnx int8-dynamic"]
    assert broken.because == "KeyError: 'aten::whatever'"
    assert not broken.optional  # that it cannot be had here was forgiven, not that it breaks
    assert "Traceback" in (tmp_path / "onnx-fp32.txt").read_text()


def test_a_full_disk_is_not_taken_for_a_format_that_breaks(emission, monkeypatch):
    def emit(self, source, wanted, folder):
        raise OSError(28, "No space left on device")

    monkeypatch.setattr(Format, "emit", emit)
    with pytest.raises(OSError, match="No space left"):
        emission(FP32).write_all()


def test_what_can_no_longer_be_written_here_is_kept(emission, monkeypatch, tmp_path):
    first, _ = emission(FP32).write_all()
    elsewhere = Machine("Plan9", "x86_64")
    monkeypatch.setattr("export.stages.emission.this_machine", lambda: elsewhere)
    second, not_written = emission(FP32, folder="next", previous=tmp_path / "now").write_all()
    assert not_written == []
    assert second == first


def test_another_version_of_a_library_writes_a_file_anew(emission, emitted, monkeypatch):
    emission(FP32).write_all()
    monkeypatch.setattr("export.stages.emission._version", lambda package: "99")
    emission(FP32).write_all()
    assert emitted == ["onnx fp32", "onnx fp32"]
