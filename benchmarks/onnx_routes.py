"""Which way of writing ONNX gives the fastest file that is right, for each kind of student.

`python -m benchmarks.onnx_routes` builds a student of every kind with random weights, writes it by
every route and opset in fp32 and int8, compares each file's answers with PyTorch's, and asks the
files of a kind in turn, on one thread, in one process. `export.onnx.routes.BEST` follows from it.
"""

import argparse
import json
import tempfile
import time
from collections.abc import Callable, Iterable, Sequence
from dataclasses import asdict, dataclass, replace
from pathlib import Path
from typing import Any, Literal

import numpy as np
import torch
from torch import nn

from benchmarks.environment import current_environment
from benchmarks.timing.turn_count import Turns
from benchmarks.timing.turns import measure_in_turns
from compress.recipe import (
    BertStudent,
    MeanPooledStudent,
    MobileBertStudent,
    TextCnnStudent,
    TransformerStudent,
)
from export.deploy import NextItemDeploy, StudentScorer
from export.onnx.routes import DEFAULT, GraphRoute
from export.onnx.run import OnnxRunner
from export.runner import RunnerSpec
from export.samples import Samples
from export.signature import Signature, next_item_signature, text_signature
from export.text_deploy import TextDeploy

Scheme = Literal["fp32", "int8-dynamic"]

GRAPHS = (
    GraphRoute("torchscript", 17),
    GraphRoute("torchscript", 20),
    GraphRoute("dynamo", 18),
    GraphRoute("dynamo", 20),
    GraphRoute("dynamo", 21),
    GraphRoute("dynamo", 23),
)
SCHEMES: tuple[Scheme, ...] = ("fp32", "int8-dynamic")
TOLERANCES = {"fp32": 1e-3, "int8-dynamic": 0.25}
"""Largest difference of a probability or a score with which a file counts as right; scores of
next-item are logits with a standard deviation of about 1."""
MARGIN = 0.05
"""How much faster than `DEFAULT` a route must be on the mean to take its place. Less than this
changes from run to run, and older operators are known to more phones."""
ITEMS, HISTORY_LENGTH, TOP_K = 1682, 50, 100
PIECES, TEXT_LENGTH, CLASSES = 3000, 64, 20
SEED = 1
_EXAMPLES = 16
_RESULT = Path(__file__).parent / "results" / "onnx-routes.json"

SECTIONS = {
    "transformer": TransformerStudent(kind="transformer", width=32, layers=1, heads=2),
    "bert": BertStudent(kind="bert", width=384, layers=2, heads=12),
    "mobilebert": MobileBertStudent(
        kind="mobilebert", width=512, bottleneck=128, embedding_width=128, layers=4
    ),
    "text-cnn": TextCnnStudent(kind="text-cnn"),
    "mean-pooled": MeanPooledStudent(kind="mean-pooled"),
}
"""Sizes of the shipped recipes; MobileBERT with 4 of its 12 layers."""


@dataclass(frozen=True)
class RouteResult:
    """One file.

    Attributes:
        kind: Of student.
        scheme: Of the weights.
        route: How PyTorch wrote the graph.
        opset: Version of ONNX's operators.
        difference: Largest difference from PyTorch's answers; None: there is no file.
        fault: Why it does not count; empty if it does.
        bytes: Of the file.
        seconds: To write it.
        p50_ms: Median latency, batch 1, one thread.
        ratio: Median over rounds of its p50 by that of `DEFAULT`'s file of the same scheme.
    """

    kind: str
    scheme: Scheme
    route: str
    opset: int
    difference: float | None
    fault: str = ""
    bytes: int = 0
    seconds: float = 0.0
    p50_ms: float | None = None
    ratio: float | None = None


@dataclass(frozen=True)
class BuiltStudent:
    """A student with random weights, and how it is asked and written."""

    module: nn.Module
    signature: Signature
    samples: Samples
    write: Callable[[Path, Scheme, GraphRoute], None]


def build(kind: str, sections: dict[str, Any] | None = None) -> BuiltStudent:
    """Build a student of a kind of `SECTIONS`."""
    torch.manual_seed(SEED)
    section = (sections or SECTIONS)[kind]
    random = np.random.default_rng(SEED)
    if kind == "transformer":
        return _next_item(section, random)
    return _text(section, random)


