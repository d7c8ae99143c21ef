"""Checks repeated on a copy of what was exported."""

import json
import shutil
import subprocess
import sys
from dataclasses import replace

import pytest

from compress.errors import UserError
from compress.files import tree_bytes, tree_sha256
from compress.recipe import Onnx, OnnxText
from export import verify_run as module
from export.onnx.text_input import emit_text_input
from export.rows import read_artifacts, write_artifacts
from export.signature import text_input_signature
from export.verification_set import VERIFICATION
from export.verify_run import verify, verify_file, verify_run

ONNX = Onnx(format="onnx", scheme="fp32")
ONNX_TEXT = OnnxText(format="onnx", scheme="fp32")


@pytest.fixture
def ranking(export_of):
    return export_of("next-item", ONNX)


@pytest.fixture
def with_text_in(export_of, text_source_of):
    """An export with the file that cuts texts itself beside the one that does not."""
    folder = export_of("text", ONNX_TEXT)
    (pieces_in,) = read_artifacts(folder)
    path = folder / "student.fp32.text.onnx"
    source = text_source_of("bert")
    known = {name.removeprefix("limbeck."): one for name, one in pieces_in.signature.items()}
    fields = {name: known[name] for name in source.signature.fields}
    signature = replace(source.signature, fields=fields)
    emit_text_input(folder / pieces_in.path, folder / "tokenizer", path, signature=signature)
    text_in = replace(
        pieces_in,
        name=f"{pieces_in.name} text-in",
        path=path.name,
        bytes=tree_bytes(path),
        sha256=tree_sha256(path),
        signature=text_input_signature(signature).metadata(),
        takes_texts=True,
    )
    write_artifacts(folder, [pieces_in, text_in], [])
    return folder


@pytest.mark.parametrize("place", ["run", "export", "elsewhere"])
def test_a_run_its_export_and_a_copy_of_it_are_checked_alike(ranking, tmp_path, place):
    elsewhere = tmp_path / "elsewhere"
    shutil.copytree(ranking, elsewhere)
    folder = {"run": ranking.parent, "export": ranking, "elsewhere": elsewhere}[place]
    (verdict,) = verify(folder)
    assert verdict.passed
    assert (verdict.path, verdict.name) == ("student.fp32.onnx", "onnx fp32")
    assert verdict.checked == "run"
    assert verdict.check.cases == 260


def test_a_run_is_found_by_its_name(ranking, tmp_path, monkeypatch):
    shutil.copytree(ranking.parent, tmp_path / "runs" / "mine")
    monkeypatch.chdir(tmp_path)
    (verdict,) = verify(module.Path("mine"))
    assert verdict.passed


def test_a_file_is_checked_against_a_set_that_is_elsewhere(ranking, tmp_path):
    alone = tmp_path / "student.fp32.onnx"
    shutil.copy(ranking / "student.fp32.onnx", alone)
    (verdict,) = verify(alone, ranking / "verification.safetensors")
    assert verdict.passed
    with pytest.raises(UserError, match=r"verification\.safetensors is not there.*--against FILE"):
        verify_file(alone)


def test_a_file_beside_a_wrong_item_map_is_refused_though_nothing_is_recorded(ranking):
    (ranking / "artifacts.json").unlink()
    assert verify_file(ranking / "student.fp32.onnx").passed
    path = ranking / "item-map.json"
    found = json.loads(path.read_text())
    path.write_text(json.dumps({**found, "items": found["items"][::-1]}))
    (fault,) = verify_file(ranking / "student.fp32.onnx").faults
    assert "item-map.json is not the item map" in fault
    path.unlink()
    assert verify_file(ranking / "student.fp32.onnx").passed


def test_nothing_of_training_is_imported(ranking):
    """A copied folder is checked without PyTorch and without a data set."""
    code = (
        "import sys; from pathlib import Path; from export.verify_run import verify; "
        "(one,) = verify(Path(sys.argv[1])); assert one.passed, one; "
        "print(sorted({'torch', 'transformers', 'onnx', 'coremltools'} & set(sys.modules)))"
    )
    command = [sys.executable, "-c", code, str(ranking)]
    found = subprocess.run(command, capture_output=True, text=True, check=True)
    assert found.stdout.strip() == "[]"


def test_a_file_that_takes_texts_is_held_against_its_twin(with_text_in):
    pieces_in, text_in = verify_run(with_text_in)
    assert (pieces_in.faults, text_in.faults) == ((), ())
    assert text_in.check.checked == "run"
    assert verify_file(with_text_in / text_in.path).passed


