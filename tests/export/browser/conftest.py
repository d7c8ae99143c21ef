"""Programs that stand in for npm and for a browser, and the real ones."""

import pytest

from compress.errors import DownloadError
from export.browser.chromium import chromium_obstacle
from export.browser.install import install_browser


@pytest.fixture
def program(tmp_path):
    """`program(name, script)`: a shell script in a folder of its own; returns its path."""

    def program(name, script):
        folder = tmp_path / "programs"
        folder.mkdir(exist_ok=True)
        path = folder / name
        path.write_text(f"#!/bin/sh\n{script}\n")
        path.chmod(0o755)
        return path

    return program


@pytest.fixture(scope="session")
def browser():
    """Chromium and onnxruntime-web, or a skipped test."""
    if (obstacle := chromium_obstacle()) is not None:
        pytest.skip(obstacle)
    try:
        return install_browser(lambda line: None)
    except DownloadError as error:
        pytest.skip(f"onnxruntime-web cannot be fetched: {error}")
