"""A next-item run as it might have been measured."""

import numpy as np
from numpy.typing import NDArray

from benchmarks.measurement import CheckFigures, EmittedFile, Fidelity, Quality, Row
from benchmarks.report.build import Measured, ReportInputs
from benchmarks.report.protocol import protocol_lines
from compress.metrics import NOT_FOUND, Statistic, bootstrap, mean_statistic, ranking_metrics
from compress.recipe import NextItemRecipe

from .machine import ENVIRONMENT, latency

CASES, ITEMS = 943, 1682
RECIPE = {
    "name": "movielens-100k",
    "data": {"source": {"kind": "movielens-100k"}},
    "teacher": {"kind": "text-sequence", "members": 3},
    "student": {"kind": "transformer"},
    "benchmark": {"bootstrap": 500},
    "budget": {"megabytes": 0.4, "milliseconds": 2.0, "kept_quality": 0.97},
}


def ranks_of(found: float, seed: int) -> NDArray[np.int64]:
    """Places of the targets, among the first 20 in a share `found` of the cases."""
    random = np.random.default_rng(1)
    ease = random.random(CASES)
    noise = np.random.default_rng(seed).normal(0, 0.03, CASES)
    rank = np.floor(np.clip((ease + noise) / found, 0, 2) ** 1.3 * 20).astype(np.int64)
    return np.where(rank < 20, rank, NOT_FOUND)


def statistics(ranks: NDArray[np.int64]) -> dict[str, Statistic]:
    return {name: mean_statistic(values) for name, values in ranking_metrics(ranks).items()}


def measured(
    name: str,
    role: str,
    *,
    found: float,
    seed: int,
    p50: float,
    size: int,
    memory: float = 60.0,
    file: EmittedFile | None = None,
    fidelity: Fidelity | None = None,
    queries: int = 9000,
) -> Measured:
    """A row with what it answered."""
    ranks = ranks_of(found, seed)
    unmasked = np.where(ranks < 15, ranks + 5, NOT_FOUND)
    row = Row(
        name=name,
        role=role,
        bytes=size,
        latency=latency(p50, queries, memory, load=p50 * 8),
        quality=Quality(
            metrics=bootstrap(statistics(ranks), 500, 1),
            cases=CASES,
            unmasked=bootstrap(statistics(unmasked), 500, 1),
            coverage={"coverage@10": 0.31, "coverage@20": 0.42},
            short_lists=0,
        ),
        fidelity=fidelity,
        file=file,
    )
    return Measured(row, statistics(ranks))


def next_item_inputs() -> ReportInputs:
    """Everything that a report is made of."""
    recipe = NextItemRecipe.model_validate(RECIPE)

    def file(scheme: str, check: CheckFigures) -> EmittedFile:
        path = f"student-{scheme}.onnx"
        return EmittedFile(path, "onnx", scheme, "cpu", "ab" * 32, usable=True, check=check)

    def curve(start: float, best: float, epochs: int) -> list[dict[str, float]]:
        return [
            {
                "epoch": epoch,
                "loss": 3.9 + 3.2 * 0.88**epoch,
                "validation_ndcg@10": best - (best - start) * 0.84**epoch - 2e-5 * epoch**1.5,
                "seconds": 6.2,
            }
            for epoch in range(1, epochs + 1)
        ]

    teacher_like = Fidelity(None, 0.643)
    return ReportInputs(
        recipe=recipe,
        quick=False,
        protocol=protocol_lines(recipe, cases=CASES, items=ITEMS, queries=1024, seconds=10.0),
        counts={
            "rows_read": 100_000,
            "users": 943,
            "items": 1682,
            "dropped_short_users": 0,
            "duplicate_rows": 0,
            "test_cases": 943,
        },
        measured=[
            measured("popularity", "baseline", found=0.17, seed=2, p50=0.04, size=13_456),
            measured("co-occurrence", "baseline", found=0.36, seed=3, p50=0.31, size=5_214_000),
            measured(
                "teacher",
                "teacher",
                found=0.39,
                seed=4,
                p50=19.4,
                size=15_930_000,
                memory=512.0,
                fidelity=teacher_like,
                queries=1024,
            ),
            measured(
                "student",
                "student",
                found=0.385,
                seed=5,
                p50=0.92,
                size=281_000,
                memory=318.0,
                fidelity=Fidelity(0.643, None),
            ),
            measured(
                "student without teacher",
                "student_without_teacher",
                found=0.35,
                seed=6,
                p50=0.92,
                size=281_000,
                memory=318.0,
                fidelity=Fidelity(0.478, 0.51),
            ),
            measured(
                "onnx fp32",
                "artifact",
                found=0.385,
                seed=5,
                p50=0.21,
                size=512_000,
                file=file("fp32", CheckFigures(256, 1.0, 2.1e-6, 0.0, 1e-4)),
                fidelity=Fidelity(0.643, 1.0, 2.1e-6),
            ),
            measured(
                "onnx int8-dynamic",
                "artifact",
                found=0.383,
                seed=7,
                p50=0.17,
                size=388_000,
                file=file("int8-dynamic", CheckFigures(256, 0.972, 0.081, 0.03, 1e-4)),
                fidelity=Fidelity(0.641, 0.972, 0.081),
            ),
        ],
        curves={
            "teacher 1": curve(0.05, 0.121, 46),
            "teacher 2": curve(0.048, 0.119, 51),
            "teacher 3": curve(0.052, 0.1205, 43),
            "student": curve(0.06, 0.123, 26),
            "student without teacher": curve(0.05, 0.113, 22),
        },
        environment=ENVIRONMENT,
        timings_s={
            "dataset": 4.1,
            "teacher": 431.7,
            "soft_labels": 6.3,
            "student": 118.2,
            "export": 7.4,
            "benchmark": 141.0,
        },
    )