@pytest.fixture
def cuts_otherwise(with_text_in, monkeypatch):
    """The file that takes texts answers one of them otherwise.

    Both files count as int4, so that the student's answers alone would let much pass.
    """
    loose = [replace(one, scheme="int4-weight") for one in read_artifacts(with_text_in)]
    write_artifacts(with_text_in, loose, [])
    ask = module.VerificationSet.ask

    def ask_otherwise(self, runner, *, takes_texts=False):
        asked = ask(self, runner, takes_texts=takes_texts)
        if takes_texts:
            asked.answers["probabilities"][7] = asked.answers["probabilities"][7, [1, 2, 0]] * 0.01
            asked.answers["probabilities"][7] += asked.answers["probabilities"][8] * 0.99
        return asked

    monkeypatch.setattr(module.VerificationSet, "ask", ask_otherwise)
    return with_text_in


def test_a_scheme_that_hides_it_does_not_hide_a_tokenizer_that_cuts_otherwise(cuts_otherwise):
    pieces_in, text_in = verify_run(cuts_otherwise)
    assert pieces_in.passed
    assert any("for 1 of 60 texts its answer is not that" in one for one in text_in.faults)


@pytest.mark.parametrize("how", ["alone", "before its twin"])
def test_the_twin_is_asked_first_though_it_was_not_asked_for(cuts_otherwise, how):
    pieces_in, text_in = read_artifacts(cuts_otherwise)
    if how == "alone":
        verdict = verify_file(cuts_otherwise / text_in.path)
    else:
        write_artifacts(cuts_otherwise, [text_in, pieces_in], [])
        verdict, _ = verify_run(cuts_otherwise)
    assert any("for 1 of 60 texts its answer is not that" in one for one in verdict.faults)


def test_without_its_twin_a_file_that_takes_texts_says_what_was_not_compared(with_text_in):
    pieces_in, text_in = read_artifacts(with_text_in)
    (with_text_in / pieces_in.path).unlink()
    verdict = verify_file(with_text_in / text_in.path)
    assert verdict.passed
    assert "not compared with those of the same model without tokenizer" in verdict.note


def test_a_runtime_that_is_not_here_is_neither_passed_nor_refused(ranking):
    (artifact,) = read_artifacts(ranking)
    for changes, message in (
        ({"format": "cuneiform"}, "knows no format cuneiform"),
        ({"runtime": "stylus"}, "knows no runtime stylus"),
        ({"scheme": "int2"}, "no tolerance for the scheme int2"),
        ({"takes_texts": True}, "holds no texts"),
    ):
        write_artifacts(ranking, [replace(artifact, **changes)], [])
        (verdict,) = verify_run(ranking)
        assert not verdict.passed
        assert not verdict.refused
        assert verdict.checked == "not checked"
        assert message in verdict.note


def test_a_missing_package_is_said_with_how_to_get_it(ranking, monkeypatch):
    known = replace(module.format_of("onnx"), run_needs=("no_such_package",))
    monkeypatch.setattr(module, "format_of", lambda *_: known)
    (verdict,) = verify_run(ranking)
    assert not verdict.refused
    assert verdict.note == f"no_such_package not installed: {known.enable}"


def test_a_sidecar_that_is_recorded_must_be_there(ranking):
    (artifact,) = read_artifacts(ranking)
    write_artifacts(ranking, [replace(artifact, sidecars=("operators.config",))], [])
    (verdict,) = verify_run(ranking)
    assert verdict.faults == ("operators.config, which belongs to it, is not there",)


def test_a_file_of_the_future_does_not_keep_the_others_from_being_checked(ranking):
    (artifact,) = read_artifacts(ranking)
    write_artifacts(ranking, [replace(artifact, scheme="int2"), artifact], [])
    unknown, known = verify_run(ranking)
    assert (unknown.checked, unknown.refused) == ("not checked", False)
    assert known.passed


def test_code_that_a_record_names_is_not_run(ranking):
    (artifact,) = read_artifacts(ranking)
    code = ranking / "evil.py"
    code.write_text("raise SystemExit('it ran')")
    stranger = {"path": code.name, "bytes": tree_bytes(code), "sha256": tree_sha256(code)}
    write_artifacts(ranking, [replace(artifact, runtime="python", **stranger)], [])
    (verdict,) = verify_run(ranking)
    assert (verdict.passed, verdict.note) == (False, "this limbeck knows no runtime python")


