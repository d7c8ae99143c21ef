"""What `artifacts.json` says of an export folder's files, and whether they still are as it says."""

from collections.abc import Iterator
from pathlib import Path

from compress.errors import UserError
from compress.files import tree_bytes, tree_sha256
from export.artifact import Artifact
from export.rows import ARTIFACTS, read_artifacts

EXPORT = "export"
"""Folder of the export stage in a run."""


def export_folder(run_folder: Path) -> Path:
    """Return where a run's files are.

    Args:
        run_folder: The run, its export folder, or a copy of that.

    Raises:
        UserError: It holds none.
    """
    found = find_export_folder(run_folder)
    if found is None:
        raise UserError(
            f"{run_folder} holds no {ARTIFACTS}. Give the folder of a finished run, or its "
            "export folder."
        )
    return found


def find_export_folder(folder: Path) -> Path | None:
    """Return where a run's files are, or None where there are none."""
    places = (folder / EXPORT, folder)
    return next((one for one in places if (one / ARTIFACTS).is_file()), None)


def recorded_artifacts(folder: Path) -> list[Artifact]:
    """Return what an export folder's record lists.

    Raises:
        UserError: It is damaged, or of another version.
    """
    try:
        return read_artifacts(folder)
    except (ValueError, KeyError, TypeError, AttributeError) as error:
        lines = str(error).strip().splitlines() or [""]
        raise UserError(
            f"{folder / ARTIFACTS} is damaged, or of another version of limbeck: "
            f"{type(error).__name__} {lines[0]}. Export the run again."
        ) from error


def damage(folder: Path, artifact: Artifact) -> Iterator[str]:
    """Say what shows of a file without loading it: one that fails here must not be loaded."""
    path = folder / artifact.path
    if not _is_inside(folder, path):
        yield f"{ARTIFACTS} puts it outside of the export folder"
    elif not path.exists():
        yield "it is not there"
    elif artifact.sha256 and tree_bytes(path) != artifact.bytes:
        yield (
            f"it has {tree_bytes(path):,} bytes, and had {artifact.bytes:,} when it was "
            "verified: it is cut off or changed"
        )
    elif artifact.sha256 and (found := tree_sha256(path)) != artifact.sha256:
        yield (
            f"its sha256 is {found[:12]}…, and was {artifact.sha256[:12]}… when it was "
            "verified: it is changed"
        )


def sidecar_damage(folder: Path, artifact: Artifact) -> Iterator[str]:
    """Say which of the files that belong to a file are not as they were."""
    for name in dict.fromkeys((*artifact.sidecars, *artifact.sidecar_sha256)):
        path, expected = folder / name, artifact.sidecar_sha256.get(name)
        if not _is_inside(folder, path):
            yield f"{ARTIFACTS} puts {name}, which belongs to it, outside of the export folder"
        elif not path.exists():
            yield f"{name}, which belongs to it, is not there"
        elif expected is not None and (found := tree_sha256(path)) != expected:
            yield (
                f"{name}, which belongs to it, is changed: its sha256 is {found[:12]}…, and was "
                f"{expected[:12]}… when it was verified"
            )


def _is_inside(folder: Path, path: Path) -> bool:
    return path.resolve().is_relative_to(folder.resolve())
