"""What a person should know about prepared texts, in sentences."""

from collections import defaultdict
from collections.abc import Iterator

import numpy as np

from compress.data.text_dataset import SPLITS
from compress.data.text_findings import FEW_TEXTS, Findings, listed
from compress.data.text_split import TRAIN
from compress.recipe import TextPair


def warnings(found: Findings) -> list[str]:
    """Return what a person should know, most harmful to the figures first."""
    return [
        *_leakage(found),
        *_classes(found),
        *_left_out(found),
        *_settings(found),
    ]


def _leakage(found: Findings) -> Iterator[str]:
    counts = found.counts
    what = "pairs" if found.source.is_pair else "texts"
    across = counts["duplicates_across_splits"]
    unlabelled = counts["unlabelled_texts_in_validation_or_test"]
    if counts["duplicates_removed"]:
        yield (
            f"{across:,} training {what} and {unlabelled:,} unlabelled ones are also in "
            "validation or test and were removed from what is learnt from."
        )
    elif across or unlabelled:
        yield (
            f"{across:,} training {what} and {unlabelled:,} unlabelled ones are also in "
            f"validation or test ({counts['test_texts_in_training']:,} of "
            f"{counts['test_texts']:,} test {what} are in training): the figures flatter "
            "the models. Set data.duplicates: remove to learn without them."
        )
    if counts["validation_texts_in_test"]:
        yield f"{counts['validation_texts_in_test']:,} validation {what} are also in the test."
    if counts.get("groups_across_splits") and not _ranks_known_queries(found):
        yield (
            f"{counts['groups_across_splits']:,} groups are both trained on and measured on: "
            "set data.split: {kind: grouped}, or keep them apart in the files."
        )


def _ranks_known_queries(found: Findings) -> bool:
    # Files that rank the products of known queries are a usual way to split pairs.
    return found.source.is_pair and found.source.group is None and found.source.has("test")


def _classes(found: Findings) -> Iterator[str]:
    if found.labels.target == "score":
        return
    classes, counts = found.labels.classes, found.counts
    for name in ("test", "validation"):
        if counts[f"{name}_texts_of_unseen_classes"]:
            measured = found.by_class[SPLITS.index(name)]
            unseen = np.flatnonzero((found.by_class[TRAIN] == 0) & (measured > 0))
            yield (
                f"{counts[f'{name}_texts_of_unseen_classes']:,} {name} texts are of classes "
                f"that no training text has ({listed(classes[row] for row in unseen)}): no "
                "model can answer them right."
            )
    if found.rare_classes:
        some = listed(f"{name!r} {count}" for name, count in found.rare_classes.items())
        yield (
            f"{len(found.rare_classes):,} of {len(classes):,} classes have fewer than {FEW_TEXTS} "
            f"training texts: {some}."
        )
    if found.texts.classes_without_texts:
        yield (
            "Only rows that were left out have the classes "
            f"{listed(map(repr, found.texts.classes_without_texts))}: they are no classes now."
        )
    alike = defaultdict(list)
    for name in classes:
        alike[" ".join(name.casefold().split())].append(name)
    for names in alike.values():
        if len(names) > 1:
            yield f"These classes differ only in case or spaces: {listed(map(repr, names))}."
    joined = [] if found.labels.target == "any-of" else _joined_classes(classes)
    if joined:
        yield (
            f"These classes look like several in one: {listed(map(repr, joined))}. If a text may "
            "have several, set task.multi_label: true."
        )
    if counts.get("training_texts_with_conflicting_labels"):
        yield (
            f"{counts['training_texts_with_conflicting_labels']:,} different training texts "
            "occur with several classes: none of them can be learnt."
        )
    if found.labels.target == "any-of" and not counts["texts_of_several_classes"]:
        yield (
            "No text has several classes. Check data.source.columns.label_separator, or set "
            "task.multi_label: false."
        )


def _joined_classes(classes: tuple[str, ...]) -> list[str]:
    """Return the names that other names make up, put together by a usual separator."""
    known = set(classes)
    return [
        name
        for name in classes
        for separator in (",", ";", "|")
        if separator in name and known.issuperset(part.strip() for part in name.split(separator))
    ]


def _left_out(found: Findings) -> Iterator[str]:
    counts = found.counts
    if counts["rows_without_label"]:
        yield (
            f"Left out: {counts['rows_without_label']:,} rows without a label (column "
            f"{found.source.label!r}). A file under data.source.unlabelled lets the student "
            "learn from such texts."
        )
    what = "pairs without a query or a product" if found.source.is_pair else "empty texts"
    if counts["empty_texts_dropped"]:
        yield f"Left out: {counts['empty_texts_dropped']:,} {what} (data.empty_texts: drop)."
    elif counts["empty_texts"]:
        yield f"Kept: {counts['empty_texts']:,} {what} (data.empty_texts: keep)."
    if counts.get("texts_without_group"):
        yield (
            f"{counts['texts_without_group']:,} rows have no group (column "
            f"{found.source.group!r}): each is one of its own."
        )


def _settings(found: Findings) -> Iterator[str]:
    if found.rule is None and found.data.split is not None:
        yield "data.split does nothing: the files give every split."
    if found.source.label_separator is not None and found.labels.target != "any-of":
        yield "data.source.columns.label_separator does nothing without task.multi_label: true."
    gains = found.task.gains if isinstance(found.task, TextPair) else None
    unused = sorted(set(gains or ()) - set(found.labels.classes))
    if unused:
        yield f"task.gains names grades that no pair has: {listed(map(repr, unused))}."