def _next_item(section: Any, random: np.random.Generator) -> BuiltStudent:
    from export.onnx.emit_next_item import emit_onnx, quantize_onnx

    network = section.build(items=ITEMS, history_length=HISTORY_LENGTH).eval()
    _spread(network)
    module = NextItemDeploy(StudentScorer(network), items=ITEMS, top_k=TOP_K, mask_seen=True).eval()
    signature = next_item_signature(
        items=ITEMS,
        history_length=HISTORY_LENGTH,
        top_k=TOP_K,
        mask_seen=True,
        recipe_sha256="",
        item_map_sha256="",
    )

    def write(path: Path, scheme: Scheme, graph: GraphRoute) -> None:
        emit_onnx(module, signature, path, graph)
        if scheme != "fp32":
            quantize_onnx(path, signature, path)

    histories = random.integers(2, ITEMS + 2, (_EXAMPLES, HISTORY_LENGTH)).astype(np.int32)
    return BuiltStudent(module, signature, Samples({"history": histories}), write)


def _text(section: Any, random: np.random.Generator) -> BuiltStudent:
    from export.onnx.emit_text import emit_text_network

    network = section.build(
        pieces=PIECES, outputs=CLASSES, max_length=TEXT_LENGTH, padding_id=0
    ).eval()
    _spread(network)
    signature = text_signature(
        task="text-label",
        target="one-of",
        classes=CLASSES,
        max_length=TEXT_LENGTH,
        is_pair=False,
        has_gains=False,
        recipe_sha256="",
        tokenizer_sha256="",
        classes_sha256="",
    )

    def write(path: Path, scheme: Scheme, graph: GraphRoute) -> None:
        emit_text_network(network, "one-of", signature, path, scheme=scheme, graph=graph)

    ids = random.integers(5, PIECES, (_EXAMPLES, TEXT_LENGTH)).astype(np.int32)
    samples = Samples({"input_ids": ids, "attention_mask": np.ones_like(ids)})
    return BuiltStudent(TextDeploy(network, "one-of").eval(), signature, samples, write)


def _spread(network: nn.Module) -> None:
    """Give matrices the size that keeps answers apart, as training does."""
    with torch.no_grad():
        for weight in network.parameters():
            if weight.ndim > 1:
                weight.normal_(std=weight.shape[-1] ** -0.5)


def write_files(
    kind: str, student: BuiltStudent, graphs: Iterable[GraphRoute], folder: Path
) -> dict[Path, RouteResult]:
    """Write a student every way, and compare each file with PyTorch; nothing is timed yet."""
    given = student.samples.batch(slice(None))
    tensors = [torch.from_numpy(given[one.name]) for one in student.signature.inputs]
    with torch.inference_mode():
        expected = student.module(*tensors)[-1].numpy()
    results = {}
    for graph in graphs:
        for scheme in SCHEMES:
            path = folder / f"{kind}.{scheme}.{graph.route}-{graph.opset}.onnx"
            result = RouteResult(kind, scheme, graph.route, graph.opset, None)
            begin = time.perf_counter()
            try:
                student.write(path, scheme, graph)
                seconds = round(time.perf_counter() - begin, 2)
                with OnnxRunner(path) as runner:
                    answers = runner(given)[student.signature.outputs[-1].name]
                difference = float(np.abs(answers - expected).max())
            except Exception as error:  # an exporter may raise anything; that is a result
                said = str(error).splitlines() or [type(error).__name__]
                results[path] = replace(result, fault=said[0][:200])
                continue
            is_right = difference <= TOLERANCES[scheme]
            fault = "" if is_right else f"differs by {difference:.3g} from PyTorch"
            results[path] = replace(
                result,
                difference=difference,
                fault=fault,
                bytes=path.stat().st_size,
                seconds=seconds,
            )
    return results


