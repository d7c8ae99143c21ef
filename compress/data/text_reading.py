"""Tables of texts read once, in bounded batches: texts to a file, the rest as flat arrays."""

from collections.abc import Callable
from dataclasses import dataclass, field
from pathlib import Path

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc
import pyarrow.ipc
from numpy.typing import NDArray

from compress.data.columns import Column, is_blank
from compress.data.table_batch import TableBatch
from compress.data.table_file import read_batches
from compress.data.text_columns import class_names, joined_texts
from compress.data.text_dataset import SPLITS
from compress.data.text_duplicates import pair_hashes, text_hashes
from compress.data.text_labels import LabelReader, Labels
from compress.data.text_source import TextSource
from compress.recipe import TextLabel, TextPair

BATCH_ROWS = 4096
"""Rows that are read, and written, at once; bounds the memory that texts take."""

_NO_GROUP = np.int64(-1)


@dataclass(frozen=True)
class ReadTexts:
    """What was read: N examples that are kept, those without a label last.

    Attributes:
        origins: uint8 [N], the number of the split that the example's file is given for.
        hashes: uint64 [N], equal for equal texts.
        groups: int64 [N], numbers of groups by first appearance; an example without a group is one
            of its own.
        has_groups: Whether examples come in groups at all.
        labels: Of the examples that are not unlabelled.
        classes_without_texts: Classes that only rows have that are left out.
        counts: Rows read and left out, by name.
    """

    origins: NDArray[np.uint8]
    hashes: NDArray[np.uint64]
    groups: NDArray[np.int64]
    has_groups: bool
    labels: Labels
    classes_without_texts: tuple[str, ...]
    counts: dict[str, int]


def text_schema(is_pair: bool) -> pa.Schema:
    """Return the columns of a file of texts. 64-bit offsets: a split may pass 2 GiB of text."""
    names = ("first", "second") if is_pair else ("first",)
    return pa.schema([(name, pa.large_string()) for name in names])


