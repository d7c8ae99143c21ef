"""A student as coremltools takes it: traced, with numbers that fp16 can hold."""

from typing import Any

from export.bert_shortcuts import with_shortcuts
from export.source import DeploySource

LOWEST = -1e4
"""What hides a position. Hugging Face's masks are `(1 - mask) * finfo(float32).min`, which in fp16
is 0 times minus infinity: not a number, wherever there is text."""


def trace(source: DeploySource, length: int) -> Any:
    """Return the module traced with one example, its constants no lower than `LOWEST`.

    Args:
        source: The student.
        length: L of the example.
    """
    import torch

    is_pair = any(one.name == "token_type_ids" for one in source.signature.inputs)
    module = with_shortcuts(source.module, is_pair=is_pair)
    with torch.inference_mode():
        jit: Any = torch.jit  # its functions have no types
        traced = jit.trace(module, source.example(1, length), check_trace=False)
    graph = traced.graph
    torch._C._jit_pass_inline(graph)
    for node in graph.findAllNodes("prim::Constant"):
        if not node.hasAttribute("value"):
            continue
        kind = node.kindOf("value")
        if kind == "f" and node.f("value") < LOWEST:
            node.f_("value", LOWEST)
        elif kind == "t" and node.t("value").is_floating_point():
            node.t_("value", node.t("value").clamp(min=LOWEST))
    return traced