def measure(
    results: dict[Path, RouteResult], samples: Samples, *, turns: Turns, queries: int, folder: Path
) -> list[RouteResult]:
    """Ask the files that are right in turn, and say how each compares with `DEFAULT`'s."""
    right = [path for path, result in results.items() if not result.fault]
    taken = measure_in_turns(
        [RunnerSpec("onnx", str(path)) for path in right],
        [samples] * len(right),
        turns=turns,
        queries=queries,
        threads=1,
        log_folder=folder,
    )
    medians = dict(zip(right, np.median(taken, axis=3), strict=True))
    reference = {
        results[path].scheme: medians[path]
        for path in right
        if (results[path].route, results[path].opset) == (DEFAULT.route, DEFAULT.opset)
    }
    measured = []
    for path, result in results.items():
        if path in medians:
            mine = medians[path]
            ratio = float(np.median(mine / reference[result.scheme]))
            p50 = round(float(np.median(mine)) / 1e6, 4)
            measured.append(replace(result, p50_ms=p50, ratio=round(ratio, 3)))
        else:
            measured.append(result)
    return measured


def best_routes(results: Sequence[RouteResult]) -> dict[str, GraphRoute]:
    """Choose by kind the route with the least mean ratio, right in every scheme.

    `DEFAULT` stays where no other is faster by more than `MARGIN`.
    """
    best = {}
    for kind in dict.fromkeys(result.kind for result in results):
        means = {}
        for graph in GRAPHS:
            mine = [
                one.ratio
                for one in results
                if (one.kind, one.route, one.opset) == (kind, graph.route, graph.opset)
                and one.ratio is not None
            ]
            if len(mine) == len(SCHEMES):
                means[graph] = float(np.exp(np.mean(np.log(mine))))
        fastest = min(means, key=lambda graph: means[graph], default=DEFAULT)
        is_faster = means.get(fastest, 1.0) < means.get(DEFAULT, np.inf) * (1 - MARGIN)
        best[kind] = fastest if is_faster else DEFAULT
    return best


def table(results: Sequence[RouteResult]) -> str:
    """Return the results as lines of text."""
    lines = [f"{'':<12}{'':<14}{'':<16}{'p50 ms':>9}{'ratio':>8}{'KB':>9}{'s':>7}"]
    for one in results:
        name = f"{one.kind:<12}{one.scheme:<14}{f'{one.route} {one.opset}':<16}"
        if one.p50_ms is None or one.ratio is None:
            lines.append(f"{name}  {one.fault}")
            continue
        figures = f"{one.p50_ms:>9.4f}{one.ratio:>8.3f}{one.bytes / 1e3:>9.0f}{one.seconds:>7.1f}"
        lines.append(name + figures)
    return "\n".join(lines)


def main(arguments: Sequence[str] | None = None) -> None:
    """Run the benchmark from the command line."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--kinds", nargs="+", choices=SECTIONS, default=list(SECTIONS))
    parser.add_argument("--restarts", type=int, default=6)
    parser.add_argument("--rounds", type=int, default=8, help="of each start")
    parser.add_argument("--queries", type=int, default=16, help="of one turn")
    parser.add_argument("--out", type=Path, default=_RESULT)
    given = parser.parse_args(arguments)
    results: list[RouteResult] = []
    for kind in given.kinds:
        with tempfile.TemporaryDirectory() as work:
            folder, student = Path(work), build(kind)
            written = write_files(kind, student, GRAPHS, folder)
            results += measure(
                written,
                student.samples,
                turns=Turns(given.restarts, given.rounds),
                queries=given.queries,
                folder=folder / "log",
            )
        print(table([one for one in results if one.kind == kind]), flush=True)
    best = best_routes(results)
    for kind, graph in best.items():
        print(f"{kind}: {graph}")
    report = {
        "default": asdict(DEFAULT),
        "margin": MARGIN,
        "restarts": given.restarts,
        "rounds": given.restarts * given.rounds,
        "queries": given.queries,
        "best": {kind: asdict(graph) for kind, graph in best.items()},
        "results": [asdict(one) for one in results],
        "environment": asdict(current_environment()),
    }
    given.out.parent.mkdir(parents=True, exist_ok=True)
    given.out.write_text(json.dumps(report, indent=1) + "\n", encoding="utf-8")
    print(given.out)


if __name__ == "__main__":
    main()
