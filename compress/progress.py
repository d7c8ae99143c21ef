"""What a person, or a log, is told while a job runs.

Stages speak to a `Progress`; what becomes of it is decided at the command line.
"""

from collections.abc import Callable
from dataclasses import dataclass, field, replace


class Display:
    """Where progress ends up. This one tells nobody; a terminal's overrides the methods."""

    def stage_started(self, name: str, title: str, resumed: bool) -> None:
        """A stage begins, or goes on after an interruption."""

    def stage_reused(self, name: str) -> None:
        """A stage was finished by an earlier run."""

    def stage_finished(self, name: str, seconds: float) -> None:
        """A stage is complete; `seconds` leaves interruptions out."""

    def stage_advanced(self, note: str, done: float | None) -> None:
        """The running stage has news; `done` is its finished share, 0 to 1, where known."""

    def said(self, message: str) -> None:
        """Something to keep on the screen, such as a warning or the terms of a data set."""


@dataclass(frozen=True)
class Progress:
    """A stage's line to the outside."""

    display: Display = field(default_factory=Display)
    heartbeat: Callable[[], None] | None = None

    def with_heartbeat(self, heartbeat: Callable[[], None]) -> "Progress":
        """The same progress, which also calls `heartbeat` at every news."""
        return replace(self, heartbeat=heartbeat)

    def advance(self, note: str, done: float | None = None, **figures: float) -> None:
        """The running stage has news: a note, the finished share, and figures to show."""
        shown = "  ".join([note, *(f"{name} {_short(value)}" for name, value in figures.items())])
        self.display.stage_advanced(shown, done)
        if self.heartbeat is not None:
            self.heartbeat()

    def say(self, message: str) -> None:
        """Keep a message on the screen."""
        self.display.said(message)


def _short(value: float) -> str:
    return f"{value:.4f}" if abs(value) < 10 else f"{value:,.1f}"
