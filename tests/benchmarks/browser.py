"""Opens a page in Chromium and says what came of it."""

import shutil
import subprocess
from dataclasses import dataclass
from pathlib import Path

import pytest

from compress.errors import DownloadError
from export.browser.install import install_browser

CHROMIUM = next(filter(None, map(shutil.which, ("chromium", "chromium-browser"))), None)
FLAGS = (
    "--headless",
    "--no-sandbox",
    "--disable-gpu",
    "--disable-quic",
    "--no-first-run",
    "--disable-background-networking",
    "--disable-component-update",
    "--disable-sync",
    "--allow-file-access-from-files",
    "--enable-logging=stderr",
    "--v=0",
    "--window-size=1280,900",
    "--virtual-time-budget=5000",
    "--dump-dom",
)


@dataclass(frozen=True)
class Opened:
    """What came of a page once its scripts had run."""

    document: str
    console: tuple[str, ...]

    def points(self, figure: str) -> int:
        """Points that Plotly drew in one of the page's pictures."""
        picture = self.document.partition(f'data-figure="{figure}"')[2].partition("</section>")[0]
        return picture.count('class="point"')


def open_page(page: Path, profile: Path) -> Opened:
    done = subprocess.run(
        [
            CHROMIUM,
            *FLAGS,
            f"--user-data-dir={profile}",
            page.as_uri(),
        ],
        capture_output=True,
        text=True,
        timeout=60,
        check=True,
    )
    console = tuple(line for line in done.stderr.splitlines() if "CONSOLE" in line)
    return Opened(done.stdout, console)


def faults(opened: Opened, rows: int) -> list[str]:
    """What is wrong with a report as opened; nothing in a good one."""
    missing = [] if opened.points("trade-off") == rows else ["the picture is not drawn"]
    return [*missing, *opened.console]


def opened(text: str, folder: Path) -> Opened:
    (folder / "report.html").write_text(text, encoding="utf-8")
    return open_page(folder / "report.html", folder / "profile")


needs_chromium = pytest.mark.skipif(
    CHROMIUM is None, reason="Chromium is not installed (Debian: apt-get install chromium)"
)


def web_runtime() -> Path:
    """The folder of onnxruntime-web, fetched if it must be; without it the test is skipped."""
    try:
        return install_browser(lambda line: None)
    except DownloadError as error:
        pytest.skip(f"onnxruntime-web cannot be fetched: {error}")
