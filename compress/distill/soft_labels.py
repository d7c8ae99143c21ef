"""The teacher's answers, computed once and kept on disk.

One `.npy` file a field, and `soft-labels.json`. A row is what the teacher says of one example: a
text, or a position of the training windows. Up to 10,000 classes it is the full fp16 logits
`[items]`; a single number, a score, is kept in fp32. Above, it is the top K: `ids` int32 and
`logits` fp16 `[K]`, and `log_sum_exp` fp32 over all classes, which makes the tail one exact bucket.
The files are written shard by shard; `soft-labels.json` says how many rows are safely there, so
that an interrupted computation goes on after them. Reading is by memory map.
"""

import json
import math
import os
from collections.abc import Callable
from dataclasses import asdict, dataclass
from io import BytesIO
from pathlib import Path

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor

from compress.distill.losses import SoftTargets
from compress.errors import RunError
from compress.files import write_atomically

FULL_UP_TO = 10_000
"""Classes up to which the full logits are kept."""
DEFAULT_TOP_K = 256
SHARD_BYTES = 16_000_000
SHARD_ROWS = 8192
"""At most, so that a kill costs no more than the answers to so many."""
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
    def bytes(self) -> int:
        """How much the store takes on disk, headers left out."""
        return self.rows * _row_bytes(self.items, self.top_k)

    @property
    def shards(self) -> int:
        """How many shards there are."""
        return math.ceil(self.rows / self.rows_per_shard)

    @property
    def fields(self) -> dict[str, tuple[str, tuple[int, ...]]]:
        """Type and shape of each file."""
        if self.top_k is None:
            return {"logits": ("<f4" if self.items == 1 else "<f2", (self.rows, self.items))}
        return {
            "ids": ("<i4", (self.rows, self.top_k)),
            "logits": ("<f2", (self.rows, self.top_k)),
            "log_sum_exp": ("<f4", (self.rows,)),
        }


