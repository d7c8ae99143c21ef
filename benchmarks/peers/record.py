"""What the stage that measures peers leaves for the report."""

import json
from collections.abc import Mapping
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any, Literal, get_args

from compress.errors import UserError
from compress.files import write_atomically
from export.runner import Runtime

STAGE = "peers"
"""Of a run: its folder."""
RECORD = "peers.json"
TURNS = "turns.npz"
"""`arr_0`... int64 `[restarts, rounds, queries]`: nanoseconds of each model of
`PeersRecord.in_turn`."""
TEACHER = "teacher"
"""Name of its row."""
EAGER = "student"
"""Name of the row that PyTorch eager is: the student's own."""


@dataclass(frozen=True)
class PeerRoute:
    """How a peer was made."""

    name: str
    """Of its row."""
    typed: str
    """What a user would type, without paths of any machine."""
    made_with: Mapping[str, str]
    """Versions of the packages that wrote it or answer."""


@dataclass(frozen=True)
class PeerNotMeasured:
    """A peer without figures, and why."""

    name: str
    because: str


@dataclass(frozen=True)
class MeasuredPeer:
    """A peer with figures; its evaluation is `<slug>.npz`, its latency `<slug>.json`.

    Raises:
        ValueError: The runtime is none that a file may name, or the slug names no file.
    """

    name: str
    slug: str
    runtime: Runtime
    path: str
    """What its runtime opens, in the stage's folder."""
    sha256: str
    """Of everything that answers."""
    takes: Literal["int32", "int64"]
    bytes: int
    route: PeerRoute
    max_abs_difference: float | None
    """From the student on the verification set; None: it is read off the test split."""

    def __post_init__(self) -> None:
        if self.runtime not in get_args(Runtime):
            raise ValueError(f"it knows no runtime {self.runtime}, which {self.name} has")
        if Path(self.slug).name != self.slug or self.slug in {"", ".."}:
            raise ValueError(f"{self.name} has files outside of the folder")


@dataclass(frozen=True)
class PeersRecord:
    """Everything that was found."""

    peers: tuple[MeasuredPeer, ...]
    not_measured: tuple[PeerNotMeasured, ...]
    ours: tuple[str, ...]
    """Names of our files that were asked in turn with the peers."""
    in_turn: tuple[str, ...]
    """Names of all models that were, in the order of `TURNS`: the teacher, ours, the student,
    peers."""

    def write(self, folder: Path) -> None:
        """Write it into the stage's folder."""
        write_atomically(folder / RECORD, json.dumps(asdict(self), indent=1))

    @classmethod
    def read(cls, folder: Path) -> "PeersRecord":
        """Read it out of the finished stage's folder.

        Raises:
            UserError: It is damaged, of another version, or names files outside of the folder.
        """
        try:
            found = json.loads((folder / RECORD).read_text(encoding="utf-8"))
            return cls(
                peers=tuple(_peer(one, folder.resolve()) for one in found["peers"]),
                not_measured=tuple(PeerNotMeasured(**one) for one in found["not_measured"]),
                ours=tuple(found["ours"]),
                in_turn=tuple(found["in_turn"]),
            )
        except (ValueError, KeyError, TypeError, AttributeError) as error:
            lines = str(error).strip().splitlines() or [""]
            raise UserError(
                f"{folder / RECORD} is damaged, or of another version of limbeck: "
                f"{type(error).__name__} {lines[0]}. Run the recipe again with --peers."
            ) from error


def _peer(entry: Mapping[str, Any], folder: Path) -> MeasuredPeer:
    found = MeasuredPeer(**{**entry, "route": PeerRoute(**entry["route"])})
    if not (folder / found.path).resolve().is_relative_to(folder):
        raise ValueError(f"{found.name} has files outside of the folder")
    return found
