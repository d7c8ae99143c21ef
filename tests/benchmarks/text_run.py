"""A text-label run as it might have been measured: 20 classes of clothes, many of them rare."""

import numpy as np
from numpy.typing import NDArray

from benchmarks.measurement import (
    CheckFigures,
    EmittedFile,
    Fidelity,
    PeerComparison,
    Quality,
    Row,
)
from benchmarks.peers.record import PeerNotMeasured, PeerRoute
from benchmarks.report.build import Measured, ReportInputs
from benchmarks.report.text_protocol import text_protocol_lines
from compress.metrics import Interval, bootstrap, classification_statistics, per_class_table
from compress.recipe import TextLabelRecipe

from .machine import ENVIRONMENT, latency

TEXTS_OF = {
    "Blouses": 465,
    "Casual bottoms": 1,
    "Chemises": 0,
    "Dresses": 948,
    "Fine gauge": 165,
    "Intimates": 23,
    "Jackets": 106,
    "Jeans": 172,
    "Knits": 726,
    "Layering": 22,
    "Legwear": 25,
    "Lounge": 104,
    "Outerwear": 49,
    "Pants": 208,
    "Shorts": 48,
    "Skirts": 142,
    "Sleep": 34,
    "Sweaters": 214,
    "Swim": 52,
    "Trend": 18,
}
"""Test texts of each class."""
GROUPS = 171
RECIPE = {
    "name": "womens-clothing",
    "data": {"source": {"kind": "womens-clothing"}, "split": {"kind": "grouped"}},
    "task": {"kind": "text-label", "max_length": 96},
    "student": {"kind": "bert"},
    "benchmark": {"bootstrap": 200},
    "budget": {"megabytes": 5, "kept_quality": 0.97},
}
SPLIT_RULE = {
    "kind": "grouped",
    "validation": 0.1,
    "test": 0.15,
    "seed": 1,
    "group": "Clothing ID",
}
_RANDOM = np.random.default_rng(1)
TARGETS = _RANDOM.permutation(np.repeat(np.arange(20), list(TEXTS_OF.values())))
TEXT_GROUPS = _RANDOM.integers(0, GROUPS, len(TARGETS))
_EASE = _RANDOM.normal(size=len(TARGETS))
_CONFUSION = _RANDOM.normal(size=(20, 20)).cumsum(axis=0)


def probabilities(skill: float, seed: int) -> NDArray[np.float32]:
    """Answers of a model: the harder texts, and the rarer classes, are confused."""
    noise = np.random.default_rng(seed).normal(size=(len(TARGETS), 20))
    frequency = np.log(np.array(list(TEXTS_OF.values())) + 5.0)
    logits = 0.4 * _CONFUSION[TARGETS] + 1.1 * noise + 0.9 * frequency
    logits[np.arange(len(TARGETS)), TARGETS] += skill + 1.6 * _EASE
    exponentials = np.exp(logits - logits.max(axis=1, keepdims=True))
    return (exponentials / exponentials.sum(axis=1, keepdims=True)).astype(np.float32)


def measured(
    name: str,
    role: str,
    *,
    skill: float,
    seed: int,
    p50: float,
    size: int,
    memory: float = 96.0,
    scheme: str | None = None,
    fidelity: Fidelity | None = None,
) -> Measured:
    """A row with what it answered."""
    answers = probabilities(skill, seed)
    found = classification_statistics(answers, TARGETS, TEXT_GROUPS)
    file = None
    if scheme is not None:
        path = f"export/{name.replace(' ', '-').replace(',', '')}.onnx"
        check = CheckFigures(256, fidelity.student, fidelity.max_abs_difference, 0.0, 2e-3)
        file = EmittedFile(path, "onnx", scheme, "cpu", "cd" * 32, usable=True, check=check)
    row = Row(
        name=name,
        role=role,
        bytes=size,
        latency=latency(p50, 1024, memory, load=p50 * 8),
        quality=Quality(
            metrics=bootstrap(found, 200, 1),
            cases=len(TARGETS),
            classes=dict(zip(TEXTS_OF, per_class_table(answers, TARGETS), strict=True)),
        ),
        fidelity=fidelity,
        file=file,
    )
    return Measured(row, found)


