"""Files that are whole or not there, and what they hash to."""

import hashlib
import os
from pathlib import Path


def write_atomically(path: Path, text: str) -> None:
    """Write `text` so that `path` holds either what it held before or all of it."""
    temporary = path.with_name(f".{path.name}.tmp")
    with temporary.open("w", encoding="utf-8") as handle:
        handle.write(text)
        handle.flush()
        os.fsync(handle.fileno())
    temporary.replace(path)


def file_sha256(path: Path) -> str:
    """Return the sha256 of a file's contents."""
    with path.open("rb") as handle:
        return hashlib.file_digest(handle, "sha256").hexdigest()
