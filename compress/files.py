"""Files that are whole or not there, and what they hash to."""

import hashlib
import os
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import BinaryIO


def write_atomically(path: Path, text: str) -> None:
    """Write `text` so that `path` holds either what it held before or all of it."""
    write_bytes_atomically(path, text.encode())


def write_bytes_atomically(path: Path, data: bytes | memoryview) -> None:
    """Write `data` so that `path` holds either what it held before or all of it."""
    with open_atomically(path) as handle:
        handle.write(data)


@contextmanager
def open_atomically(path: Path) -> Iterator[BinaryIO]:
    """Open a file to write that becomes `path` when all went well, and else leaves it alone."""
    temporary = path.with_name(f".{path.name}.tmp")
    with temporary.open("wb") as handle:
        yield handle
        handle.flush()
        os.fsync(handle.fileno())
    temporary.replace(path)


def file_sha256(path: Path) -> str:
    """Return the sha256 of a file's contents."""
    with path.open("rb") as handle:
        return hashlib.file_digest(handle, "sha256").hexdigest()


def tree_files(path: Path) -> list[Path]:
    """Return the file itself, or every file of a folder in a fixed order; links are not followed.

    Raises:
        FileNotFoundError: There is nothing at `path`.
    """
    if path.is_dir():
        return sorted(one for one in path.rglob("*") if one.is_file() and not one.is_symlink())
    if not path.is_file():
        raise FileNotFoundError(path)
    return [path]


def tree_bytes(path: Path) -> int:
    """Return the size of a file, or of all files of a folder."""
    return sum(one.stat().st_size for one in tree_files(path))


def tree_sha256(path: Path) -> str:
    """Return the sha256 of a file, or of a folder: of its lines `sha256  relative/path`, sorted."""
    if not path.is_dir():
        return file_sha256(path)
    lines = [
        f"{file_sha256(one)}  {one.relative_to(path).as_posix()}\n" for one in tree_files(path)
    ]
    return hashlib.sha256("".join(lines).encode()).hexdigest()