@dataclass
class TextReading:
    """One reading of all files.

    Holds per example 1 byte of origin, 8 of hash, 8 of group and 12 for each label (4 for the value
    and 8 for whose it is), and of the text itself one batch.
    """

    source: TextSource
    task: TextLabel | TextPair
    keep_empty: bool
    progress: Callable[[str], None]
    _origins: list[NDArray[np.uint8]] = field(default_factory=list)
    _hashes: list[NDArray[np.uint64]] = field(default_factory=list)
    _groups: list[NDArray[np.uint64]] = field(default_factory=list)
    _grouped: list[NDArray[np.bool_]] = field(default_factory=list)

    def __post_init__(self) -> None:
        self.counts = dict.fromkeys(
            (
                "rows_read",
                "rows_beyond_first",
                "rows_without_label",
                "empty_texts",
                "empty_texts_dropped",
            ),
            0,
        )
        self._labels = LabelReader(self.task, self.source.label_separator)

    def read(self, texts_file: Path) -> ReadTexts:
        """Read all files, and write the kept examples' texts to one Arrow IPC file, in order.

        Raises:
            DataError: A file, column or cell is faulty; the message names it.
        """
        schema = text_schema(self.source.is_pair)
        with pa.ipc.new_file(texts_file, schema) as file:
            for split, path in self.source.files:
                self._read_file(split, path, file, schema)
        labels, without = self._labels.finish()
        has_groups = self.source.group is not None or self.source.is_pair
        groups, ungrouped = self._group_numbers()
        if self.source.group is not None:
            self.counts["texts_without_group"] = ungrouped
        return ReadTexts(
            origins=np.concatenate([np.zeros(0, np.uint8), *self._origins]),
            hashes=np.concatenate([np.zeros(0, np.uint64), *self._hashes]),
            groups=groups,
            has_groups=has_groups,
            labels=labels,
            classes_without_texts=without,
            counts=self.counts,
        )

    def _read_file(
        self, split: str, path: Path, file: pa.ipc.RecordBatchFileWriter, schema: pa.Schema
    ) -> None:
        source, labelled = self.source, split != "unlabelled"
        texts = (*source.first, *(source.second or ()))
        others = (source.label, source.group) if labelled else ()
        names = list(dict.fromkeys([*texts, *(name for name in others if name is not None)]))
        lists = {source.label: source.label_separator} if self.task.target == "any-of" else {}
        for batch in read_batches(path, (), names, BATCH_ROWS, lists):
            self._read_batch(split, path, self._first_rows(batch), file, schema)
            self.progress(f"{path.name}: {self.counts['rows_read']:,} rows read so far")

    def _first_rows(self, batch: TableBatch) -> TableBatch:
        rows = len(batch.rows)
        before = self.counts["rows_read"] - self.counts["rows_beyond_first"]
        limit = self.source.first_rows
        used = rows if limit is None else min(rows, limit - before)
        self.counts["rows_read"] += rows
        self.counts["rows_beyond_first"] += rows - used
        if used == rows:
            return batch
        return TableBatch(
            {name: values[:used] for name, values in batch.columns.items()}, batch.rows[:used]
        )

    def _read_batch(
        self,
        split: str,
        path: Path,
        batch: TableBatch,
        file: pa.ipc.RecordBatchFileWriter,
        schema: pa.Schema,
    ) -> None:
        columns = {
            name: Column(path, name, values, batch.rows) for name, values in batch.columns.items()
        }
        source, labelled = self.source, split != "unlabelled"
        texts = [self._joined(columns, source.first)]
        if source.second is not None:
            texts.append(self._joined(columns, source.second))
        empty = np.zeros(len(batch.rows), bool)
        for text in texts:
            empty |= is_blank(text).to_numpy(zero_copy_only=False)
        parsed = self._labels.parse(columns[source.label]) if labelled else None
        missing = np.zeros_like(empty) if parsed is None else parsed.missing
        wanted = ~missing if self.keep_empty else ~missing & ~empty
        self.counts["rows_without_label"] += int(missing.sum())
        self.counts["empty_texts"] += int((empty & ~missing).sum())
        self.counts["empty_texts_dropped"] += int((~missing & ~wanted).sum())
        if parsed is not None:
            self._labels.keep(parsed, wanted)
        kept = [text.filter(pa.array(wanted)) for text in texts]
        hashes = [text_hashes(text.to_pylist()) for text in kept]
        file.write_batch(pa.record_batch(kept, schema=schema))
        self._hashes.append(pair_hashes(*hashes) if len(hashes) == 2 else hashes[0])
        self._origins.append(np.full(len(hashes[0]), SPLITS.index(split), np.uint8))
        if labelled:
            group = columns[source.group] if source.group is not None else None
            self._read_groups(group, hashes[0], wanted)

    def _joined(self, columns: dict[str, Column], names: tuple[str, ...]) -> pa.LargeStringArray:
        return joined_texts([columns[name] for name in names], self.source.joined_by)

    def _read_groups(
        self, column: Column | None, first: NDArray[np.uint64], wanted: NDArray[np.bool_]
    ) -> None:
        if column is None:
            # Pairs belong together by query, single texts not at all.
            self._groups.append(first)
            self._grouped.append(np.full(len(first), self.source.is_pair))
            return
        names = class_names(column).filter(pa.array(wanted))
        encoded = names.fill_null("").dictionary_encode()
        hashes = text_hashes(encoded.dictionary.to_pylist())
        self._groups.append(hashes[encoded.indices.to_numpy(zero_copy_only=False)])
        self._grouped.append(pc.is_valid(names).to_numpy(zero_copy_only=False))

    def _group_numbers(self) -> tuple[NDArray[np.int64], int]:
        """Return the groups' numbers, and how many examples have no group."""
        hashes = np.concatenate([np.zeros(0, np.uint64), *self._groups])
        grouped = np.concatenate([np.zeros(0, bool), *self._grouped])
        _, first, inverse = np.unique(hashes[grouped], return_index=True, return_inverse=True)
        numbers = np.empty(len(first), np.int64)
        numbers[np.argsort(first)] = np.arange(len(first))
        groups = np.full(len(hashes), _NO_GROUP)
        groups[grouped] = numbers[inverse]
        alone = int((~grouped).sum())
        groups[~grouped] = len(first) + np.arange(alone)
        return groups, alone
