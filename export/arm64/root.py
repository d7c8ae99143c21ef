"""A small arm64 system in the cache, which QEMU's user emulation runs programs of.

Nothing is mounted, installed or changed outside the cache, and no administrator's rights are
needed: apt resolves and fetches Debian's packages into a folder of ours, dpkg-deb unpacks them, pip
adds two wheels by their hashes, and QEMU is told to look for libraries there.
"""

import shutil
import subprocess
import sys
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from tempfile import TemporaryDirectory

from compress.data.cache import cache_folder
from compress.errors import DownloadError, MissingExtraError
from compress.recipe import content_hash

SUITE = "bookworm"
PACKAGES = ("python3.11-minimal", "libpython3.11-stdlib", "libstdc++6")
ONNX_RUNTIME = "1.23.2"
"""Later ones (1.31.1) crash when they are imported under emulation."""
WHEELS = (
    "numpy==2.3.5 --hash=sha256:3095bdb8dd297e5920b010e96134ed91d852d81d490e787beca7e35ae1d89cf7",
    f"onnxruntime=={ONNX_RUNTIME} --hash=sha256:"
    "bbfd2fca76c855317568c1b36a885ddea2272c13cb0e395002c402f2360429a6",
)
_KEYRING = Path("/usr/share/keyrings/debian-archive-keyring.gpg")
_MIRROR = "http://deb.debian.org/debian"  # packages are signed; apt checks them by the keyring
_PYTHON, _SITE = "usr/bin/python3.11", "opt/limbeck"
_QEMU = ("qemu-aarch64-static", "qemu-aarch64")


@dataclass(frozen=True)
class Arm64Root:
    """An unpacked arm64 system with Python, NumPy and ONNX Runtime."""

    folder: Path
    qemu: str

    @classmethod
    def open(cls, cache: Path | None = None) -> "Arm64Root":
        """Return the system in the cache, made at first use (75 MB of downloads, a minute).

        Args:
            cache: Where it is kept; None: `cache_folder()`.

        Raises:
            MissingExtraError: A program that it takes is not installed.
            DownloadError: Something could not be fetched.
        """
        qemu = next((found for name in _QEMU if (found := shutil.which(name))), None)
        if qemu is None:
            raise MissingExtraError(
                f"Emulating arm64 takes {_QEMU[0]}, and it is not installed. "
                "On Debian and Ubuntu: apt-get install qemu-user-static"
            )
        key = content_hash([SUITE, PACKAGES, WHEELS])[:12]
        folder = (cache or cache_folder()) / "arm64" / key
        if not folder.is_dir():
            _make(folder)
        return cls(folder, qemu)

    def run_python(self, script: Path, *arguments: str | Path) -> None:
        """Run a script with the emulated Python, which sees NumPy, ONNX Runtime and nothing else.

        Raises:
            subprocess.CalledProcessError: It failed; `stderr` says how.
        """
        start = (
            "import runpy, sys; sys.path.insert(0, sys.argv.pop(1)); del sys.argv[0]; "
            "runpy.run_path(sys.argv[0], run_name='__main__')"
        )
        subprocess.run(
            [
                *(self.qemu, "-L", self.folder, self.folder / _PYTHON, "-I", "-S", "-B", "-c"),
                *(start, self.folder / _SITE, script, *arguments),
            ],
            check=True,
            capture_output=True,
            text=True,
        )


def _make(folder: Path) -> None:
    folder.parent.mkdir(parents=True, exist_ok=True)
    with TemporaryDirectory(prefix=".partial-", dir=folder.parent) as partial:
        root = Path(partial) / folder.name
        root.mkdir()
        _unpack_debian(root)
        _install_wheels(root / _SITE)
        if not folder.is_dir():  # another process may have been faster
            root.rename(folder)


def _unpack_debian(root: Path) -> None:
    for program in ("apt-get", "dpkg-deb"):
        if shutil.which(program) is None:
            raise MissingExtraError(
                f"The arm64 system is made of Debian's packages, which takes {program}. Make it on "
                f"Debian or Ubuntu, and copy it from there to {cache_folder() / 'arm64'}."
            )
    if not _KEYRING.is_file():
        raise MissingExtraError(
            f"Debian's packages are checked with {_KEYRING}, and it is not there. Install it with: "
            "apt-get install debian-archive-keyring"
        )
    apt = root / ".apt"
    for folder in ("lists/partial", "archives/partial"):
        (apt / folder).mkdir(parents=True)
    (apt / "status").touch()
    source = f"deb [arch=arm64 signed-by={_KEYRING}] {_MIRROR} {SUITE} main\n"
    (apt / "sources.list").write_text(source)
    settings = {
        "APT::Architecture": "arm64",
        "APT::Architectures": "arm64",
        "APT::Install-Recommends": "0",
        "APT::Sandbox::User": "",
        "Acquire::Retries": "3",
        "Dir::State": apt,
        "Dir::State::lists": apt / "lists",
        "Dir::State::status": apt / "status",
        "Dir::Cache": apt,
        "Dir::Cache::archives": apt / "archives",
        "Dir::Etc::sourcelist": apt / "sources.list",
        "Dir::Etc::sourceparts": "/dev/null",
    }
    options = [part for name, value in settings.items() for part in ("-o", f"{name}={value}")]
    _fetch(["apt-get", "-q", *options, "update"])
    _fetch(["apt-get", "-q", "-y", *options, "--download-only", "install", *PACKAGES])
    for package in sorted((apt / "archives").glob("*.deb")):
        _fetch(["dpkg-deb", "-x", str(package), str(root)])
    shutil.rmtree(apt)


def _install_wheels(site: Path) -> None:
    wanted = site.with_name("requirements.txt")
    wanted.parent.mkdir(exist_ok=True)
    wanted.write_text("\n".join(WHEELS))
    platforms = [f"--platform=manylinux_2_{minor}_aarch64" for minor in (28, 27, 17)]
    _fetch(
        [
            *(sys.executable, "-m", "pip", "install", "--quiet", "--no-deps"),
            *("--only-binary=:all:", "--implementation=cp", "--python-version=3.11", *platforms),
            *("--require-hashes", "--requirement", str(wanted), "--target", str(site)),
        ]
    )


def _fetch(command: Sequence[str]) -> None:
    found = subprocess.run(command, capture_output=True, text=True, check=False)
    if found.returncode:
        lines = [line for line in found.stderr.splitlines() if line.strip()]
        raise DownloadError(
            f"The arm64 system could not be made: {command[0]} said: "
            f"{lines[-1] if lines else found.returncode}. Check the connection and try again."
        )
