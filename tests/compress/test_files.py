"""Files that are whole or not there."""

import hashlib

import pytest

from compress.files import file_sha256, write_atomically


def test_atomic_write_replaces_all_or_nothing(tmp_path):
    write_atomically(tmp_path / "a", "one")
    write_atomically(tmp_path / "a", "two")
    assert (tmp_path / "a").read_text() == "two"
    assert [path.name for path in tmp_path.iterdir()] == ["a"]


def test_a_failed_write_leaves_what_was_there(tmp_path):
    write_atomically(tmp_path / "a", "before")
    with pytest.raises(UnicodeEncodeError):
        write_atomically(tmp_path / "a", "half \ud800")
    assert (tmp_path / "a").read_text() == "before"


def test_hash_is_of_the_contents(tmp_path):
    (tmp_path / "a").write_bytes(b"abc")
    assert file_sha256(tmp_path / "a") == hashlib.sha256(b"abc").hexdigest()
