"""Finding Chromium, and running it without a window until its page is done."""

import os
import shutil
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator
from pathlib import Path
from types import TracebackType
from typing import IO, TYPE_CHECKING, Self

from compress.errors import MissingExtraError, UserError

if TYPE_CHECKING:
    import psutil  # type: ignore[import-untyped]  # it ships no type information

VARIABLE = "LIMBECK_CHROMIUM"
ENABLE = (
    "install Chromium (Debian: apt-get install chromium; macOS: brew install --cask chromium), or "
    f"name one with {VARIABLE}"
)
_COMMANDS = ("chromium", "chromium-browser", "google-chrome", "google-chrome-stable", "chrome")
_MAC = (
    "/Applications/Chromium.app/Contents/MacOS/Chromium",
    "/Applications/Google Chrome.app/Contents/MacOS/Google Chrome",
)
_FLAGS = (
    "--headless",
    "--disable-quic",
    "--no-first-run",
    "--no-default-browser-check",
    "--disable-background-networking",
    "--disable-component-update",
    "--disable-sync",
    "--disable-extensions",
    "--disable-breakpad",
    "--disable-crash-reporter",
    # Containers give /dev/shm 64 MB.
    "--disable-dev-shm-usage",
    # A page that nobody looks at is slowed down otherwise.
    "--disable-background-timer-throttling",
    "--disable-backgrounding-occluded-windows",
    "--disable-renderer-backgrounding",
    # Nothing but loopback is ever asked.
    "--no-proxy-server",
    "--host-resolver-rules=MAP * ~NOTFOUND , EXCLUDE 127.0.0.1",
)
_VULKAN = ("--enable-features=Vulkan", "--use-angle=vulkan") if sys.platform == "linux" else ()
_WITH_GPU = ("--enable-unsafe-webgpu", *_VULKAN)
_FOLDER = "limbeck-browser-"
_ABANDONED_S = 86_400
_LONGEST = 24
"""Characters of the temporary folder's path: a socket's has at most 103 on macOS, and Chromium
takes `tmp/org.chromium.Chromium.XXXXXX/SingletonSocket` of them below a folder of ours."""
_STDERR = "stderr"
_LAST_LINES = 6
_END_S = 10.0


def find_chromium() -> Path | None:
    """Return the Chromium, or a browser made of it, that this machine has."""
    if named := os.environ.get(VARIABLE):
        found = shutil.which(named)
        return None if found is None else Path(found)
    for command in _COMMANDS:
        if found := shutil.which(command):
            return Path(found)
    if sys.platform == "darwin":
        return next((Path(one) for one in _MAC if Path(one).is_file()), None)
    return None


def chromium_obstacle() -> str | None:
    """What keeps Chromium from running here, in words; None: nothing known."""
    if find_chromium() is not None:
        return None
    if named := os.environ.get(VARIABLE):
        return f"{VARIABLE} names {named}, which is no program"
    return f"Chromium not found: {ENABLE}"


def remove_abandoned(now: float | None = None) -> None:
    """Remove what processes that were killed left of their browsers a day ago or earlier.

    Their pages closed themselves, and with them the browsers, when there was nobody left to ask.
    """
    limit = (time.time() if now is None else now) - _ABANDONED_S
    for folder in _temporary().glob(f"{_FOLDER}*"):
        try:
            is_old = folder.lstat().st_mtime < limit
        except OSError:
            continue
        if is_old and folder.is_dir() and not folder.is_symlink() and not _naming(folder):
            shutil.rmtree(folder, ignore_errors=True)


def _temporary() -> Path:
    """Return where folders of browsers go: Chromium's socket in them has to have a short path."""
    usual, short = Path(tempfile.gettempdir()), Path("/tmp")
    return short if len(str(usual)) > _LONGEST and os.access(short, os.W_OK) else usual


