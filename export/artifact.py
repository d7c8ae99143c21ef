"""One emitted file and what is known about it."""

from dataclasses import asdict, dataclass
from typing import Any

from export.verification import Check


@dataclass(frozen=True)
class Artifact:
    """A file for one format, scheme and target.

    It is usable only after it was run and agreed with the student; a refused one is kept and
    says why.
    """

    path: str
    """Relative to the export stage's folder."""
    inputs: str
    """Which samples it is asked with: see `export.rows.RowFiles`."""
    format: str
    scheme: str
    target: str
    bytes: int
    sha256: str
    check: Check
    unmasked_path: str | None = None
    """Next-item: the same graph with seen items allowed, which the unmasked quality is of."""
    takes_texts: bool = False
    """Whether the tokenizer is inside the graph."""

    @property
    def name(self) -> str:
        """What its row of the report is called."""
        return f"{self.format} {self.scheme}" + (" text-in" if self.takes_texts else "")

    @property
    def usable(self) -> bool:
        """Whether every check was passed."""
        return not self.check.faults

    @property
    def refused_because(self) -> str | None:
        """The checks that failed, in words; None for a usable file."""
        return "; ".join(self.check.faults) or None

    def to_json(self) -> dict[str, Any]:
        """Plain data for `artifacts.json`."""
        return {**asdict(self), "usable": self.usable, "refused_because": self.refused_because}

    @classmethod
    def from_json(cls, data: dict[str, Any]) -> "Artifact":
        """Read back what `to_json` wrote."""
        fields = {name: value for name, value in data.items() if name in cls.__annotations__}
        check = dict(fields.pop("check"))
        check["faults"] = tuple(check["faults"])
        return cls(**fields, check=Check(**check))
