"""BM25 over pieces: what a teacher of text-pair has to beat."""

from pathlib import Path
from typing import Any, ClassVar

import numpy as np
from numpy.typing import NDArray
from scipy import optimize  # type: ignore[import-untyped]  # it ships no type information

from compress.data.pieces import Batch, Pieces
from compress.tasks.text_task import answers_of
from compress.teachers.piece_counts import PieceCounter

SATURATION = 1.2
"""k1: how soon more of the same piece adds nothing."""
LENGTH = 0.75
"""b: how much a long product has to have more of it."""
_RIDGE = 1e-6  # Keeps the grades' curves finite where a score parts them completely.


class Bm25:
    """The product's pieces that the query asks for, rare ones more.

    With `f_i` the count of piece i in the product, l its length and L the mean one,
    `score = sum over the query's pieces of idf_i f_i (k1 + 1) / (f_i + k1 (1 - b + b l / L))`,
    `idf_i = log(1 + (N - n_i + 0.5) / (n_i + 0.5))` for n_i of N products that have it (Robertson
    and Zaragoza 2009, eq. 3.15, with the 1 that keeps the idf of common pieces above 0).

    For grades, probabilities are `softmax_c(intercept_c + slope_c log(1 + score))`, fitted to the
    training pairs (Platt 1999, with more than two outcomes), so that ranking by the expected
    gain is ranking by the score.
    """

    name: ClassVar[str] = "bm25"

    def __init__(
        self,
        counter: PieceCounter,
        idf: NDArray[np.float64],
        mean_length: float,
        curves: NDArray[np.float64],
    ) -> None:
        """Take what was counted.

        Args:
            counter: Counts pieces.
            idf: `[V]`.
            mean_length: Pieces of a product.
            curves: `[C, 2]`, intercept and slope of each grade; `[0, 2]` for scores.
        """
        self.counter = counter
        self.idf = idf
        self.mean_length = mean_length
        self.curves = curves

    @classmethod
    def fit(
        cls, counter: PieceCounter, pieces: Pieces, targets: NDArray[Any], grades: int
    ) -> "Bm25":
        """Count the products of the training pairs, each once, and fit the grades' curves.

        Args:
            counter: Counts pieces.
            pieces: The pairs' pieces; rows after the last target are not read.
            targets: `[N]` grades, or scores.
            grades: C; 0 for scores, whose values are not read.
        """
        having, products, length = np.zeros(counter.vocabulary), 0, 0.0
        # Products of equal counts get the same number, whatever pair they are in.
        code = np.random.default_rng(0).integers(0, 2**40, counter.vocabulary).astype(np.float64)
        known = np.zeros(0)
        for _, batch in counter.batches(pieces, len(targets)):
            product = counter.pair_counts(batch)[1]
            codes, first = np.unique(product @ code, return_index=True)
            new = ~np.isin(codes, known)
            known = np.concatenate([known, codes[new]])
            product = product[first[new]]
            having += np.bincount(product.indices, minlength=counter.vocabulary)
            products += product.shape[0]
            length += float(product.sum())
        idf = np.log1p((products - having + 0.5) / (having + 0.5))
        fitted = cls(counter, idf, length / products or 1.0, np.zeros((0, 2)))
        if grades:
            scores = np.concatenate(
                [fitted.scores(batch) for _, batch in counter.batches(pieces, len(targets))]
            )
            fitted.curves = _curves(np.log1p(scores), targets, grades)
        return fitted

    def scores(self, batch: Batch) -> NDArray[np.float64]:
        """Return BM25 of each pair, `[B]`, at least 0."""
        query, product = self.counter.pair_counts(batch)
        relative = product.sum(axis=1) / self.mean_length
        least = SATURATION * (1.0 - LENGTH + LENGTH * relative)
        rows = np.repeat(np.arange(product.shape[0]), np.diff(product.indptr))
        counts = product.data
        product.data = counts * (SATURATION + 1.0) / (counts + least[rows])
        return np.asarray(query.multiply(product).tocsr() @ self.idf)

    def answers(self, batch: Batch) -> NDArray[np.float32]:
        """Return the probability of each grade, `[B, C]`, or, for scores, BM25 `[B, 1]`."""
        scores = self.scores(batch)
        if not len(self.curves):
            return scores.astype(np.float32)[:, None]
        return answers_of(_logits(self.curves, np.log1p(scores)), "one-of")

    def save(self, path: Path) -> None:
        """Write an `.npz` file."""
        with path.open("wb") as file:
            np.savez(
                file,
                allow_pickle=False,
                name=self.name,
                **self.counter.arrays(),
                idf=self.idf,
                mean_length=self.mean_length,
                curves=self.curves,
            )

    @classmethod
    def load(cls, path: Path) -> "Bm25":
        """Read what `save` wrote."""
        with np.load(path, allow_pickle=False) as arrays:
            return cls(
                PieceCounter.of(arrays),
                arrays["idf"],
                float(arrays["mean_length"]),
                arrays["curves"],
            )


def _logits(curves: NDArray[np.float64], x: NDArray[np.float64]) -> NDArray[np.float64]:
    return curves[:, 0] + x[:, None] * curves[:, 1]


def _curves(x: NDArray[np.float64], grades: NDArray[np.int64], number: int) -> NDArray[np.float64]:
    """Return `[C, 2]` that make the true grades most probable."""
    truth = np.eye(number)[grades]

    def loss(flat: NDArray[np.float64]) -> tuple[float, NDArray[np.float64]]:
        curves = flat.reshape(number, 2)
        logits = _logits(curves, x)
        top = logits.max(axis=1, keepdims=True)
        log_sum = np.log(np.exp(logits - top).sum(axis=1, keepdims=True)) + top
        error = (np.exp(logits - log_sum) - truth) / len(x)
        slope = np.column_stack([error.sum(axis=0), error.T @ x])
        value = ((log_sum[:, 0] - (logits * truth).sum(axis=1)).mean()) + _RIDGE / 2 * flat @ flat
        return float(value), slope.ravel() + _RIDGE * flat

    found = optimize.minimize(
        loss,
        np.zeros(2 * number),
        jac=True,
        method="L-BFGS-B",
        options={"ftol": 1e-12, "gtol": 1e-8},
    )
    return np.asarray(found.x.reshape(number, 2))