def test_a_sidecar_must_be_the_one_that_is_recorded(ranking):
    (artifact,) = read_artifacts(ranking)
    path = ranking / "operators.config"
    path.write_text("Add")
    recorded = {"sidecars": (path.name,), "sidecar_sha256": {path.name: tree_sha256(path)}}
    write_artifacts(ranking, [replace(artifact, **recorded)], [])
    assert verify_run(ranking)[0].faults == ()
    path.write_text("Mul")
    (fault,) = verify_run(ranking)[0].faults
    assert fault.startswith("operators.config, which belongs to it, is changed: its sha256 is ")


def test_a_sidecar_that_lies_outside_of_the_folder_is_not_looked_at(ranking):
    (artifact,) = read_artifacts(ranking)
    (ranking.parent / "operators.config").touch()
    write_artifacts(ranking, [replace(artifact, sidecars=("../operators.config",))], [])
    (verdict,) = verify_run(ranking)
    (fault,) = verdict.faults
    assert fault.startswith("artifacts.json puts ../operators.config, which belongs to it, outside")


def test_a_path_that_leads_out_of_the_folder_is_not_followed(ranking):
    (artifact,) = read_artifacts(ranking)
    shutil.copy(ranking / artifact.path, ranking.parent / "out.onnx")
    write_artifacts(ranking, [replace(artifact, path="../out.onnx")], [])
    (verdict,) = verify_run(ranking)
    assert verdict.faults == ("artifacts.json puts it outside of the export folder",)


def test_a_verdict_is_plain_data(ranking):
    (verdict,) = verify_run(ranking)
    found = json.loads(json.dumps(verdict.to_json()))
    assert (found["passed"], found["refused"], found["faults"]) == (True, False, [])
    assert found["check"]["agreement"] == 1.0


# ------------------------------------------------------------------- what cannot be checked


@pytest.mark.parametrize(
    ("changes", "message"),
    [
        (None, "Nothing was checked: the artifacts.json of"),
        ({"format": "cuneiform"}, "Nothing was checked: none of the 1 files of"),
    ],
)
def test_the_command_does_not_say_that_all_is_well_if_nothing_was_checked(
    ranking, changes, message
):
    (artifact,) = read_artifacts(ranking)
    recorded = [] if changes is None else [replace(artifact, **changes)]
    write_artifacts(ranking, recorded, [])
    command = [sys.executable, "-m", "limbeck", "verify", str(ranking)]
    done = subprocess.run(command, capture_output=True, text=True, check=False)
    assert done.returncode == 2
    assert message in " ".join(done.stderr.split())


def test_what_is_not_there_is_the_users_error(tmp_path):
    with pytest.raises(UserError, match="is not there. Give the folder of a run"):
        verify(tmp_path / "none")


def test_a_folder_without_an_export_is_the_users_error(tmp_path):
    for check in (verify, verify_run):
        with pytest.raises(UserError, match=r"holds no artifacts\.json"):
            check(tmp_path)


@pytest.mark.parametrize("content", ["", "[1]", '[{"path": "a"}]', "{"])
def test_a_damaged_list_of_files_is_the_users_error(ranking, content):
    (ranking / "artifacts.json").write_text(content)
    with pytest.raises(UserError, match=r"artifacts\.json is damaged, or of another version"):
        verify_run(ranking)


@pytest.mark.parametrize(
    ("name", "message"),
    [("student.fp32.bin", "is of no format"), ("model.onnx", "which scheme it has decides")],
)
def test_a_file_that_does_not_say_what_it_is_is_the_users_error(ranking, name, message):
    (ranking / "student.fp32.onnx").rename(ranking / name)
    with pytest.raises(UserError, match=message):
        verify_file(ranking / name)


def test_a_file_alone_says_what_was_not_compared(ranking, tmp_path):
    alone = tmp_path / "student.fp32.onnx"
    shutil.copy(ranking / "student.fp32.onnx", alone)
    verdict = verify_file(alone, ranking / VERIFICATION)
    assert verdict.passed
    assert "no artifacts.json beside it" in verdict.note


def test_a_name_with_a_scheme_that_its_format_lacks_is_no_way_around_the_tolerance(
    ranking, tmp_path
):
    renamed = tmp_path / "student.int4-weight.onnx"
    shutil.copy(ranking / "student.fp32.onnx", renamed)
    with pytest.raises(UserError, match="onnx has fp32, fp16, int8-dynamic, int8-static"):
        verify_file(renamed, ranking / VERIFICATION)
