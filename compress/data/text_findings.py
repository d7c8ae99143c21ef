"""What is found in split texts: how many of what, by name."""

from collections.abc import Iterable
from dataclasses import dataclass
from functools import cached_property

import numpy as np
from numpy.typing import NDArray

from compress.data.text_dataset import SPLITS
from compress.data.text_duplicates import pair_hashes
from compress.data.text_labels import Labels
from compress.data.text_reading import ReadTexts
from compress.data.text_source import TextSource
from compress.data.text_split import TEST, TRAIN, VALIDATION
from compress.recipe import Grouped, PairData, Stratified, TextData, TextLabel, TextPair

FEW_TEXTS = 10
"""A class with fewer training texts is warned of."""

_NAMED = 5
"""Names that a sentence lists before it says how many more there are."""


@dataclass(frozen=True)
class Findings:
    """Texts that are read and split, and what was found in them.

    Attributes:
        data: The recipe's section.
        task: The recipe's section.
        source: Where the texts are from.
        rule: How what the files do not split was split; None: the files split it all.
        texts: What was read: N examples.
        splits: uint8 [N], the number of each example's split, or `REMOVED`.
        duplicates: Counts of texts that occur more than once, by name.
    """

    data: TextData | PairData
    task: TextLabel | TextPair
    source: TextSource
    rule: Stratified | Grouped | None
    texts: ReadTexts
    splits: NDArray[np.uint8]
    duplicates: dict[str, int]

    @property
    def labels(self) -> Labels:
        """What is true of the labelled examples."""
        return self.texts.labels

    @property
    def labelled_splits(self) -> NDArray[np.uint8]:
        """`splits` of the examples that are not unlabelled, which come first."""
        return self.splits[: self.labels.count]

    @cached_property
    def sizes(self) -> tuple[int, ...]:
        """The number of examples in each of `SPLITS`."""
        return tuple(int((self.splits == split).sum()) for split in range(len(SPLITS)))

    @cached_property
    def by_class(self) -> dict[int, NDArray[np.int64]]:
        """int64 [C] for each labelled split: how many of its examples have each class."""
        return {
            split: self.labels.class_counts(self.splits == split)
            for split in (TRAIN, VALIDATION, TEST)
        }

    @cached_property
    def rare_classes(self) -> dict[str, int]:
        """Classes with few training texts, and how many they have."""
        counts = self.by_class[TRAIN]
        rows = np.flatnonzero(counts < FEW_TEXTS)
        return {self.labels.classes[row]: int(counts[row]) for row in rows}

    @cached_property
    def counts(self) -> dict[str, int]:
        """Everything that was counted, from the rows read to what is in each split."""
        return {
            **self.texts.counts,
            **{f"{name}_texts": size for name, size in zip(SPLITS, self.sizes, strict=True)},
            **self.duplicates,
            **self._group_counts(),
            **self._class_counts(),
        }

    def _group_counts(self) -> dict[str, int]:
        if not self.texts.has_groups:
            return {}
        groups, splits = self.texts.groups, self.labelled_splits
        trained = np.unique(groups[splits == TRAIN])
        measured = np.unique(groups[(splits == VALIDATION) | (splits == TEST)])
        return {
            "groups": int(groups.max(initial=-1)) + 1,
            "groups_across_splits": len(np.intersect1d(trained, measured, assume_unique=True)),
        }

    def _class_counts(self) -> dict[str, int]:
        if self.labels.target == "score":
            return {}
        counts = {
            "classes": len(self.labels.classes),
            "classes_with_few_training_texts": len(self.rare_classes),
            "classes_without_texts": len(self.texts.classes_without_texts),
            "validation_texts_of_unseen_classes": self._of_unseen(VALIDATION),
            "test_texts_of_unseen_classes": self._of_unseen(TEST),
        }
        labels, hashes = self.labels, self.texts.hashes
        if labels.target == "any-of":
            classes_of = np.bincount(labels.owners, minlength=labels.count)
            kept = self.labelled_splits <= TEST
            counts["texts_of_no_class"] = int((classes_of[kept] == 0).sum())
            counts["texts_of_several_classes"] = int((classes_of[kept] > 1).sum())
        else:
            rows = np.flatnonzero(self.labelled_splits == TRAIN)
            mine, codes = hashes[rows], labels.values[rows].astype(np.uint64)
            _, first = np.unique(pair_hashes(mine, codes), return_index=True)
            _, distinct = np.unique(mine[first], return_counts=True)
            counts["training_texts_with_conflicting_labels"] = int((distinct > 1).sum())
        return counts

    def _of_unseen(self, split: int) -> int:
        """Count the examples of a split that have a class which no training text has."""
        unseen = self.by_class[TRAIN] == 0
        owners = self.labels.owners[unseen[self.labels.values.astype(np.int64)]]
        return len(np.unique(owners[self.splits[owners] == split]))


def listed(names: Iterable[str]) -> str:
    """Return the first names, and how many more there are."""
    every = list(names)
    more = f" and {len(every) - _NAMED:,} more" if len(every) > _NAMED else ""
    return ", ".join(every[:_NAMED]) + more
