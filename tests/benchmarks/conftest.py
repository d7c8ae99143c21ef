"""A run as it might have been measured, and a model small enough to measure for real."""

from collections.abc import Callable
from pathlib import Path

import numpy as np
import onnx
import pytest
from onnx import TensorProto, helper, numpy_helper

from benchmarks.environment import Environment
from benchmarks.latency import Latency
from benchmarks.measurement import EmittedFile, Fidelity, Row
from benchmarks.protocol import protocol_lines
from benchmarks.quality import Evaluation
from benchmarks.report import Measured, ReportInputs
from compress.metrics import NOT_FOUND
from compress.recipe import Recipe

CASES, ITEMS = 943, 1682
RECIPE = {
    "name": "movielens-100k",
    "data": {"source": {"kind": "movielens-100k"}},
    "teacher": {"kind": "text-sequence", "members": 3},
    "student": {"kind": "transformer"},
    "benchmark": {"bootstrap": 500},
    "budget": {"megabytes": 0.4, "milliseconds": 2.0, "kept_quality": 0.97},
}


def evaluation(found: float, seed: int) -> Evaluation:
    """Answers that find the target among the first 20 in a share `found` of the cases."""
    random = np.random.default_rng(1)
    ease = random.random(CASES)
    noise = np.random.default_rng(seed).normal(0, 0.03, CASES)
    rank = np.floor(np.clip((ease + noise) / found, 0, 2) ** 1.3 * 20).astype(np.int64)
    ranks = np.where(rank < 20, rank, NOT_FOUND)
    top = random.integers(2, ITEMS + 2, (CASES, 20)).astype(np.int32)
    unmasked = np.where(ranks < 15, ranks + 5, NOT_FOUND)
    return Evaluation(top, ranks, unmasked, ITEMS)


def latency(p50: float, queries: int, memory: float, load: float) -> Latency:
    """A plausible distribution around a median."""
    return Latency(
        threads=1,
        queries=queries,
        p50_ms=p50,
        p90_ms=p50 * 1.06,
        p95_ms=p50 * 1.11,
        p99_ms=p50 * 1.4 if queries >= 662 else None,
        p99_9_ms=p50 * 1.9 if queries >= 6636 else None,
        load_ms=load,
        peak_rss_mb=memory,
        rss_before_load_mb=memory * 0.8,
        overhead_us=1.7,
        valid=True,
    )


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
    """A row with its case-by-case values."""
    answers = evaluation(found, seed)
    row = Row(
        name=name,
        role=role,
        bytes=size,
        latency=latency(p50, queries, memory, load=p50 * 8),
        quality=answers.quality(500, 1),
        fidelity=fidelity,
        file=file,
    )
    return Measured(row, answers.values())


@pytest.fixture(scope="session")
def inputs() -> ReportInputs:
    """Everything a report is made of, with figures like a real run's."""
    recipe = Recipe.model_validate(RECIPE)

    def file(scheme: str) -> EmittedFile:
        return EmittedFile(f"student-{scheme}.onnx", "onnx", scheme, "cpu", "ab" * 32, usable=True)

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
                file=file("fp32"),
                fidelity=Fidelity(0.643, 1.0, 2.1e-6),
            ),
            measured(
                "onnx int8-dynamic",
                "artifact",
                found=0.383,
                seed=7,
                p50=0.17,
                size=388_000,
                file=file("int8-dynamic"),
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
        environment=Environment(
            cpu="AMD EPYC 9R14",
            cores=2,
            memory_gb=25.3,
            system="Debian GNU/Linux 12 (bookworm)",
            architecture="x86_64",
            python="3.11.7",
            cpu_flags=("avx2", "avx512_vnni", "avx512f", "fma"),
            packages={"torch": "2.13.0", "onnxruntime": "1.31.1", "numpy": "2.3.5"},
        ),
        timings_s={
            "dataset": 4.1,
            "teacher": 431.7,
            "soft_labels": 6.3,
            "student": 118.2,
            "export": 7.4,
            "benchmark": 141.0,
        },
    )


@pytest.fixture(scope="session")
def tiny_model(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A real ONNX file with the deploy signature: 30 items, the 20 best by a mean embedding."""
    return write_tiny_model(tmp_path_factory.mktemp("model") / "tiny.onnx")


def write_tiny_model(path: Path, items: int = 30, k: int = 20) -> Path:
    """Write the model: gather, mean, score, top k, from class to item code."""
    random = np.random.default_rng(0)
    constants = {
        "table": random.normal(size=(items + 2, 8)).astype(np.float32),
        "head": random.normal(size=(8, items)).astype(np.float32),
        "k": np.array([k], dtype=np.int64),
        "first_item": np.array(2, dtype=np.int32),
        "positions": np.array([1], dtype=np.int64),
    }
    node: Callable[..., onnx.NodeProto] = helper.make_node
    nodes = [
        node("Gather", ["table", "history"], ["embedded"]),
        node("ReduceMean", ["embedded", "positions"], ["state"], keepdims=0),
        node("MatMul", ["state", "head"], ["logits"]),
        node("TopK", ["logits", "k"], ["scores", "classes"]),
        node("Cast", ["classes"], ["classes32"], to=TensorProto.INT32),
        node("Add", ["classes32", "first_item"], ["item_ids"]),
    ]
    graph = helper.make_graph(
        nodes,
        "tiny",
        [helper.make_tensor_value_info("history", TensorProto.INT32, ["B", "L"])],
        [
            helper.make_tensor_value_info("item_ids", TensorProto.INT32, ["B", k]),
            helper.make_tensor_value_info("scores", TensorProto.FLOAT, ["B", k]),
        ],
        [numpy_helper.from_array(value, name) for name, value in constants.items()],
    )
    onnx.save(
        helper.make_model(graph, opset_imports=[helper.make_opsetid("", 18)], ir_version=10), path
    )
    return path
