"""Packages have the same bytes for the same model, and damaged ones are refused."""

import json
import shutil

import pytest

from compress.errors import UserError
from compress.recipe.artifacts import CoreMl
from export.coreml.emit import emit
from export.coreml.evaluate import Evaluator
from export.coreml.package import read_package, write_package

MODEL = "Data/com.apple.CoreML/model.mlmodel"
WEIGHTS = "Data/com.apple.CoreML/weights/weight.bin"


def contents(path):
    files = sorted(one for one in path.rglob("*") if one.is_file())
    return {str(one.relative_to(path)): one.read_bytes() for one in files}


@pytest.fixture
def package(emitted, tmp_path):
    path = tmp_path / "copy.mlpackage"
    shutil.copytree(emitted("int8-weight").path, path)
    return path


def test_the_same_student_is_written_with_the_same_bytes(emitted, tiny_source, tmp_path):
    again = emit(tiny_source, CoreMl(format="coreml", scheme="palettized-4"), tmp_path)

    assert contents(again.path) == contents(emitted("palettized-4").path)


def test_coremltools_reads_what_was_written(package):
    import coremltools

    spec = coremltools.models.MLModel(str(package), skip_model_load=True).get_spec()

    assert spec.WhichOneof("Type") == "mlProgram"
    assert set(contents(package)) == {"Manifest.json", MODEL, WEIGHTS}


def test_a_package_that_stands_there_is_replaced_whole(package):
    (package / "left over").touch()
    read = read_package(package)
    shutil.copytree(read.weights, package.parent / "weights")

    write_package(read.spec, package.parent / "weights", package)

    assert set(contents(package)) == {"Manifest.json", MODEL, WEIGHTS}
    assert list(package.parent.glob(".*")) == []


def test_no_time_and_no_folder_of_this_machine_is_in_it(package, tmp_path):
    everything = b"".join(contents(package).values())

    assert b"conversion_date" not in everything
    assert str(tmp_path.parent).encode() not in everything


@pytest.mark.parametrize("name", ["Manifest.json", MODEL, WEIGHTS])
def test_a_missing_file_is_said_in_one_line(name, package):
    (package / name).unlink()

    with pytest.raises(UserError, match=r"copy\.mlpackage: .*write it again") as caught:
        Evaluator(package)

    assert "\n" not in str(caught.value)


@pytest.mark.parametrize("name", ["Manifest.json", MODEL, WEIGHTS])
@pytest.mark.parametrize("kept", [0.0, 0.5, 0.98])
def test_a_truncated_file_is_refused(name, kept, package):
    content = (package / name).read_bytes()
    (package / name).write_bytes(content[: int(kept * len(content))])

    with pytest.raises(UserError, match=r"copy\.mlpackage: .*write it again"):
        Evaluator(package)


def test_a_manifest_of_nothing_is_refused(package):
    (package / "Manifest.json").write_text(json.dumps({"itemInfoEntries": []}))

    with pytest.raises(UserError, match=r"Manifest\.json is missing or damaged"):
        read_package(package)


def test_what_is_no_package_is_refused(tmp_path):
    with pytest.raises(UserError, match="a .mlpackage is a folder"):
        read_package(tmp_path / "none.mlpackage")
