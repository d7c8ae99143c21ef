"""Naive Bayes over piece counts: what a teacher of text-label has to beat."""

from dataclasses import dataclass
from pathlib import Path
from typing import Any, ClassVar, Literal

import numpy as np
from numpy.typing import NDArray
from scipy import sparse  # type: ignore[import-untyped]  # scipy ships no type information

from compress.data.pieces import Batch, Pieces
from compress.tasks.text_task import answers_of
from compress.teachers.piece_counts import PieceCounter


@dataclass(frozen=True, eq=False)
class NaiveBayes:
    """Piece counts that speak for each class.

    With `n_ci` the count of piece i in texts of class c, `n_i` in all texts, `n_c` and `n` their
    sums over i, V pieces and a the smoothing, a text with counts `f_i` has the logits

    - one class of several: `-sum_i f_i log((n_i - n_ci + a) / (n - n_c + a V))`, complement naive
      Bayes, which small classes do not suffer from (Rennie et al. 2003, section 3.1). A class
      without a training text has probability 0.
    - any number of classes: for each class on its own, multinomial naive Bayes of the texts that
      have it against the others, `log(d_c / (d - d_c)) + sum_i f_i (log((n_ci + a) / (n_c + a V))
      - log((n_i - n_ci + a) / (n - n_c + a V)))`, d being numbers of texts.

    Both are written as a sparse table, non-zero only where a class has a piece, plus terms of the
    class and of the piece alone, so that thousands of classes fit into memory. Probabilities are
    the softmax, or the logistic function, of the logits.
    """

    name: ClassVar[str] = "naive-bayes"

    counter: PieceCounter
    target: Literal["one-of", "any-of"]
    weights: sparse.csr_array
    """`[C, V]`: a piece's and a class's part of the logits."""
    of_piece: NDArray[np.float64]
    """`[V]`: a piece's part, for every class."""
    of_count: NDArray[np.float64]
    """`[C]`: a class's part, for every piece."""
    prior: NDArray[np.float64]
    """`[C]`: a class's part."""

    @classmethod
    def fit(
        cls,
        counter: PieceCounter,
        pieces: Pieces,
        targets: NDArray[Any],
        classes: int,
        *,
        smoothing: float = 1.0,
    ) -> "NaiveBayes":
        """Count the training texts.

        Args:
            counter: Counts pieces.
            pieces: The texts' pieces; rows after the last target are not read.
            targets: `[N]` classes, or `[N, C]` of 0 and 1.
            classes: C.
            smoothing: What is added to each count, above 0.
        """
        counts = sparse.csr_array((classes, counter.vocabulary))
        of_all = np.zeros(counter.vocabulary)
        texts = np.zeros(classes)
        for part, batch in counter.batches(pieces, len(targets)):
            found, members = counter.counts(batch), _membership(targets[part], classes)
            counts = counts + members.T @ found
            of_all += found.sum(axis=0)
            texts += members.sum(axis=0)
        class_sums = np.asarray(counts.sum(axis=1))
        mass = smoothing * counter.words
        of_others = np.log(of_all.sum() - class_sums + mass)
        # log(n_i - n_ci + a) - log(n_i + a), 0 where the class lacks the piece.
        cells = counts.tocoo()
        (rows, columns), values = cells.coords, cells.data
        less = np.log1p(-values / (of_all[columns] + smoothing))
        if targets.ndim == 1:
            return cls(
                counter,
                "one-of",
                sparse.csr_array((-less, (rows, columns)), shape=counts.shape),
                np.zeros(counter.vocabulary),  # the same for all classes: no matter in a softmax
                of_others,
                np.where(texts > 0, 0.0, -np.inf),
            )
        more = np.log1p(values / smoothing)
        with np.errstate(divide="ignore"):  # no text, or every text, has the class: certainty
            prior = np.log(texts) - np.log(len(targets) - texts)
        return cls(
            counter,
            "any-of",
            sparse.csr_array((more - less, (rows, columns)), shape=counts.shape),
            np.log(smoothing) - np.log(of_all + smoothing),
            of_others - np.log(class_sums + mass),
            prior,
        )

    def answers(self, batch: Batch) -> NDArray[np.float32]:
        """Return the probability of each class, `[B, C]`."""
        counts = self.counter.counts(batch)
        logits = (
            np.asarray((counts @ self.weights.T).toarray())
            + (counts @ self.of_piece)[:, None]
            + np.outer(counts.sum(axis=1), self.of_count)
            + self.prior
        )
        return answers_of(logits, self.target)

    def save(self, path: Path) -> None:
        """Write an `.npz` file."""
        with path.open("wb") as file:
            np.savez(
                file,
                allow_pickle=False,
                name=self.name,
                **self.counter.arrays(),
                target=self.target,
                data=self.weights.data,
                indices=self.weights.indices,
                indptr=self.weights.indptr,
                of_piece=self.of_piece,
                of_count=self.of_count,
                prior=self.prior,
            )

    @classmethod
    def load(cls, path: Path) -> "NaiveBayes":
        """Read what `save` wrote."""
        with np.load(path, allow_pickle=False) as arrays:
            counter = PieceCounter.of(arrays)
            weights = (arrays["data"], arrays["indices"], arrays["indptr"])
            shape = (len(arrays["prior"]), counter.vocabulary)
            return cls(
                counter,
                "any-of" if arrays["target"] == "any-of" else "one-of",
                sparse.csr_array(weights, shape=shape),
                arrays["of_piece"],
                arrays["of_count"],
                arrays["prior"],
            )


def _membership(targets: NDArray[Any], classes: int) -> sparse.csr_array:
    """Return which class each text has, `[B, C]` of 0 and 1."""
    if targets.ndim == 2:
        return sparse.csr_array(targets.astype(np.float64))
    rows = np.arange(len(targets))
    return sparse.csr_array((np.ones(len(rows)), (rows, targets)), shape=(len(rows), classes))
