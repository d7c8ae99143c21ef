"""What the report says of peers: rows measured like any other, and each one beside our files."""

from collections.abc import Mapping
from pathlib import Path
from statistics import median
from typing import TYPE_CHECKING, Any

import numpy as np
from numpy.typing import NDArray

from benchmarks.measurement import PeerComparison, Row
from benchmarks.peers.record import (
    EAGER,
    STAGE,
    TEACHER,
    TURNS,
    MeasuredPeer,
    PeerNotMeasured,
    PeerRoute,
    PeersRecord,
)
from benchmarks.stages.report import fidelity_of
from benchmarks.stages.subjects import read_json, subjects
from benchmarks.text_quality import TextEvaluation
from benchmarks.timing.timing import Timing
from compress.metrics import Interval
from compress.stage import StageContext

if TYPE_CHECKING:
    from benchmarks.report.build import Measured


def peer_rows(context: StageContext[Any], evaluations: Mapping[str, Any]) -> "list[Measured]":
    """Return the peers' rows; none where no peer was asked for.

    Args:
        context: Of the report's stage.
        evaluations: Of the other rows, by their slug; teacher and student among them.
    """
    from benchmarks.report.build import Measured

    record = _record(context)
    if record is None:
        return []
    folder, turns = context.inputs[STAGE], _turns(context, record)
    rows = []
    for peer in record.peers:
        own = _evaluation(context, peer, evaluations)
        row = Row(
            name=peer.name,
            role="peer",
            bytes=peer.bytes,
            latency=Timing.from_json((folder / f"{peer.slug}.json").read_text(encoding="utf-8")),
            quality=own.quality(context.recipe.benchmark.bootstrap, context.recipe.seed),
            fidelity=fidelity_of(
                "peer", own, evaluations, _difference(own, evaluations, peer.max_abs_difference)
            ),
            cold_start_ms=median(read_json(folder / cold_file(peer.slug))),
            p90_ratio_to_teacher=_ratio(turns[peer.name], turns[TEACHER]),
        )
        rows.append(Measured(row, own.statistics()))
    return rows


def peer_comparisons(
    context: StageContext[Any], evaluations: Mapping[str, Any]
) -> list[PeerComparison]:
    """Hold each of our files that was asked in turn with them against every peer.

    PyTorch eager comes first, then the peers in their order.

    Args:
        context: Of the report's stage.
        evaluations: Of the other rows, by their slug; student and our files among them.
    """
    record = _record(context)
    if record is None:
        return []
    of = _turns(context, record)
    student = evaluations["student"]
    faith: dict[str, tuple[float, float | None]] = {EAGER: (1.0, 0.0)}
    for peer in record.peers:
        own = _evaluation(context, peer, evaluations)
        difference = _difference(own, evaluations, peer.max_abs_difference)
        faith[peer.name] = (own.agreement(student), difference)
    for row in subjects(context.inputs["export"]):
        if row.name in record.ours and row.artifact is not None:
            own = evaluations[row.slug]
            checked = row.artifact.check.max_abs_difference
            faith[row.name] = (own.agreement(student), _difference(own, evaluations, checked))
    return [
        PeerComparison(
            ours=ours,
            peer=peer,
            p90_ratio=_ratio(of[ours], of[peer]),
            rounds=of[ours].shape[0] * of[ours].shape[1],
            restarts=len(of[ours]),
            agreement_ours=faith[ours][0],
            agreement_peer=faith[peer][0],
            max_abs_difference_ours=faith[ours][1],
            max_abs_difference_peer=faith[peer][1],
        )
        for ours in record.ours
        for peer in record.in_turn
        if peer not in (TEACHER, *record.ours)
    ]


def peer_routes(context: StageContext[Any]) -> list[PeerRoute]:
    """Return how each measured peer was made."""
    record = _record(context)
    return [] if record is None else [peer.route for peer in record.peers]


def peers_not_measured(context: StageContext[Any]) -> list[PeerNotMeasured]:
    """Return which peers have no figures, and why."""
    record = _record(context)
    return [] if record is None else list(record.not_measured)


def cold_file(slug: str) -> str:
    """Name the file with a peer's cold starts, milliseconds."""
    return f"{slug}.cold-start.json"


def _turns(context: StageContext[Any], record: PeersRecord) -> dict[str, NDArray[np.int64]]:
    """Return what each model took in each round, by its name."""
    with np.load(context.inputs[STAGE] / TURNS, allow_pickle=False) as stored:
        return {name: stored[f"arr_{number}"] for number, name in enumerate(record.in_turn)}


def _ratio(own: NDArray[np.int64], other: NDArray[np.int64]) -> Interval:
    from benchmarks.timing.turns import percentile_ratio

    return percentile_ratio(own, other)


def _record(context: StageContext[Any]) -> PeersRecord | None:
    folder: Path | None = context.inputs.get(STAGE)
    return None if folder is None else PeersRecord.read(folder)


def _evaluation(
    context: StageContext[Any], peer: MeasuredPeer, evaluations: Mapping[str, Any]
) -> Any:
    """Read what a peer answered: it is of the same kind as what the student did."""
    return type(evaluations["student"]).load(context.inputs[STAGE] / f"{peer.slug}.npz")


def _difference(own: Any, evaluations: Mapping[str, Any], checked: float | None) -> float | None:
    """Over the test texts; of rankings, as it was seen on the verification set."""
    if isinstance(own, TextEvaluation):
        return own.max_abs_difference(evaluations["student"])
    return checked
