"""onnxruntime-web: fetched once with npm, checked, then offline.

It comes through `npm pack`, so that a registry that npm is configured for is used; the archive is
held against the pinned hash, and only the files that a page loads are taken out of it. Nothing of
it is installed, and no script of a package is run.
"""

import base64
import errno
import hashlib
import shutil
import subprocess
import tarfile
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

from compress.data.cache import cache_folder, store
from compress.data.package_archive import print_to_stderr
from compress.errors import DownloadError

ENABLE = "limbeck targets --install browser"
_CHUNK = 1 << 20


@dataclass(frozen=True)
class WebRuntime:
    """A pinned version of onnxruntime-web."""

    version: str
    integrity: str
    """Of the archive, as npm publishes it: `sha512-` and the digest in base64."""
    files: tuple[str, ...]
    """What a page loads, by their path in the archive's `package/`."""
    megabytes: float
    """Size of the download, in 10^6 bytes."""

    @property
    def package(self) -> str:
        """What npm is asked for."""
        return f"onnxruntime-web@{self.version}"


RUNTIME = WebRuntime(
    version="1.30.0",
    integrity=(
        "sha512-q0y+JrrtukXSzsBWEMccVfqX25LRmosXHF+CaRJmg8pZClzcV7svNc4rKY3jL02Vb7QmRMDs1SigqR4"
        "CXAfKYQ=="
    ),
    files=(
        "package.json",
        "dist/ort.wasm.min.mjs",
        "dist/ort-wasm-simd-threaded.mjs",
        "dist/ort-wasm-simd-threaded.wasm",
        "dist/ort.webgpu.min.mjs",
        "dist/ort-wasm-simd-threaded.asyncify.mjs",
        "dist/ort-wasm-simd-threaded.asyncify.wasm",
    ),
    megabytes=33.1,
)
TERMS = "MIT licence, Microsoft; https://github.com/microsoft/onnxruntime"


def browser_runtime(cache: Path | None = None) -> Path | None:
    """Return the folder with onnxruntime-web's files, or None while it is not installed.

    Args:
        cache: Where downloads are kept; None: `cache_folder()`.
    """
    folder = _folder(RUNTIME, cache)
    return folder if folder.is_dir() else None


def install_browser(
    announce: Callable[[str], None] = print_to_stderr,
    cache: Path | None = None,
    runtime: WebRuntime = RUNTIME,
) -> Path:
    """Fetch onnxruntime-web into the cache, unless it is there, and return its folder.

    Args:
        announce: Is told about the download and its terms; not called when it is there.
        cache: Where downloads are kept; None: `cache_folder()`.
        runtime: Which version.

    Raises:
        DownloadError: npm is missing or fails, the archive is not the pinned one, or no space is
            left. Nothing is left behind then.
    """
    folder = _folder(runtime, cache)
    if folder.is_dir():
        return folder
    announce(f"Downloading {runtime.package} ({runtime.megabytes:g} MB, with npm) into {folder}")
    announce(f"Terms: {TERMS}")

    def fetched(work: Path, content: Path) -> None:
        _extract(runtime, _archive(runtime, work), content)

    store(runtime.package, folder, fetched)
    return folder


def _folder(runtime: WebRuntime, cache: Path | None) -> Path:
    return (cache or cache_folder()) / "browser" / f"onnxruntime-web-{runtime.version}"


def _archive(runtime: WebRuntime, work: Path) -> Path:
    """Return the checked archive."""
    npm = shutil.which("npm")
    if npm is None:
        raise DownloadError(
            f"{runtime.package} comes with npm, and npm is not on the PATH. Install Node.js, which "
            f"brings it, and run again: {ENABLE}"
        )
    command = [npm, "pack", runtime.package, "--ignore-scripts", "--pack-destination", str(work)]
    done = subprocess.run(
        command, cwd=work, capture_output=True, text=True, errors="replace", check=False
    )
    archives = sorted(work.glob("*.tgz"))
    if done.returncode == 0 and len(archives) == 1:
        _check(runtime, archives[0])
        return archives[0]
    if "ENOSPC" in done.stderr:
        raise OSError(errno.ENOSPC, "No space left on device")
    reason = "\n  ".join(done.stderr.strip().splitlines()[-4:]) or f"{len(archives)} files arrived"
    raise DownloadError(
        f"`npm pack {runtime.package}` failed (exit code {done.returncode}):\n  {reason}\n"
        "Check the network and npm's registry settings and run again; on a machine without "
        f"network, copy {cache_folder()} from one that has it, or point LIMBECK_CACHE at a copy."
    )


def _check(runtime: WebRuntime, archive: Path) -> None:
    with archive.open("rb") as handle:
        digest = hashlib.file_digest(handle, "sha512").digest()
    found = f"sha512-{base64.b64encode(digest).decode()}"
    if found != runtime.integrity:
        raise DownloadError(
            f"{runtime.package}: {archive.name} has {found}, expected {runtime.integrity}. It was "
            "discarded. The download was damaged or replaced: try again, and if it stays so, ask "
            "whoever runs your npm registry."
        )


def _extract(runtime: WebRuntime, archive: Path, into: Path) -> None:
    """Write the wanted files into one flat folder, under names of our own choice."""
    into.mkdir()
    try:
        with tarfile.open(archive, "r:gz") as content:
            for path in runtime.files:
                member = content.getmember(f"package/{path}")
                source = content.extractfile(member) if member.isreg() else None
                if source is None:
                    raise KeyError(path)
                with source, (into / Path(path).name).open("wb") as copy:
                    shutil.copyfileobj(source, copy, _CHUNK)
    except (KeyError, tarfile.TarError, EOFError) as error:
        raise DownloadError(
            f"{runtime.package}: {archive.name} is not as known: {error}"
        ) from error