def _naming(folder: Path | None) -> "list[psutil.Process]":
    """Return the processes whose command line names a folder."""
    import psutil

    return [
        process
        for process in psutil.process_iter(["cmdline"])
        if any(f"{folder}{os.sep}" in part for part in process.info["cmdline"] or ())
    ]


class Chromium:
    """Headless Chromium with one page open and a profile of its own, as a context manager.

    Whatever ends the `with` ends the browser with all of its processes and removes the profile.
    """

    def __init__(self, address: str, *, gpu: bool = False) -> None:
        """Say what to open; nothing runs before `with`.

        Args:
            address: Of the page.
            gpu: Let it use the GPU, as WebGPU takes.
        """
        self.address = address
        self.gpu = gpu
        self._folder: Path | None = None
        self._process: subprocess.Popen[bytes] | None = None
        self._log: IO[bytes] | None = None

    def __enter__(self) -> Self:
        program = find_chromium()
        if program is None:
            raise MissingExtraError(f"{chromium_obstacle()}")
        remove_abandoned()
        self._folder = folder = Path(tempfile.mkdtemp(prefix=_FOLDER, dir=_temporary()))
        try:
            for name in ("profile", "home", "tmp"):
                (folder / name).mkdir()
            self._log = (folder / _STDERR).open("wb")
            self._process = subprocess.Popen(
                [str(program), *self._flags(folder), self.address],
                # What it writes beside its profile goes into the folder that is removed.
                env=os.environ | {"HOME": str(folder / "home"), "TMPDIR": str(folder / "tmp")},
                stdin=subprocess.DEVNULL,
                stdout=subprocess.DEVNULL,
                stderr=self._log,
                start_new_session=True,  # Ctrl-C is ours; `__exit__` ends the browser.
            )
        except OSError as error:
            self._close()
            raise UserError(f"{program} does not start: {error}. Instead: {ENABLE}") from error
        except BaseException:
            self._close()
            raise
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        traceback: TracebackType | None,
    ) -> None:
        self._close()

    @property
    def has_ended(self) -> bool:
        """Whether the browser is gone although nobody closed it."""
        return self._process is None or self._process.poll() is not None

    def last_words(self) -> str:
        """What it said on stderr, the last lines."""
        if self._folder is None:
            return ""
        said = (self._folder / _STDERR).read_text(errors="replace").strip().splitlines()
        return "\n".join(said[-_LAST_LINES:])

    def cpu_seconds(self) -> float:
        """CPU time that all of its processes took so far."""
        import psutil

        total = 0.0
        for process in self._processes():
            try:
                times = process.cpu_times()
            except psutil.Error:
                continue
            total += times.user + times.system
        return total

    def _flags(self, folder: Path) -> Iterator[str]:
        yield from _FLAGS
        yield from _WITH_GPU if self.gpu else ("--disable-gpu",)
        yield f"--user-data-dir={folder / 'profile'}"
        if hasattr(os, "geteuid") and os.geteuid() == 0:
            yield "--no-sandbox"  # Chromium refuses to run as root with its sandbox.

    def _processes(self) -> "list[psutil.Process]":
        """The browser's processes: its own, their children, and whoever names its folder."""
        import psutil

        found = []
        if self._process is not None and self._process.poll() is None:
            try:
                own = psutil.Process(self._process.pid)
                found = [own, *own.children(recursive=True)]
            except psutil.Error:
                pass
        # A child whose parent ended is nobody's child any more, but still names our profile.
        known = set(found)
        return [*found, *(one for one in _naming(self._folder) if one not in known)]

    def _close(self) -> None:
        """End every process and remove the folder; harmless to repeat."""
        import psutil

        if self._folder is None:
            return
        processes = self._processes()
        for process in processes:
            try:
                process.kill()
            except psutil.Error:
                continue
        psutil.wait_procs(processes, timeout=_END_S)
        if self._process is not None:
            self._process.wait(timeout=_END_S)
        if self._log is not None:
            self._log.close()
        shutil.rmtree(self._folder, ignore_errors=True)
        self._folder = self._process = self._log = None
