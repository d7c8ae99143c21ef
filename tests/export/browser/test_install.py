"""onnxruntime-web is fetched with npm, whole and as pinned, or not at all."""

import base64
import hashlib
import io
import json
import tarfile

import pytest

from compress.errors import DownloadError
from export.browser.install import RUNTIME, WebRuntime, browser_runtime, install_browser

FILES = {"package.json": b"{}", "dist/ort.mjs": b"export {}", "dist/ort.wasm": b"\0asm"}


def pinned(archive, files=tuple(FILES)):
    digest = hashlib.sha512(archive.read_bytes()).digest()
    return WebRuntime("9.9.9", f"sha512-{base64.b64encode(digest).decode()}", files, 0.1)


@pytest.fixture
def archive(tmp_path):
    """`archive(extra)`: what npm would deliver, with more members if asked."""

    def archive(*extra):
        path = tmp_path / "delivered"
        with tarfile.open(path, "w:gz") as content:
            for name, data in {**FILES, "dist/unwanted.mjs": b"x" * 99}.items():
                member = tarfile.TarInfo(f"package/{name}")
                member.size = len(data)
                content.addfile(member, io.BytesIO(data))
            for member in extra:
                content.addfile(member)
        return path

    return archive


@pytest.fixture
def npm(program, monkeypatch):
    """`npm(script)`: the only npm there is."""

    def npm(script):
        folder = program("npm", script).parent
        monkeypatch.setenv("PATH", f"{folder}:/usr/bin:/bin")

    return npm


# npm pack PACKAGE --ignore-scripts --pack-destination FOLDER
DELIVER = 'echo "$@" > {log}; cp {archive} "$5/onnxruntime-web-9.9.9.tgz"'


def nothing_left(cache):
    return not [one for one in cache.rglob("*") if one.is_file()]


def test_the_wanted_files_are_taken_out_and_announced(npm, archive, tmp_path):
    delivered, said, cache = archive(), [], tmp_path / "cache"
    npm(DELIVER.format(archive=delivered, log=tmp_path / "log"))
    folder = install_browser(said.append, cache, pinned(delivered))
    assert {one.name: one.read_bytes() for one in folder.iterdir()} == {
        "package.json": b"{}",
        "ort.mjs": b"export {}",
        "ort.wasm": b"\0asm",
    }
    assert "onnxruntime-web@9.9.9 (0.1 MB, with npm)" in said[0]
    assert "MIT" in said[1]
    asked = (tmp_path / "log").read_text()
    assert asked.startswith("pack onnxruntime-web@9.9.9 --ignore-scripts --pack-destination")
    assert [one.name for one in folder.parent.iterdir()] == [folder.name]


def test_what_is_there_is_used_without_npm(npm, archive, tmp_path):
    delivered, said, cache = archive(), [], tmp_path / "cache"
    npm(DELIVER.format(archive=delivered, log=tmp_path / "log"))
    runtime = pinned(delivered)
    first = install_browser(lambda line: None, cache, runtime)
    npm("exit 1")
    assert install_browser(said.append, cache, runtime) == first
    assert said == []


def test_another_archive_than_the_pinned_one_is_discarded(npm, archive, tmp_path):
    delivered, cache = archive(), tmp_path / "cache"
    runtime = pinned(delivered)
    delivered.write_bytes(delivered.read_bytes() + b"\0")
    npm(DELIVER.format(archive=delivered, log=tmp_path / "log"))
    with pytest.raises(DownloadError, match="expected sha512-.* It was discarded"):
        install_browser(lambda line: None, cache, runtime)
    assert nothing_left(cache)


def test_an_archive_that_lacks_a_file_is_refused(npm, archive, tmp_path):
    delivered, cache = archive(), tmp_path / "cache"
    npm(DELIVER.format(archive=delivered, log=tmp_path / "log"))
    with pytest.raises(DownloadError, match=r"not as known.*dist/missing\.wasm"):
        install_browser(
            lambda line: None, cache, pinned(delivered, ("dist/ort.mjs", "dist/missing.wasm"))
        )
    assert nothing_left(cache)


def test_a_link_is_no_file(npm, archive, tmp_path):
    link = tarfile.TarInfo("package/dist/link.wasm")
    link.type, link.linkname = tarfile.SYMTYPE, "/etc/passwd"
    delivered, cache = archive(link), tmp_path / "cache"
    npm(DELIVER.format(archive=delivered, log=tmp_path / "log"))
    with pytest.raises(DownloadError, match="not as known"):
        install_browser(lambda line: None, cache, pinned(delivered, ("dist/link.wasm",)))
    assert nothing_left(cache)


def test_npm_s_own_words_are_passed_on(npm, archive, tmp_path):
    npm("echo npm error code E404 >&2; exit 1")
    with pytest.raises(DownloadError, match=r"(?s)failed \(exit code 1\).*E404.*registry settings"):
        install_browser(lambda line: None, tmp_path / "cache", pinned(archive()))
    assert nothing_left(tmp_path / "cache")


def test_a_full_disk_is_called_so(npm, archive, tmp_path):
    npm("echo npm error code ENOSPC >&2; exit 228")
    with pytest.raises(DownloadError, match="the disk is full.*LIMBECK_CACHE"):
        install_browser(lambda line: None, tmp_path / "cache", pinned(archive()))


def test_without_npm_a_person_is_told_where_it_comes_from(archive, tmp_path, monkeypatch):
    delivered = archive()
    monkeypatch.setenv("PATH", str(tmp_path))
    with pytest.raises(DownloadError, match="Install Node.js.*limbeck targets --install browser"):
        install_browser(lambda line: None, tmp_path / "cache", pinned(delivered))


def test_the_real_pin_has_both_backends_and_is_looked_for_by_version(tmp_path):
    assert "dist/ort.wasm.min.mjs" in RUNTIME.files
    assert "dist/ort.webgpu.min.mjs" in RUNTIME.files
    assert len(base64.b64decode(RUNTIME.integrity.removeprefix("sha512-"))) == 64
    assert browser_runtime(tmp_path) is None
    (tmp_path / "browser" / f"onnxruntime-web-{RUNTIME.version}").mkdir(parents=True)
    assert browser_runtime(tmp_path) is not None


def test_what_was_installed_is_the_pinned_version(browser):
    about = json.loads((browser / "package.json").read_text())
    assert (about["name"], about["version"]) == ("onnxruntime-web", RUNTIME.version)
    assert {one.name for one in browser.iterdir()} == {one.split("/")[-1] for one in RUNTIME.files}
