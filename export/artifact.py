"""One emitted file and what is known about it; and one that could not be written."""

from collections.abc import Mapping
from dataclasses import asdict, dataclass, field, fields
from typing import Any

from export.runner import Runtime
from export.verification import Check


@dataclass(frozen=True)
class Artifact:
    """A file (or a folder that is one, such as an `.mlpackage`) for one format, scheme and target.

    It is usable only after it was run, or evaluated where no runtime exists here, and agreed with
    the student; a refused one is kept and says why. One that could only be parsed is neither.
    """

    name: str
    """What its row of the report is called."""
    path: str
    """Relative to the export stage's folder."""
    inputs: str
    """Which samples it is asked with: see `export.rows.RowFiles`."""
    format: str
    scheme: str
    target: str
    runtime: Runtime
    bytes: int
    sha256: str
    """See `compress.files.tree_sha256`."""
    check: Check
    signature: Mapping[str, str]
    """What its metadata says: see `export.signature`."""
    unmasked_path: str | None = None
    """Next-item: the same graph with seen items allowed, which the unmasked quality is of."""
    takes_texts: bool = False
    """Whether the tokenizer is inside the graph."""
    sidecars: tuple[str, ...] = ()
    """Files that belong to it, relative likewise."""
    sidecar_sha256: Mapping[str, str] = field(default_factory=dict)
    """Of each of them, by its path."""
    details: Mapping[str, Any] = field(default_factory=dict)
    """What its format has to say of it."""

    @property
    def was_run(self) -> bool:
        """Whether its own runtime answered here, so that it has a latency."""
        return self.check.agreement is not None and self.check.checked == "run"

    @property
    def usable(self) -> bool:
        """Whether it answered and passed every check."""
        return not self.check.faults and self.check.checked != "parsed"

    @property
    def refused_because(self) -> str | None:
        """The checks that failed, in words; None where none did."""
        return "; ".join(self.check.faults) or None

    def to_json(self) -> dict[str, Any]:
        """Plain data for `artifacts.json`."""
        return {**asdict(self), "usable": self.usable, "refused_because": self.refused_because}

    @classmethod
    def from_json(cls, data: dict[str, Any]) -> "Artifact":
        """Read back what `to_json` wrote.

        Raises:
            TypeError: Something is missing.
            KeyError: Likewise.
        """
        known = {one.name for one in fields(cls)}
        found = {name: value for name, value in data.items() if name in known}
        check = dict(found.pop("check"))
        check["faults"] = tuple(check["faults"])
        found["sidecars"] = tuple(found["sidecars"])
        return cls(**found, check=Check(**check))


@dataclass(frozen=True)
class NotWritten:
    """A file that the recipe asks for and that cannot be written here."""

    name: str
    format: str
    scheme: str
    because: str
    """In one line: what stands in the way, and what can be had instead."""
    optional: bool
    """Whether the recipe can do without."""
