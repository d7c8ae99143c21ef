"""What report.json says of peers, beside their rows."""

from pydantic import NonNegativeFloat, PositiveInt

from benchmarks.report.shape import IntervalData, Shape, Share


class PeerComparisonData(Shape):
    """One of our files and one peer, asked in turn in one session."""

    ours: str
    """Name of our row."""
    peer: str
    """Name of the peer's row; `student`: the student in PyTorch, eagerly."""
    p90_ratio: IntervalData
    """Our p90 latency divided by the peer's; below 1 is faster. The interval is over restarts."""
    rounds: PositiveInt
    """How often both were asked..."""
    restarts: PositiveInt = 1
    """...by so many processes of each; 1 in reports of before, whose interval is over rounds."""
    agreement_ours: Share
    """Share of the test split's answers that our file has in common with the student."""
    agreement_peer: Share
    max_abs_difference_ours: NonNegativeFloat | None
    """Largest difference of an answer's number from the student's."""
    max_abs_difference_peer: NonNegativeFloat | None


class PeerRouteData(Shape):
    """How a peer was made."""

    name: str
    """Of its row."""
    typed: str
    """What a user would type, without paths."""
    made_with: dict[str, str]
    """Versions of the packages that wrote it or answer."""


class PeerNotMeasuredData(Shape):
    """A peer without figures."""

    name: str
    because: str
