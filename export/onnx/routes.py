"""Which way PyTorch writes a graph: the route, and the version of ONNX's operators.

The TorchScript route (`dynamo=False`) traces; ONNX Runtime's optimizer knows the patterns that it
writes, and Optimum's exporter takes it too. The dynamo route is PyTorch's newer one.
"""

from dataclasses import dataclass
from typing import Literal

from export.source import Unsupported

Route = Literal["torchscript", "dynamo"]
Wish = Literal["auto", "torchscript", "dynamo"]

OPSETS: dict[Route, tuple[int, int]] = {"torchscript": (13, 20), "dynamo": (18, 23)}
"""First and last version of ONNX's operators that a route writes. A scale a column, which all int8
here has, is of 13."""
FUSED_FROM = 17
"""Optimum fuses layer norms, which are operators of ONNX from this version on."""
_FUSED_KINDS = frozenset({"bert", "mobilebert", "hugging-face"})


@dataclass(frozen=True)
class GraphRoute:
    """How a graph is written."""

    route: Route
    opset: int

    def __str__(self) -> str:
        return f"{self.route} {self.opset}"


DEFAULT = GraphRoute("torchscript", 17)
BEST: dict[str, GraphRoute] = {
    "transformer": DEFAULT,
    "bert": DEFAULT,
    "mobilebert": DEFAULT,
    "text-cnn": DEFAULT,
    "mean-pooled": DEFAULT,
}
"""By kind of student the fastest that is right, measured: `benchmarks/onnx_routes.py`. Kinds that
are not here, such as `hugging-face` for a user's own, take `DEFAULT`."""


def choose_route(kind: str, wish: Wish = "auto", opset: int | None = None) -> GraphRoute:
    """Say how a student's graph is written.

    Args:
        kind: Of student, as in `BEST`.
        wish: The route; `auto`: the best for the kind, or the other one if only that has `opset`.
        opset: None: the route's best.

    Raises:
        Unsupported: No route, or not the one wished for, writes that opset.
    """
    best = BEST.get(kind, DEFAULT)
    routes: tuple[Route, ...] = (best.route, *(one for one in OPSETS if one != best.route))
    if wish != "auto":
        routes = (wish,)
    for route in routes:
        first, last = _span(route, kind)
        if opset is None:
            return GraphRoute(route, best.opset if route == best.route else first)
        if first <= opset <= last:
            return GraphRoute(route, opset)
    spans = [_span(route, kind) for route in OPSETS]
    written = "; ".join(
        f"{route} writes {first} to {last}"
        for route, (first, last) in zip(OPSETS, spans, strict=True)
    )
    by = "" if wish == "auto" else f" by route {wish}"
    raise Unsupported(
        f"a {kind} student cannot be written as ONNX at opset {opset}{by}: {written}. "
        "Leave opset out, or take one of these"
    )


def _span(route: Route, kind: str) -> tuple[int, int]:
    first, last = OPSETS[route]
    return (max(first, FUSED_FROM) if kind in _FUSED_KINDS else first), last