def compared(
    ours: str, peer: str, ratio: Interval, agreement: float, difference: float
) -> PeerComparison:
    """Our int8 file beside a peer."""
    return PeerComparison(
        ours=ours,
        peer=peer,
        p90_ratio=ratio,
        rounds=12,
        restarts=4,
        agreement_ours=0.987,
        agreement_peer=agreement,
        max_abs_difference_ours=0.041,
        max_abs_difference_peer=difference,
    )


def text_inputs() -> ReportInputs:
    """Everything that a report is made of."""
    recipe = TextLabelRecipe.model_validate(RECIPE)
    int8, plain = "onnx int8-dynamic", "Optimum int8 (plain)"

    def curve(first: float, best: float, epochs: int) -> list[dict[str, float]]:
        return [
            {
                "epoch": epoch,
                "loss": 0.4 + 1.9 * 0.6**epoch,
                "validation_macro_f1": best - (best - first) * 0.5 ** (epoch - 1),
                "seconds": 131.0,
            }
            for epoch in range(1, epochs + 1)
        ]

    rows = [
        measured("most frequent class", "baseline", skill=-9.0, seed=2, p50=0.002, size=160),
        measured("bag of words", "baseline", skill=2.2, seed=3, p50=0.21, size=3_100_000),
        measured(
            "teacher", "teacher", skill=4.2, seed=4, p50=24.1, size=90_900_000, memory=690.0,
            fidelity=Fidelity(None, 0.921),
        ),
        measured(
            "student", "student", skill=4.1, seed=5, p50=3.9, size=17_400_000, memory=402.0,
            fidelity=Fidelity(0.921, None),
        ),
        measured(
            "student without teacher", "student_without_teacher", skill=3.6, seed=6, p50=3.9,
            size=17_400_000, memory=402.0, fidelity=Fidelity(0.874, 0.88),
        ),
        measured(
            "onnx fp32", "artifact", skill=4.1, seed=5, p50=2.1, size=17_500_000, scheme="fp32",
            fidelity=Fidelity(0.921, 1.0, 7.2e-7),
        ),
        measured(
            "onnx fp32 text-in", "artifact", skill=4.1, seed=5, p50=2.3, size=17_700_000,
            scheme="fp32", fidelity=Fidelity(0.921, 1.0, 7.2e-7),
        ),
        measured(
            int8, "artifact", skill=4.05, seed=5, p50=0.92, size=4_500_000,
            scheme="int8-dynamic", fidelity=Fidelity(0.919, 0.987, 0.041),
        ),
        measured(
            f"{int8} text-in", "artifact", skill=4.05, seed=5, p50=1.07, size=4_700_000,
            scheme="int8-dynamic", fidelity=Fidelity(0.919, 0.987, 0.041),
        ),
        measured(
            plain, "peer", skill=3.95, seed=7, p50=1.1, size=6_900_000,
            fidelity=Fidelity(0.911, 0.968, 0.113),
        ),
    ]  # fmt: skip
    return ReportInputs(
        recipe=recipe,
        quick=False,
        protocol=text_protocol_lines(
            recipe,
            examples=len(TARGETS),
            groups=GROUPS,
            split_rule=SPLIT_RULE,
            outputs=20,
            queries=1024,
            seconds=10.0,
            rounds=12,
        ),
        counts={"rows_read": 23_486, "rows_without_label": 14, "empty_texts": 844},
        measured=rows,
        curves={
            "teacher": curve(0.52, 0.63, 3),
            "student": curve(0.35, 0.62, 6),
            "student without teacher": curve(0.3, 0.58, 6),
        },
        environment=ENVIRONMENT,
        timings_s={"dataset": 3.2, "teacher": 611.4, "student": 402.9, "latency": 141.0},
        warnings=(
            "14 rows without a class were left out.",
            "37 test texts are also training texts (duplicates: remove takes them out of "
            "training).",
            "Casual bottoms, Chemises have fewer than 10 training texts: their figures move by "
            "luck.",
            "312 of 23,472 texts are longer than 96 pieces and were cut.",
        ),
        peer_comparisons=(
            compared(int8, "student", Interval(0.236, 0.229, 0.244), 1.0, 0.0),
            compared(int8, plain, Interval(0.842, 0.816, 0.871), 0.968, 0.113),
        ),
        peer_routes=(
            PeerRoute(plain, "optimum-cli export onnx", {"optimum": "2.1.0", "onnx": "1.23.2"}),
        ),
        peers_not_measured=(PeerNotMeasured("OpenVINO fp32", "It is not installed."),),
    )
