"""Asking a network about many texts at once: texts of like length together, on the GPU if any."""

from collections.abc import Callable
from typing import Any, Literal

import numpy as np
import torch
from numpy.typing import NDArray
from torch import nn

from compress.data.pieces import Pieces
from compress.distill.precision import choose_precision

BATCH = 64
_TYPES = {"bf16": torch.bfloat16, "fp16": torch.float16}


def text_logits(
    model: nn.Module,
    pieces: Pieces,
    rows: NDArray[np.int64],
    *,
    precision: Literal["auto", "fp32", "bf16", "fp16"] = "fp32",
    advance: Callable[[float], None] = lambda done: None,
) -> NDArray[np.float32]:
    """Return what a `TextModel` answers.

    Args:
        model: In inference mode; moved to the GPU, where there is one.
        pieces: The texts.
        rows: `[B]`, which of them.
        precision: Of the forward pass, as in training.
        advance: Is told the finished share, 0...1.

    Returns:
        `[B, outputs]`, in the order of `rows`.
    """
    device = "cuda" if torch.cuda.is_available() else "cpu"
    chosen = choose_precision(precision).name
    model.to(device)
    outputs: Any = model.outputs
    logits = np.empty((len(rows), int(outputs)), np.float32)
    order = np.argsort(pieces.lengths[rows], kind="stable")
    half = torch.autocast(device, _TYPES.get(chosen), enabled=chosen in _TYPES)
    with torch.inference_mode(), half:
        for start in range(0, len(rows), BATCH):
            places = order[start : start + BATCH]
            batch = pieces.batch(rows[places])
            arrays = (batch.input_ids, batch.attention_mask, batch.token_type_ids)
            answer = model(*(torch.from_numpy(array).to(device) for array in arrays))
            logits[places] = answer.logits.float().cpu().numpy()
            advance(min(1.0, (start + BATCH) / len(rows)))
    return logits
