"""Does a next-item file rank as the student does? If not, it is refused."""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field, replace
from typing import Any

import numpy as np
from numpy.typing import NDArray

from compress.metrics import top_k_overlap
from compress.tasks.item_codes import FIRST_ITEM, IMPOSSIBLE
from export.verification import Check

TOP = 10
MOST_KEPT_WHOLE = 10_000
"""Items up to which a reference keeps the student's score of every one."""
BEST_KEPT = 1000
"""Items a history whose scores it keeps in a larger catalogue."""
MOST_NAMED = 10
"""Blocked items that a fault names."""


@dataclass(frozen=True)
class Tolerance:
    """How far a file may be from the student it was made from."""

    agreement: float
    """Least mean share of the student's top 10 that the file's top 10 has."""
    difference: float
    """Largest absolute difference of a returned item's score, in any history."""
    regret: float
    """Most that the student's score of the file's n-th item may lie below that of its own n-th
    item, for each n of the top 10 and of all K of each history: what a mean cannot hide."""


TOLERANCES = {
    "fp32": Tolerance(agreement=0.999, difference=1e-3, regret=1e-3),
    "fp16": Tolerance(agreement=0.99, difference=0.05, regret=0.05),
    "int8-dynamic": Tolerance(agreement=0.90, difference=1.0, regret=0.5),
    "int8-static": Tolerance(agreement=0.90, difference=1.0, regret=0.5),
    "int8-weight": Tolerance(agreement=0.97, difference=0.5, regret=0.25),
    "palettized-6": Tolerance(agreement=0.93, difference=1.0, regret=0.5),
    "int4-weight": Tolerance(agreement=0.80, difference=2.0, regret=1.0),
    "palettized-4": Tolerance(agreement=0.80, difference=2.0, regret=1.0),
}
"""By scheme. Scores are logits: a difference of 1 is a factor of e in probability.

fp32 and fp16 follow from arithmetic: a logit of 16 to 32 rounds by up to 2^-7 in fp16, so that 0.05
is half a dozen of the worst roundings. If no score of a file is off by more than e, no regret is
more than 2e at any rank, so that the last items are held to what the first are. The others are
judgement, set before any file of theirs was measured (docs/verification.md says by what reasoning),
and never widened to let a file pass.
"""


@dataclass(frozen=True, eq=False)
class Reference:
    """What the PyTorch student answers."""

    histories: NDArray[np.int32]
    """`[N, L]`."""
    scores: NDArray[np.float32]
    """`[N, items + 2]`, by item code, nothing masked; or `[N, M]`, of the items in `best`."""
    item_ids: NDArray[np.int32]
    """`[N, K]`, best first, as deployed."""
    mask_seen: bool
    best: NDArray[np.int32] | None = None
    """`[N, M]`: the codes that `scores` is of, best first, none of them one that is masked. None:
    it is of all."""
    items: int | None = None
    """Size of the catalogue, where `best` is given."""
    blocked: NDArray[np.int32] = field(default_factory=lambda: np.empty(0, dtype=np.int32))
    """`[n]`: codes of items that are never returned."""

    @property
    def codes(self) -> int:
        """How many item codes there are, padding and unknown among them."""
        return self.scores.shape[1] if self.items is None else self.items + FIRST_ITEM

    def shortened(self, most_whole: int = MOST_KEPT_WHOLE, kept: int = BEST_KEPT) -> "Reference":
        """Return what a file is compared with in bounded memory: itself in a small catalogue.

        Args:
            most_whole: Items up to which all scores are kept.
            kept: How many are kept of a larger catalogue, but never fewer than K.
        """
        items = self.codes - FIRST_ITEM
        if self.best is not None or items <= most_whole:
            return self
        kept = min(items, max(kept, self.item_ids.shape[1]))
        best = np.empty((len(self.histories), kept), dtype=np.int32)
        scores = np.empty(best.shape, dtype=np.float32)
        for row, own in enumerate(self.scores):
            allowed = own.copy()
            allowed[:FIRST_ITEM] = -np.inf
            if self.mask_seen:
                allowed[self.histories[row]] = -np.inf
            top = np.argpartition(-allowed, kept - 1)[:kept]
            best[row] = top[np.argsort(-allowed[top], kind="stable")]
            scores[row] = own[best[row]]
        return replace(self, scores=scores, best=best, items=items)

    def scores_of(self, item_ids: NDArray[np.int32]) -> tuple[NDArray[np.float32], NDArray[Any]]:
        """Return the student's scores of items, and whether they are known.

        An unknown one is given the least of its history's known scores, which it cannot exceed.

        Args:
            item_ids: `[N, K]` codes of the catalogue.

        Returns:
            `[N, K]` float32 and `[N, K]` bool.
        """
        if self.best is None:
            return np.take_along_axis(self.scores, item_ids, axis=1), np.ones(item_ids.shape, bool)
        rows = np.arange(len(item_ids), dtype=np.int64)[:, None] * self.codes
        keys, wanted = (rows + self.best).ravel(), rows + item_ids
        order = np.argsort(keys)
        place = order[np.minimum(np.searchsorted(keys, wanted, sorter=order), keys.size - 1)]
        known = keys[place] == wanted
        least = self.scores.min(axis=1, keepdims=True)
        found = np.where(known, self.scores.ravel()[place], least)
        return np.where(item_ids == 0, np.float32(IMPOSSIBLE), found), known


