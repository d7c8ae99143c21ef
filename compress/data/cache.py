"""The folder that downloads are kept in: whole and checked, or not there."""

import errno
import os
import tempfile
from collections.abc import Callable
from pathlib import Path

from compress.errors import DownloadError


def cache_folder() -> Path:
    """Return where downloads are kept: `LIMBECK_CACHE`, else the user's cache folder."""
    if chosen := os.environ.get("LIMBECK_CACHE"):
        return Path(chosen).expanduser()
    if user_cache := os.environ.get("XDG_CACHE_HOME"):
        return Path(user_cache) / "limbeck"
    return Path.home() / ".cache" / "limbeck"


def store(name: str, folder: Path, fetch: Callable[[Path, Path], None]) -> None:
    """Fetch something into the cache.

    Args:
        name: What it is called, for the error message.
        folder: Its final place; not there yet.
        fetch: Given an existing folder to work in and one to make, with the content; both are
            beside the final place.

    Raises:
        DownloadError: No space is left, or writing is not permitted. Nothing is left behind then.
    """
    try:
        folder.parent.mkdir(parents=True, exist_ok=True)
        # Beside the final place, because a rename is only atomic within one file system.
        with tempfile.TemporaryDirectory(dir=folder.parent, prefix=".download-") as work:
            content = Path(work) / "content"
            fetch(Path(work), content)
            _rename(content, folder)
    except OSError as error:
        what = "the disk is full" if error.errno == errno.ENOSPC else error.strerror or str(error)
        raise DownloadError(
            f"{name} could not be stored in {folder.parent}: {what}. "
            "Free some space or permit writing there, or set LIMBECK_CACHE to another folder."
        ) from error


def _rename(content: Path, folder: Path) -> None:
    try:
        content.rename(folder)
    except OSError:
        # Another process was faster; what it put there passed the same checks.
        if not folder.is_dir():
            raise
