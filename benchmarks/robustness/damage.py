"""What is done to an input before a model is asked, to see how much of its quality it keeps."""

from dataclasses import dataclass
from typing import Literal

DamageKind = Literal["none", "drop", "noise", "cold", "words-dropped", "typos", "first-words"]

_SHARES = (0.1, 0.3, 0.5)
_NAMES = {
    "drop": "events dropped",
    "noise": "events random",
    "words-dropped": "words dropped",
    "typos": "words misspelt",
}


@dataclass(frozen=True)
class Damage:
    """One kind of damage, and how much of it.

    Raises:
        ValueError: The level does not fit the kind.
    """

    kind: DamageKind
    level: float = 0.0
    """Share of the events or words that are damaged, 0...1; for `cold` and `first-words` how many
    are left."""

    def __post_init__(self) -> None:
        if self.counts_what_is_left:
            fits = self.level == int(self.level) and self.level >= 0
        else:
            fits = 0.0 < self.level < 1.0 if self.kind != "none" else self.level == 0.0
        if not fits:
            raise ValueError(f"{self.level} is no level of {self.kind}")

    @property
    def counts_what_is_left(self) -> bool:
        """Whether the level is a number of events or words, and not a share."""
        return self.kind in ("cold", "first-words")

    @property
    def name(self) -> str:
        """What a person reads: `30% of events dropped`, `last 3 events`."""
        count = f"{self.level:.0f}"
        if self.kind == "none":
            return "undamaged"
        if self.kind == "cold":
            if not self.level:
                return "no events"
            return "last event" if self.level == 1 else f"last {count} events"
        if self.kind == "first-words":
            return "first word" if self.level == 1 else f"first {count} words"
        return f"{self.level:.0%} of {_NAMES[self.kind]}"

    @property
    def slug(self) -> str:
        """Names the files: `drop-30`, `cold-3`."""
        if self.kind == "none":
            return "undamaged"
        level = self.level if self.counts_what_is_left else 100 * self.level
        return f"{self.kind}-{level:g}"


UNDAMAGED = Damage("none")
HISTORY_DAMAGES: tuple[Damage, ...] = (
    *(Damage("drop", share) for share in _SHARES),
    *(Damage("noise", share) for share in _SHARES),
    *(Damage("cold", events) for events in (4, 3, 2, 1, 0)),
)
"""Of histories, mild before severe."""
TEXT_DAMAGES: tuple[Damage, ...] = (
    *(Damage("words-dropped", share) for share in _SHARES),
    *(Damage("typos", share) for share in _SHARES),
    *(Damage("first-words", words) for words in (4, 3, 2, 1)),
)
"""Of texts, likewise."""
