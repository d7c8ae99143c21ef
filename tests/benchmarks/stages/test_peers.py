"""Why there can be no peer is said before any work starts."""

import pytest

from benchmarks.stages.peers import check_peers
from compress.errors import UserError
from compress.recipe_file import parse_recipe

RECIPE = """
name: tiny
task: {kind: text-label}
data: {source: {kind: table, train: x.csv}}
student: {kind: bert}
"""


@pytest.mark.parametrize("kind", ["text-cnn", "mean-pooled"])
def test_optimum_takes_hugging_face_students_only(kind):
    recipe = parse_recipe(RECIPE, overrides=[f"student.kind={kind}"])
    with pytest.raises(UserError, match=rf"student\.kind: {kind} is none.*choose bert or mobile"):
        check_peers(recipe)


def test_an_int8_file_must_be_there_to_compare_with():
    recipe = parse_recipe(RECIPE + "export: {artifacts: [{format: onnx, scheme: fp32}]}\n")
    with pytest.raises(UserError, match="compares int8 files, and the recipe writes none: add"):
        check_peers(recipe)


def test_optimum_must_be_installed(tmp_path, monkeypatch):
    monkeypatch.setattr("sys.executable", str(tmp_path / "python"))
    with pytest.raises(UserError, match="pip install optimum-onnx"):
        check_peers(parse_recipe(RECIPE))
    (tmp_path / "optimum-cli").touch()
    check_peers(parse_recipe(RECIPE))