def layout(rows: int, items: int, top_k: int | None, temperature: float) -> Layout:
    """Choose what a row holds and how many rows make a shard.

    Args:
        rows: Examples: texts, or positions of all training windows.
        items: Classes.
        top_k: Classes to keep; None keeps all up to 10,000 and else the top 256.
        temperature: The T for which the tail of a top-K store is exact.
    """
    if top_k is None and items > FULL_UP_TO:
        top_k = DEFAULT_TOP_K
    if top_k is not None and top_k >= items:
        top_k = None
    shard = max(1, min(SHARD_ROWS, SHARD_BYTES // _row_bytes(items, top_k)))
    return Layout(rows, items, shard, top_k, temperature)


def _row_bytes(items: int, top_k: int | None) -> int:
    if top_k is not None:
        return 6 * top_k + 4
    return 4 if items == 1 else 2 * items


def write_soft_labels(
    folder: Path,
    plan: Layout,
    answers: Callable[[int, int], Tensor],
    advance: Callable[[float], None] = lambda done: None,
    batch: int | Callable[[int], int] = 64,
) -> None:
    """Compute every shard that is not there yet.

    Args:
        folder: Where the files go.
        plan: What `layout` returned.
        answers: The teacher: the first row and the one after the last, to their logits
            `[rows, items]`, on any device and in any precision.
        advance: Told the finished share after every batch.
        batch: Rows that the teacher answers at once; or, for a row to begin with, the row after
            the last of its batch.
    """
    folder.mkdir(parents=True, exist_ok=True)
    there = _rows_there(folder, plan)
    files = {name: _ArrayFile(folder / f"{name}.npy", *plan.fields[name]) for name in plan.fields}
    for first in range(there, plan.rows, plan.rows_per_shard):
        stop = min(first + plan.rows_per_shard, plan.rows)
        pieces: list[dict[str, NDArray[np.generic]]] = []
        start = first
        while start < stop:
            end = min(start + batch if isinstance(batch, int) else batch(start), stop)
            pieces.append(_compact(answers(start, end).float().cpu(), plan))
            advance(end / plan.rows)
            start = end
        for name, file in files.items():
            file.write(first, np.concatenate([piece[name] for piece in pieces]))
        write_atomically(folder / INDEX, json.dumps({**asdict(plan), "rows_there": stop}, indent=1))


def _rows_there(folder: Path, plan: Layout) -> int:
    """How many rows an earlier computation of the same plan left."""
    try:
        index = json.loads((folder / INDEX).read_text(encoding="utf-8"))
    except (OSError, ValueError):
        return 0
    there = index.pop("rows_there", 0)
    return int(there) if index == asdict(plan) else 0


class _ArrayFile:
    """A `.npy` file of known shape that is written in pieces."""

    def __init__(self, path: Path, kind: str, shape: tuple[int, ...]) -> None:
        self._path = path
        header = BytesIO()
        np.lib.format.write_array_header_1_0(  # type: ignore[no-untyped-call]  # untyped in numpy
            header, {"descr": kind, "fortran_order": False, "shape": shape}
        )
        self._start = len(header.getvalue())
        self._row = np.dtype(kind).itemsize * math.prod(shape[1:])
        if not path.is_file() or path.stat().st_size < self._start:
            path.write_bytes(header.getvalue())

    def write(self, first: int, rows: NDArray[np.generic]) -> None:
        """Put rows at their place and see them to the disk."""
        with self._path.open("r+b") as file:
            file.seek(self._start + first * self._row)
            file.write(np.ascontiguousarray(rows).data)
            file.flush()
            os.fsync(file.fileno())


class SoftLabels:
    """A finished store, read by memory map."""

    def __init__(self, folder: Path) -> None:
        """Open the store.

        Raises:
            RunError: The store is incomplete or its files do not fit its index.
        """
        try:
            index = json.loads((folder / INDEX).read_text(encoding="utf-8"))
            there = index.pop("rows_there")
            self.layout = Layout(**index)
            self._fields = {
                name: np.load(folder / f"{name}.npy", mmap_mode="r") for name in self.layout.fields
            }
        except (OSError, ValueError, TypeError, KeyError, AttributeError) as error:
            raise RunError(
                f"The soft labels in {folder} cannot be read ({error}). "
                "Remove the folder and run again: they are computed anew."
            ) from error
        shapes = {name: shape for name, (_, shape) in self.layout.fields.items()}
        found = {name: field.shape for name, field in self._fields.items()}
        if there != self.layout.rows or found != shapes:
            raise RunError(
                f"The soft labels in {folder} have {there} of {self.layout.rows} rows, in files of "
                f"the shapes {found}. Remove the folder and run again: they are computed anew."
            )

    def __len__(self) -> int:
        return self.layout.rows

    def read(self, rows: NDArray[np.int64]) -> SoftTargets:
        """Return the soft targets of some rows, in their order.

        Args:
            rows: `[N]` row numbers; of windows, `windows.offsets[w] + p` is position p of window w.
        """
        arrays = {name: torch.from_numpy(field[rows]) for name, field in self._fields.items()}
        return SoftTargets(
            logits=arrays["logits"].float(),
            ids=arrays["ids"].long() if "ids" in arrays else None,
            log_sum_exp=arrays.get("log_sum_exp"),
            temperature=self.layout.temperature,
        )


def _compact(logits: Tensor, plan: Layout) -> dict[str, NDArray[np.generic]]:
    if plan.top_k is None:
        return {"logits": (logits if plan.items == 1 else logits.half()).numpy()}
    top = logits.topk(plan.top_k, dim=-1)
    return {
        "ids": top.indices.int().numpy(),
        "logits": top.values.half().numpy(),
        "log_sum_exp": torch.logsumexp(logits / plan.temperature, dim=-1).float().numpy(),
    }
