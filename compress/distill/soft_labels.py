"""The teacher's answers, computed once and kept on disk.

A folder of shards, each a few `.npy` files of consecutive positions, and `soft-labels.json`.
Up to 10,000 classes a shard is the full fp16 logits `[rows, items]`. Above, it is the top K:
`ids` int32 and `logits` fp16 `[rows, K]`, and `log_sum_exp` fp32 `[rows]` over all classes, which
makes the tail one exact bucket. A shard is there completely or not at all, so that an interrupted
computation goes on with the first missing one. Reading is by memory map.
"""

import json
import math
from collections.abc import Callable
from dataclasses import asdict, dataclass
from pathlib import Path

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor

from compress.data.dataset import Windows
from compress.distill.losses import SoftTargets
from compress.errors import RunError
from compress.files import write_atomically

FULL_UP_TO = 10_000
"""Classes up to which the full logits are kept."""
DEFAULT_TOP_K = 256
SHARD_BYTES = 16_000_000
INDEX = "soft-labels.json"


@dataclass(frozen=True)
class Layout:
    """The shape of a store: how many rows, classes, rows a shard, and what a row holds."""

    rows: int
    items: int
    rows_per_shard: int
    top_k: int | None
    temperature: float

    @property
    def shards(self) -> int:
        """How many shards there are."""
        return math.ceil(self.rows / self.rows_per_shard)

    @property
    def fields(self) -> tuple[str, ...]:
        """The arrays of a shard."""
        return ("logits",) if self.top_k is None else ("ids", "logits", "log_sum_exp")


def layout(rows: int, items: int, top_k: int | None, temperature: float) -> Layout:
    """Choose what a row holds and how many rows make a shard.

    Args:
        rows: Positions of all training windows.
        items: Classes.
        top_k: Classes to keep; None keeps all up to 10,000 and else the top 256.
        temperature: The T for which the tail of a top-K store is exact.
    """
    if top_k is None and items > FULL_UP_TO:
        top_k = DEFAULT_TOP_K
    if top_k is not None and top_k >= items:
        top_k = None
    row_bytes = 2 * items if top_k is None else 6 * top_k + 4
    return Layout(rows, items, max(1, SHARD_BYTES // row_bytes), top_k, temperature)


def write_soft_labels(
    folder: Path,
    plan: Layout,
    windows: Windows,
    *,
    log_probabilities: Callable[[Tensor, tuple[Tensor, Tensor]], Tensor],
    advance: Callable[[float], None] = lambda done: None,
    batch_size: int = 64,
) -> None:
    """Compute every shard that is not there yet.

    Args:
        folder: Where the shards go.
        plan: What `layout` returned.
        windows: The training windows.
        log_probabilities: The teacher: histories `[B, L]` and the rows and columns of N positions
            in them, to logits `[N, items]`.
        advance: Told the finished share after every batch.
        batch_size: Windows that the teacher answers at once.
    """
    folder.mkdir(parents=True, exist_ok=True)
    for shard in range(plan.shards):
        if all(_shard_path(folder, name, shard).is_file() for name in plan.fields):
            continue
        first = shard * plan.rows_per_shard
        stop = min(first + plan.rows_per_shard, plan.rows)
        low = int(np.searchsorted(windows.offsets, first, side="right")) - 1
        high = int(np.searchsorted(windows.offsets, stop, side="left"))
        pieces: list[dict[str, NDArray[np.generic]]] = []
        for start in range(low, high, batch_size):
            chosen = np.arange(start, min(start + batch_size, high))
            inputs, targets = windows.batch(chosen)
            wanted = torch.where(torch.from_numpy(targets) != 0)
            logits = log_probabilities(torch.from_numpy(inputs), (wanted[0], wanted[1]))
            begin = max(0, first - int(windows.offsets[chosen[0]]))
            end = min(len(logits), stop - int(windows.offsets[chosen[0]]))
            pieces.append(_compact(logits[begin:end], plan))
            done = min(stop, int(windows.offsets[chosen[-1] + 1]))
            advance(done / plan.rows)
        for name in plan.fields:
            _save_atomically(
                _shard_path(folder, name, shard), np.concatenate([piece[name] for piece in pieces])
            )
    write_atomically(folder / INDEX, json.dumps(asdict(plan), indent=1))


class SoftLabels:
    """A finished store, read by memory map."""

    def __init__(self, folder: Path) -> None:
        """Open the store.

        Raises:
            RunError: The store is incomplete or its files do not fit its index.
        """
        try:
            self.layout = Layout(**json.loads((folder / INDEX).read_text()))
            self._shards = [
                {
                    name: np.load(_shard_path(folder, name, shard), mmap_mode="r")
                    for name in self.layout.fields
                }
                for shard in range(self.layout.shards)
            ]
        except (OSError, ValueError, TypeError) as error:
            raise RunError(
                f"The soft labels in {folder} cannot be read ({error}). "
                "Remove the folder and run again: they are computed anew."
            ) from error
        rows = sum(len(shard["logits"]) for shard in self._shards)
        if rows != self.layout.rows:
            raise RunError(
                f"The soft labels in {folder} have {rows} rows instead of {self.layout.rows}. "
                "Remove the folder and run again: they are computed anew."
            )

    def __len__(self) -> int:
        return self.layout.rows

    def read(self, rows: NDArray[np.int64]) -> SoftTargets:
        """Return the soft targets of some rows, in their order.

        Args:
            rows: `[N]` row numbers: `windows.offsets[w] + p` for position p of window w.
        """
        shard_of = rows // self.layout.rows_per_shard
        within = rows % self.layout.rows_per_shard
        arrays: dict[str, Tensor] = {}
        for name in self.layout.fields:
            sample = self._shards[0][name]
            out = np.empty((len(rows), *sample.shape[1:]), dtype=sample.dtype)
            for shard in np.unique(shard_of):
                here = shard_of == shard
                out[here] = self._shards[shard][name][within[here]]
            arrays[name] = torch.from_numpy(out)
        return SoftTargets(
            logits=arrays["logits"].float(),
            ids=arrays["ids"].long() if "ids" in arrays else None,
            log_sum_exp=arrays.get("log_sum_exp"),
            temperature=self.layout.temperature,
        )


def _compact(logits: Tensor, plan: Layout) -> dict[str, NDArray[np.generic]]:
    if plan.top_k is None:
        return {"logits": logits.half().numpy()}
    top = logits.topk(plan.top_k, dim=-1)
    return {
        "ids": top.indices.int().numpy(),
        "logits": top.values.half().numpy(),
        "log_sum_exp": torch.logsumexp(logits / plan.temperature, dim=-1).float().numpy(),
    }


def _shard_path(folder: Path, name: str, shard: int) -> Path:
    return folder / f"{name}-{shard:05d}.npy"


def _save_atomically(path: Path, array: NDArray[np.generic]) -> None:
    temporary = path.with_name(f".{path.name}.tmp")
    with temporary.open("wb") as handle:
        np.save(handle, array)
    temporary.replace(path)
