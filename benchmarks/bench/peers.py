"""The peers of a run as models that take part in a bench."""

from pathlib import Path
from typing import get_args

from benchmarks.bench.entrant import VERIFIED_WITH, Entrant, verified_with
from benchmarks.peers.record import EAGER, RECORD, STAGE, MeasuredPeer, PeersRecord
from compress.errors import UserError
from export.peers.catalogue import PEERS
from export.peers.peer import native_samples
from export.record import EXPORT, find_export_folder
from export.rows import read_rows
from export.runner import RunnerSpec, Runtime

EAGER_NAME = "PyTorch eager"


def run_folder(path: Path) -> Path | None:
    """Return the run that a path is of; None where it is a file, or a bare export folder."""
    found = path if path.exists() else Path("runs") / path
    is_run = found.is_dir() and find_export_folder(found) == found / EXPORT
    return found if is_run else None


def peer_entrants(path: Path) -> list[Entrant]:
    """Return the student in PyTorch, and the peers that a run has measured beside its files.

    Raises:
        UserError: It is no run, or has none.
    """
    folder = run_folder(path)
    if folder is None or not (folder / STAGE / RECORD).is_file():
        raise UserError(
            f"{path} is no run that has measured peers. Name a run; its peers are measured with: "
            "limbeck run RECIPE --peers"
        )
    peers = PeersRecord.read(folder / STAGE).peers
    return [_eager(folder), *(_peer(folder, one) for one in peers)]


def _eager(folder: Path) -> Entrant:
    """The student's own row, asked in the types that a user of PyTorch has."""
    (row,) = (one for one in read_rows(folder / EXPORT) if one.name == EAGER)
    samples, expected, _ = verified_with(folder / EXPORT, False)
    return Entrant(
        name=EAGER_NAME,
        spec=RunnerSpec(_known(row.name, row.runtime), str((folder / EXPORT / row.path).resolve())),
        samples=native_samples(samples, "int64"),
        asked_with=VERIFIED_WITH,
        bytes=row.bytes,
        sha256=row.sha256,
        run=folder.name,
        verified_in=str((folder / EXPORT).resolve()),
        expected=expected,
    )


def _peer(folder: Path, peer: MeasuredPeer) -> Entrant:
    place = (folder / STAGE).resolve()
    path = (place / peer.path).resolve()
    if not path.is_relative_to(place):
        raise UserError(f"{folder / STAGE / RECORD} puts {peer.name} outside of its folder.")
    samples, expected, _ = verified_with(folder / EXPORT, False)
    obstacles = {one.name: one.obstacle for one in PEERS}
    return Entrant(
        name=peer.name,
        spec=RunnerSpec(_known(peer.name, peer.runtime), str(path)),
        samples=native_samples(samples, peer.takes),
        asked_with=VERIFIED_WITH,
        bytes=peer.bytes,
        sha256=peer.sha256,
        run=folder.name,
        verified_in=str((folder / EXPORT).resolve()),
        expected=expected,
        cannot_run=(obstacles[peer.name]() or "") if peer.name in obstacles else "",
    )


def _known(name: str, runtime: Runtime) -> Runtime:
    """Refuse what a run's files cannot name: a runtime that is somebody's code."""
    if runtime not in get_args(Runtime):
        raise UserError(f"{name}: limbeck knows no runtime {runtime}.")
    return runtime
