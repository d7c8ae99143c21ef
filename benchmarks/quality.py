"""How well a model ranks the test cases, asked through its own runtime.

A ranking is *masked* when nothing that the user has seen can appear in it. The model masks the
history that it is given, its last L items; what is older an app has to take out of the K items it
gets, and so does this module. Unmasked figures come from a twin of the model without its mask.
"""

from dataclasses import dataclass
from pathlib import Path
from typing import Self

import numpy as np
from numpy.typing import NDArray

from benchmarks.measurement import Quality
from compress.errors import CheckFailed
from compress.metrics import (
    CUTOFFS,
    Statistic,
    bootstrap,
    coverage,
    drop_seen,
    mean_statistic,
    ranking_metrics,
    target_ranks,
    top_k_overlap,
)
from export.blocked_items import NOTHING_BLOCKED, BlockedItems
from export.runner import Runner
from export.samples import Samples

LIST_LENGTH = max(CUTOFFS)
DEFAULT_BATCH = 256
_MOST_NAMED = 5
"""Blocked items that a message names."""


@dataclass(frozen=True)
class Evaluation:
    """What a model answered, kept so that two models can be compared case by case."""

    top: NDArray[np.int32]
    """`[N, 20]` masked item codes, best first, 0 where nothing is left."""
    ranks: NDArray[np.int64]
    """`[N]` 0-based place of the target in `top`, `compress.metrics.NOT_FOUND` outside of it."""
    unmasked_ranks: NDArray[np.int64] | None
    """`[N]`, in the first 20 of the model without a mask."""
    items: int
    """Size of the catalogue."""

    def values(self) -> dict[str, NDArray[np.float64]]:
        """Return every masked metric of every case, each `[N]`."""
        return ranking_metrics(self.ranks)

    def statistics(self) -> dict[str, Statistic]:
        """Return every masked metric as something that can be resampled, over the cases."""
        return _statistics(self.ranks)

    def quality(self, resamples: int, seed: int) -> Quality:
        """Return the metrics with their 95% intervals; equal seeds pair them with other models."""
        unmasked = self.unmasked_ranks
        return Quality(
            metrics=bootstrap(self.statistics(), resamples, seed),
            unmasked=None
            if unmasked is None
            else bootstrap(_statistics(unmasked), resamples, seed),
            coverage={f"coverage@{k}": coverage(self.top, self.items, k) for k in CUTOFFS},
            cases=len(self.ranks),
            short_lists=int(((self.top != 0).sum(axis=1) < LIST_LENGTH).sum()),
        )

    def agreement(self, other: Self) -> float:
        """Return the mean share of the masked top 10 in common with another model's, 0...1."""
        return float(top_k_overlap(self.top, other.top, CUTOFFS[0]).mean())

    def save(self, file: Path) -> None:
        """Write the evaluation as `.npz`."""
        arrays: dict[str, NDArray[np.generic]] = {
            "top": self.top,
            "ranks": self.ranks,
            "items": np.array(self.items),
        }
        if self.unmasked_ranks is not None:
            arrays["unmasked_ranks"] = self.unmasked_ranks
        with file.open("wb") as stream:
            np.savez_compressed(stream, allow_pickle=False, **arrays)

    @classmethod
    def load(cls, file: Path) -> "Evaluation":
        """Read what `save` wrote."""
        with np.load(file, allow_pickle=False) as arrays:
            return cls(
                top=arrays["top"],
                ranks=arrays["ranks"],
                unmasked_ranks=arrays.get("unmasked_ranks"),
                items=int(arrays["items"]),
            )


def evaluate(
    runner: Runner,
    unmasked_runner: Runner | None,
    *,
    samples: Samples,
    targets: NDArray[np.int32],
    seen: tuple[NDArray[np.int64], NDArray[np.int32]],
    items: int,
    batch_size: int = DEFAULT_BATCH,
    blocked: BlockedItems = NOTHING_BLOCKED,
    name: str = "A model",
) -> Evaluation:
    """Ask a model for every case and keep where the targets came out.

    Args:
        runner: The model as it is shipped; loaded and released here.
        unmasked_runner: The same model without its mask of seen items, if there is one.
        samples: `history` of each case, `[N, L]` item codes, padded on the left with 0.
        targets: `[N]` item codes.
        seen: Offsets `[N + 1]` and codes: the *complete* history of each case.
        items: Size of the catalogue.
        batch_size: Cases asked together. For a file that quantizes activations it is part of the
            answer: 1 is what an app does.
        blocked: Items that no answer may hold, with the mask or without.
        name: Of the model, for a message.

    Raises:
        ValueError: There are no cases, or the arrays are not of the same cases.
        CheckFailed: A blocked item was answered.
    """
    if not len(samples) == len(targets) == len(seen[0]) - 1:
        raise ValueError(
            f"{len(samples)} histories, {len(targets)} targets and {len(seen[0]) - 1} seen lists "
            "are not of the same cases"
        )
    masked = _rankings(runner, samples, batch_size)
    _refuse_blocked(masked, blocked, name)
    top = drop_seen(masked, *seen, k=LIST_LENGTH)
    unmasked_ranks = None
    if unmasked_runner is not None:
        unmasked = _rankings(unmasked_runner, samples, batch_size)
        _refuse_blocked(unmasked, blocked, f"{name}, its seen items not masked,")
        unmasked_ranks = target_ranks(unmasked[:, :LIST_LENGTH], targets)
    return Evaluation(top, target_ranks(top, targets), unmasked_ranks, items)


def _statistics(ranks: NDArray[np.int64]) -> dict[str, Statistic]:
    return {name: mean_statistic(values) for name, values in ranking_metrics(ranks).items()}


def _rankings(runner: Runner, samples: Samples, batch_size: int) -> NDArray[np.int32]:
    """Return the item codes that the model answers, [N, K]."""
    if not len(samples):
        raise ValueError("no cases to evaluate on")
    with runner:
        answers: list[NDArray[np.int32]] = [
            runner(samples.batch(slice(start, start + batch_size)))["item_ids"]
            for start in range(0, len(samples), batch_size)
        ]
    return np.concatenate(answers).astype(np.int32, copy=False)


def _refuse_blocked(item_ids: NDArray[np.int32], blocked: BlockedItems, name: str) -> None:
    """Refuse answers with a blocked item: whoever measured them would ship the model."""
    is_blocked = np.isin(item_ids, blocked.array)
    if not is_blocked.any():
        return
    found = np.unique(item_ids[is_blocked])
    first = ", ".join(map(str, found[:_MOST_NAMED]))
    raise CheckFailed(
        f"{name} answers {int(is_blocked.any(axis=1).sum()):,} of {len(item_ids):,} test cases "
        f"with {len(found):,} of the {len(blocked):,} blocked items (codes of item-map.json: "
        f"{first}). It must not be shipped: run the export again, and report this as a bug."
    )
