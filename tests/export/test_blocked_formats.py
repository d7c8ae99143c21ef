"""Where a block leaves fewer items than a file returns, every format says 0 and `IMPOSSIBLE`."""

from dataclasses import replace

import numpy as np
import pytest

from compress.recipe import CoreMl, LiteRt, Onnx, TensorRt
from export.blocked_items import BlockedItems
from export.checking import ask
from export.deploy import NextItemDeploy, StudentScorer
from export.formats import format_of
from export.signature import next_item_signature
from export.student_answers import ask_student
from export.verification_set import VerificationSet

BLOCKED = tuple(range(102, 152))
LEFT = 250
"""Of 300 items; a file returns as many, and up to 12 of them were seen."""


@pytest.fixture
def blocked_source(next_item_source, student):
    """The small student with 50 items blocked, and what it answers."""
    signature = next_item_signature(
        items=300,
        history_length=12,
        top_k=LEFT,
        mask_seen=True,
        recipe_sha256="recipe hash",
        item_map_sha256="item map hash",
        blocked=BlockedItems(BLOCKED, "blocked hash"),
    )
    scorer = StudentScorer(student, BLOCKED)
    module = NextItemDeploy(scorer, items=300, top_k=LEFT, mask_seen=True).eval()
    return replace(next_item_source, module=module, signature=signature)


@pytest.mark.parametrize(
    ("wanted", "package"),
    [
        (Onnx(format="onnx", scheme="fp16"), "onnxruntime"),
        (Onnx(format="onnx", scheme="int8-dynamic"), "onnxruntime"),
        (Onnx(format="onnx", scheme="int8-static"), "onnxruntime"),
        (TensorRt(format="tensorrt", scheme="int8-static"), "onnxruntime"),
        (CoreMl(format="coreml", scheme="fp16"), "coremltools"),
        (CoreMl(format="coreml", scheme="palettized-4"), "coremltools"),
        pytest.param(
            LiteRt(format="litert", scheme="int8-dynamic"), "litert_torch", marks=pytest.mark.slow
        ),
    ],
    ids=lambda one: getattr(one, "name", ""),
)
def test_where_items_run_out_the_rest_is_zero(tmp_path, blocked_source, histories, wanted, package):
    pytest.importorskip(package)
    reference = replace(
        ask_student(blocked_source.module, histories[:60]),
        blocked=np.array(BLOCKED, dtype=np.int32),
    )
    assert (reference.item_ids == 0).sum() > 100
    known = format_of(wanted.format, wanted.device)
    emitted = known.emit(blocked_source, wanted, tmp_path)
    path, runtime = (emitted.graph, "onnx") if emitted.graph else (emitted.path, known.runtime)
    verification = VerificationSet.from_reference(reference, blocked_source.signature)
    check = ask(runtime, path, wanted.scheme, verification)
    assert check.faults == ()
