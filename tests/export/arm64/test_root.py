"""What stands in the way of emulating arm64 is said; what was made is used again."""

import pytest

from compress.errors import DownloadError, MissingExtraError
from export.arm64 import root as module
from export.arm64.root import Arm64Root


@pytest.fixture
def programs(monkeypatch):
    """Which programs there are."""
    found = {"qemu-aarch64-static": "/bin/true", "apt-get": "/bin/true", "dpkg-deb": "/bin/true"}
    monkeypatch.setattr(module.shutil, "which", found.get)
    return found


def test_without_qemu_it_says_what_to_install(programs, tmp_path):
    del programs["qemu-aarch64-static"]
    with pytest.raises(MissingExtraError, match="apt-get install qemu-user-static"):
        Arm64Root.open(tmp_path)


def test_without_apt_it_says_where_the_system_can_be_made(programs, tmp_path):
    del programs["apt-get"]
    with pytest.raises(MissingExtraError, match="takes apt-get. Make it on Debian or Ubuntu"):
        Arm64Root.open(tmp_path)


def test_without_debians_keys_nothing_is_fetched(programs, tmp_path, monkeypatch):
    monkeypatch.setattr(module, "_KEYRING", tmp_path / "none")
    with pytest.raises(MissingExtraError, match="debian-archive-keyring"):
        Arm64Root.open(tmp_path)


def test_what_cannot_be_fetched_leaves_no_half_system(programs, tmp_path, monkeypatch):
    monkeypatch.setattr(module, "_KEYRING", tmp_path / "keys")
    (tmp_path / "keys").touch()

    def fail(command):
        raise DownloadError("no network")

    monkeypatch.setattr(module, "_fetch", fail)
    with pytest.raises(DownloadError, match="no network"):
        Arm64Root.open(tmp_path)
    assert list((tmp_path / "arm64").iterdir()) == []


def test_a_system_in_the_cache_is_used_again(programs, tmp_path, monkeypatch):
    monkeypatch.setattr(module, "_unpack_debian", lambda root: (root / "made").touch())
    monkeypatch.setattr(module, "_install_wheels", lambda site: None)
    first = Arm64Root.open(tmp_path)
    assert (first.folder / "made").is_file()
    monkeypatch.setattr(module, "_unpack_debian", None)
    assert Arm64Root.open(tmp_path) == first


def test_a_command_that_fails_is_the_users_error():
    with pytest.raises(DownloadError, match="sh said: no such mirror"):
        module._fetch(["sh", "-c", "echo no such mirror >&2; exit 3"])
