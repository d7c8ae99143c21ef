"""The pictures of robustness: one a kind of damage, all on one scale."""

from collections.abc import Sequence
from html import escape
from typing import Any

from benchmarks.robustness.data import DamageData, KeptData, RobustnessData, RobustRowData
from compress.metrics import metric_name

AXES = {
    "drop": "events dropped, %",
    "noise": "events that are random items, %",
    "cold": "events left",
    "words-dropped": "words dropped, %",
    "typos": "words misspelt, %",
    "first-words": "words left",
}
"""What stands along the axis of each kind of damage."""
_SYMBOLS = {"teacher": "diamond", "student": "circle", "artifact": "star-triangle-up"}
_APART = 0.018
"""Of the axis: how far models stand apart, so that their bars do not cover each other."""


def robustness_figures(data: RobustnessData) -> dict[str, dict[str, Any]]:
    """Return a picture a kind of damage: what each model keeps of its own metric, with intervals.

    Returns:
        Traces and layouts by the name of the figure, `robustness-drop` and the like.
    """
    kinds = dict.fromkeys(one.kind for one in data.damages)
    highs = [a.kept.high for one in data.damages for a in one.answers if a.kept is not None]
    top = 105.0 * max([1.0, *highs])
    figures: dict[str, dict[str, Any]] = {}
    for kind in kinds:
        damages = [one for one in data.damages if one.kind == kind]
        places, labels = _places(damages)
        wide = (places[-1] - places[0]) * _APART
        figures[f"robustness-{kind}"] = {
            "traces": [
                _trace(row, [one.answers[number] for one in damages], places, offset * wide)
                for number, row in enumerate(data.rows)
                for offset in (number - (len(data.rows) - 1) / 2,)
            ],
            "layout": {
                "xaxis": {
                    "title": {"text": AXES[kind]},
                    "tickvals": places,
                    "ticktext": labels,
                },
                "yaxis": {
                    "title": {"text": f"{metric_name(data.metric)} kept, %"},
                    "range": [0.0, top],
                },
            },
            "shares_legend": True,  # the page has one for all
        }
    return figures


def _places(damages: Sequence[DamageData]) -> tuple[list[float], list[str]]:
    """Return where damages stand, the undamaged inputs first: shares to scale, numbers in order."""
    if damages[0].kind in ("cold", "first-words"):
        labels = ["all", *(f"{one.level:.0f}" for one in damages)]
        return [float(place) for place in range(len(labels))], labels
    shares = [0.0, *(100.0 * one.level for one in damages)]
    return shares, [f"{one:.0f}" for one in shares]


def _trace(
    row: RobustRowData, answers: Sequence[KeptData], places: Sequence[float], offset: float
) -> dict[str, Any]:
    """Return a model's line; the undamaged inputs are 100% by definition and have no bar."""
    shown = [
        (place, answer.kept)
        for place, answer in zip(places[1:], answers, strict=True)
        if answer.kept is not None
    ]
    kept = [one for _, one in shown]
    return {
        "type": "scatter",
        "mode": "lines+markers",
        "name": escape(row.name, quote=False),
        "x": [place + offset for place in (places[0], *(place for place, _ in shown))],
        "y": [100.0, *(100.0 * one.value for one in kept)],
        "error_y": {
            "type": "data",
            "symmetric": False,
            "array": [0.0, *(100.0 * (one.high - one.value) for one in kept)],
            "arrayminus": [0.0, *(100.0 * (one.value - one.low) for one in kept)],
            "thickness": 1.25,
            "width": 3,
        },
        "line": {"width": 1.5},
        "marker": {"symbol": _SYMBOLS[row.role], "size": 8},
        "text": [
            "undamaged",
            *(f"[{100 * one.low:.1f}, {100 * one.high:.1f}]" for one in kept),
        ],
        "hovertemplate": "%{y:.1f}% %{text}",
        "meta": {"colour": row.role},
    }
