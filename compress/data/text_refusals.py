"""Texts that nothing can be learnt from or measured on: refused with what to do."""

import numpy as np

from compress.data.text_dataset import SPLITS
from compress.data.text_findings import Findings, listed
from compress.data.text_labels import gains_of
from compress.data.text_split import TEST, TRAIN, VALIDATION
from compress.errors import DataError
from compress.recipe import Grouped

MINIMUM_TEXTS = 2
"""A split with fewer examples teaches or measures nothing."""


def refuse_unusable(found: Findings) -> None:
    """Raise if nothing can be learnt or measured.

    Raises:
        DataError: A split is nearly empty, all training texts say the same, or grades are all
            worth the same.
    """
    for split in (TRAIN, VALIDATION, TEST):
        if found.sizes[split] < MINIMUM_TEXTS:
            raise _too_small(found, split)
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