def compare_answers(
    answers: Mapping[str, NDArray[Any]], reference: Reference, tolerance: Tolerance
) -> Check:
    """Compare named answers with the student's; see `compare`."""
    for name in ("item_ids", "scores"):
        if name not in answers:
            return Check.failed(f"it does not return {name}", len(reference.histories))
    return compare(answers["item_ids"], answers["scores"], reference, tolerance)


def compare(
    item_ids: NDArray[np.int32],
    scores: NDArray[np.float32],
    reference: Reference,
    tolerance: Tolerance,
) -> Check:
    """Compare answers with the student's.

    Args:
        item_ids: `[N, K]`.
        scores: `[N, K]`.
        reference: The student's answers.
        tolerance: What is allowed.
    """
    expected = reference.item_ids.shape
    count = len(reference.histories)
    if item_ids.shape != expected or scores.shape != expected:
        fault = f"item_ids {item_ids.shape} and scores {scores.shape} instead of {expected}"
        return Check.failed(fault, count)
    if item_ids.dtype != np.int32 or scores.dtype != np.float32:
        fault = f"item_ids are {item_ids.dtype} and scores {scores.dtype}, not int32 and float32"
        return Check.failed(fault, count)
    if not np.isfinite(scores).all():
        return Check.failed("a score is not a finite number", count)
    if ((item_ids < 0) | (item_ids == 1) | (item_ids >= reference.codes)).any():
        return Check.failed("an item id is not in the catalogue", count)

    real = item_ids != 0
    faults = list(_contract_faults(item_ids, scores, reference))
    overlap = float(top_k_overlap(item_ids, reference.item_ids, TOP).mean())
    own, known = reference.scores_of(item_ids)
    apart = np.where(known, np.abs(scores - own), scores - own)  # unknown: at most that of `own`
    difference = float(apart[real].max(initial=0.0))
    regrets = {
        places: _largest_regret(own, item_ids, reference, places)
        for places in sorted({min(TOP, expected[1]), expected[1]})
    }
    worst = max(regrets, key=lambda places: regrets[places])
    regret = regrets[worst]
    if overlap < tolerance.agreement:
        faults.append(
            f"top-{TOP} overlap with the student is {overlap:.4f}, below {tolerance.agreement}"
        )
    if difference > tolerance.difference:
        faults.append(
            f"a score differs from the student's by {difference:.3g}, "
            f"more than {tolerance.difference:g}"
        )
    if regret > tolerance.regret:
        faults.append(
            f"for some history an item of the top {worst} is one that the student scores "
            f"{regret:.3g} below its own, more than {tolerance.regret:g}"
        )
    return Check(count, overlap, difference, regret, tuple(faults))


def _contract_faults(
    item_ids: NDArray[np.int32], scores: NDArray[np.float32], reference: Reference
) -> Iterator[str]:
    """What the deploy contract forbids, whatever the scheme."""
    yield from _blocked_faults(item_ids, reference.blocked)
    real = item_ids != 0
    ordered = np.sort(np.where(real, item_ids, -np.arange(item_ids.shape[1]) - 1), axis=1)
    if (ordered[:, 1:] == ordered[:, :-1]).any():
        yield "an item is returned twice for one history"
    if (np.diff(scores, axis=1) > 0).any():
        yield "scores are not in descending order"
    if (real != (reference.item_ids != 0)).any():
        yield "a history has more or fewer items returned than the student returns"
    if (scores[~real] != IMPOSSIBLE).any():
        yield f"where no item is returned a score is not {IMPOSSIBLE:g}"
    if reference.mask_seen:
        pairs = zip(item_ids, reference.histories, strict=True)
        if any((np.isin(given, seen) & (given != 0)).any() for given, seen in pairs):
            yield "an item of the history is returned although seen items are masked"


def _blocked_faults(item_ids: NDArray[np.int32], blocked: NDArray[np.int32]) -> Iterator[str]:
    """Say which blocked items are among the answers, at whatever place of whatever history."""
    returned = np.isin(item_ids, blocked)
    if not returned.any():
        return
    codes = np.unique(item_ids[returned]).tolist()
    named = ", ".join(str(code) for code in codes[:MOST_NAMED])
    more = f" and {len(codes) - MOST_NAMED} more" if len(codes) > MOST_NAMED else ""
    items = "a blocked item is" if len(codes) == 1 else f"{len(codes)} blocked items are"
    cases = int(returned.any(axis=1).sum())
    yield (
        f"{items} returned, in {cases} of {len(item_ids)} histories: code {named}{more} "
        "of item-map.json"
    )


def _largest_regret(
    own: NDArray[np.float32], item_ids: NDArray[np.int32], reference: Reference, places: int
) -> float:
    """How far the student's scores of the file's first items lie below those of its own."""
    best = reference.scores_of(reference.item_ids)[0][:, :places]
    given = -np.sort(-own[:, :places], axis=1)
    both = (item_ids[:, :places] != 0) & (reference.item_ids[:, :places] != 0)
    return float((best - given)[both].max(initial=0.0))
