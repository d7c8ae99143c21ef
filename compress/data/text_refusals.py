"""Texts that nothing can be learnt from or measured on: refused with what to do."""

import numpy as np

from compress.data.text_dataset import SPLITS
from compress.data.text_findings import Findings, listed
from compress.data.text_labels import gains_of
from compress.data.text_split import TEST, TRAIN, VALIDATION
from compress.errors import DataError
from compress.recipe import Grouped, TextPair

MINIMUM_TEXTS = 2
"""A split with fewer examples teaches or measures nothing."""


def refuse_unusable(found: Findings) -> None:
    """Raise if nothing can be learnt or measured.

    Raises:
        DataError: A split is nearly empty, all training texts say the same, grades are all worth
            the same, or no answer to the texts of validation or test is better than another.
    """
    for split in (TRAIN, VALIDATION, TEST):
        if found.sizes[split] < MINIMUM_TEXTS:
            raise _too_small(found, split)
    _refuse_unlearnable(found)
    for split in (VALIDATION, TEST):
        problem = _unmeasurable(found, split)
        if problem is not None:
            raise DataError(
                f"{_path(found, split)}, column {found.source.label!r}: {problem[0]}, so nothing "
                f"can be measured on the {SPLITS[split]} split. {problem[1]}"
            )


def _refuse_unlearnable(found: Findings) -> None:
    where, column = _path(found, TRAIN), found.source.label
    if found.labels.target == "score":
        rows = found.labelled_splits == TRAIN
        if len(np.unique(found.labels.values[rows])) < 2:
            raise DataError(
                f"{where}, column {column!r}: all training scores are equal, so there is "
                "nothing to learn. Check data.source.columns.relevance."
            )
        return
    counts = found.by_class[TRAIN]
    known = [found.labels.classes[code] for code in np.flatnonzero(counts)]
    if found.labels.target == "one-of" and len(known) < 2:
        raise DataError(
            f"{where}, column {column!r}: all {found.sizes[TRAIN]:,} training texts are of the "
            f"class {known[0]!r}. There is nothing to learn from one class: check the column, "
            "or give texts of other classes, too."
        )
    if found.labels.target == "any-of" and not ((counts > 0) & (counts < found.sizes[TRAIN])).any():
        raise DataError(
            f"{where}, column {column!r}: all training texts have the same classes "
            f"({listed(known) or 'none'}), so there is nothing to learn. Check the column."
        )
    gains = gains_of(found.labels.classes, found.task)
    if gains is not None and len(set(gains)) < 2:
        raise DataError(
            f"task.gains: the grades {listed(found.labels.classes)} are all worth "
            f"{gains[0]:g}, so there is nothing to rank. Give them different gains."
        )


def _unmeasurable(found: Findings, split: int) -> tuple[str, str] | None:
    """Return why no metric of the task exists for a split, and what to do; None: it does."""
    name, labels = SPLITS[split], found.labels
    if labels.target == "any-of":
        if found.by_class[split].any():
            return None
        return f"none of the {found.sizes[split]:,} {name} texts has a class", _more(found, split)
    if not isinstance(found.task, TextPair):
        return None
    worth = labels.values[found.labelled_splits == split].astype(np.float64)
    least, what = found.task.relevant_from, "score"
    if least is not None and labels.target == "score":
        least = float(np.float32(least))  # as the scores are kept
    gains = gains_of(labels.classes, found.task)
    if gains is not None:
        worth, what = np.array(gains)[worth.astype(np.int64)], "gain"
        least = least or max(gains)
    if gains is not None and not worth.any():
        return f"none of the {len(worth):,} {name} pairs has a gain above 0", _more(found, split)
    if gains is None and worth.min() == worth.max():
        return f"all {len(worth):,} {name} pairs have the score {worth[0]:g}", _more(found, split)
    if least is not None and worth.max() < least:
        return (
            f"none of the {len(worth):,} {name} pairs is relevant, of a {what} of {least:g} or "
            "more",
            f"{_more(found, split)} Or set a lower task.relevant_from: the highest {what} there "
            f"is {worth.max():g}.",
        )
    return None


def _more(found: Findings, split: int) -> str:
    name = SPLITS[split]
    if found.source.has(name):
        return f"Check the column, or give a {name} file with others."
    return "Check the column, give more data, or choose another data.split.seed."


def _too_small(found: Findings, split: int) -> DataError:
    name, size = SPLITS[split], found.sizes[split]
    counts = found.counts
    reasons = [
        f"{counts[key]:,} {what}"
        for key, what in (
            ("rows_beyond_first", "beyond first_texts"),
            ("rows_without_label", "without a label"),
            ("empty_texts_dropped", "without text"),
            ("duplicates_removed", "removed as duplicates of validation or test"),
        )
        if counts[key]
    ]
    left_out = f" (of all rows left out: {'; '.join(reasons)})" if reasons else ""
    if found.source.has(name) and split != TRAIN:
        advice = f"Give a {name} file with more texts."
    elif isinstance(found.rule, Grouped):
        advice = (
            f"There are {counts['groups']:,} groups, and a group is never divided: give data "
            "with more groups, make the shares of data.split larger, or choose "
            "{kind: stratified}."
        )
    elif len(found.labels.classes) > max(10, found.labels.count / 2):
        advice = (
            f"There are {len(found.labels.classes):,} classes for {found.labels.count:,} texts: "
            f"is {found.source.label!r} the column of the classes?"
        )
    else:
        advice = "Give more texts, or make the shares of data.split larger."
    return DataError(
        f"{_path(found, split)}: the {name} split has {size:,} usable texts{left_out}, at least "
        f"{MINIMUM_TEXTS} are needed. {advice}"
    )


def _path(found: Findings, split: int) -> str:
    files = dict(found.source.files)
    return str(files.get(SPLITS[split], files["train"]))
