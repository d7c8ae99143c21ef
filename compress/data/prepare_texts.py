"""From the recipe's `data` section to prepared texts in splits.

Rows are streamed: the text of a few thousand is in memory at a time. What grows with the number of
examples is their flat arrays (a hash, a group, labels, a split: about 30 bytes each) and copies of
them while they are sorted: about 130 bytes an example in all.
"""

import errno
import json
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pyarrow as pa
import pyarrow.ipc
from numpy.typing import NDArray

from compress.data.package_archive import print_to_stderr
from compress.data.text_dataset import SCHEMA, SPLITS
from compress.data.text_duplicates import also_measured, count_duplicates
from compress.data.text_findings import Findings
from compress.data.text_labels import Labels, gains_of
from compress.data.text_reading import BATCH_ROWS, ReadTexts, TextReading, text_schema
from compress.data.text_refusals import refuse_unusable
from compress.data.text_source import TextSource, text_fingerprint, text_source
from compress.data.text_split import (
    REMOVED,
    TEST,
    TRAIN,
    UNLABELLED,
    VALIDATION,
    grouped_split,
    rarest_classes,
    stratified_split,
)
from compress.data.text_warnings import warnings
from compress.errors import DataError
from compress.recipe import Grouped, PairData, Stratified, TextData, TextLabel, TextPair

__all__ = ["prepare_texts", "text_fingerprint"]

_SPOOL = ".texts.arrow"


def prepare_texts(
    data: TextData | PairData,
    task: TextLabel | TextPair,
    recipe_folder: Path,
    into: Path,
    cache: Path | None = None,
    *,
    progress: Callable[[str], None] = print_to_stderr,
) -> None:
    """Write the files that `compress.data.text_dataset.TextDataset.open` reads.

    The same input gives the same bytes.

    Args:
        data: The recipe's section.
        task: The recipe's section: says what a label is.
        recipe_folder: What relative paths count from.
        into: Folder to write to; made if it is not there. Needs room for the texts twice.
        cache: Where built-in data is kept; None: the user's cache folder.
        progress: Is told what happens, one line at a time.

    Raises:
        DataError: The input is faulty or too small; the message names file, row and column.
        DownloadError: Built-in data could not be fetched.
    """
    source = text_source(data, recipe_folder, cache, progress)
    try:
        into.mkdir(parents=True, exist_ok=True)
        _prepare(data, task, source, into, progress)
    except OSError as error:
        full = error.errno in (errno.ENOSPC, errno.EDQUOT)
        raise DataError(
            f"{into}: could not be written: {'the disk is full' if full else error.strerror}. "
            "Preparing needs room for all texts twice; free some space, permit writing there, or "
            "choose another folder with --out."
        ) from error


def _prepare(
    data: TextData | PairData,
    task: TextLabel | TextPair,
    source: TextSource,
    into: Path,
    progress: Callable[[str], None],
) -> None:
    spool = into / _SPOOL
    keep_empty = data.empty_texts == "keep"
    texts = TextReading(source, task, keep_empty, progress).read(spool)
    progress("splitting")
    rule = _rule(data, source, texts)
    splits = _splits(rule, source, texts)
    duplicates = count_duplicates(texts.hashes, splits)
    removed = np.zeros(len(splits), bool)
    if data.duplicates == "remove":
        for learned in (TRAIN, UNLABELLED):
            removed |= also_measured(texts.hashes, splits, learned)
    splits[removed] = REMOVED
    duplicates["duplicates_removed"] = int(removed.sum())
    findings = Findings(data, task, source, rule, texts, splits, duplicates)
    refuse_unusable(findings)
    progress("writing")
    _write_texts(spool, splits, into, source.is_pair)
    _write_labels(texts.labels, texts.groups, splits, into)
    spool.unlink()
    description = {
        "schema": SCHEMA,
        "name": source.name,
        "is_pair": source.is_pair,
        "target": task.target,
        "classes": texts.labels.classes,
        "gains": gains_of(texts.labels.classes, task),
        "counts": findings.counts,
        "warnings": warnings(findings),
        "split_rule": _described(rule, source),
    }
    written = json.dumps(description, indent=2, ensure_ascii=False)
    (into / "dataset.json").write_text(written + "\n", encoding="utf-8")
    progress(", ".join(f"{findings.counts[f'{name}_texts']:,} {name}" for name in SPLITS))


def _rule(
    data: TextData | PairData, source: TextSource, texts: ReadTexts
) -> Stratified | Grouped | None:
    """Return how what the files do not split is split; None: the files split it all."""
    if isinstance(data.split, Grouped) and not texts.has_groups:
        raise DataError(
            "data.split: grouped needs data.source.columns.group: the column of what must not be "
            "in two splits. Name it, or choose {kind: stratified}."
        )
    if source.has("validation"):
        return None
    if data.split is not None:
        return data.split
    return Grouped(kind="grouped") if texts.has_groups else Stratified(kind="stratified")


def _splits(
    rule: Stratified | Grouped | None, source: TextSource, texts: ReadTexts
) -> NDArray[np.uint8]:
    splits = texts.origins.copy()
    if rule is None:
        return splits
    rows = np.flatnonzero(splits == TRAIN)
    labels = texts.labels
    mine = np.full(len(splits), -1)
    mine[rows] = np.arange(len(rows))
    kept = mine[labels.owners] >= 0
    owners = mine[labels.owners[kept]]
    if labels.target == "score":
        codes = np.zeros(len(owners), np.int64)
    else:
        codes = labels.values[kept].astype(np.int64)
    test = 0.0 if source.has("test") else rule.test
    if isinstance(rule, Stratified):
        strata = rarest_classes(owners, codes, len(rows))
        splits[rows] = stratified_split(
            strata, validation=rule.validation, test=test, seed=rule.seed
        )
        return splits
    if labels.target == "any-of":
        # A class that all have balances the sizes, also of texts without any class.
        owners = np.concatenate([owners, np.arange(len(rows))])
        codes = np.concatenate([codes, np.full(len(rows), len(labels.classes))])
    splits[rows] = grouped_split(
        texts.groups[rows],
        owners,
        codes,
        validation=rule.validation,
        test=test,
        seed=rule.seed,
    )
    return splits


def _described(rule: Stratified | Grouped | None, source: TextSource) -> dict[str, Any]:
    group = source.group
    if rule is None:
        return {"kind": "given", "group": group}
    described = {**rule.model_dump(mode="json"), "group": group}
    if source.has("test"):
        described["test"] = None
    return described


def _write_texts(spool: Path, splits: NDArray[np.uint8], into: Path, is_pair: bool) -> None:
    # Read, not mapped: a mapped file's pages would grow what the process holds.
    with pa.OSFile(str(spool)) as file:
        batches = pa.ipc.open_file(file)
        for split in (TRAIN, VALIDATION, TEST, UNLABELLED):
            _write_split(batches, splits == split, into / f"{SPLITS[split]}.arrow", is_pair)


def _write_split(
    batches: pa.ipc.RecordBatchFileReader, wanted: NDArray[np.bool_], path: Path, is_pair: bool
) -> None:
    schema = text_schema(is_pair)
    waiting = schema.empty_table()
    first = 0
    with pa.ipc.new_file(path, schema) as file:
        for number in range(batches.num_record_batches):
            batch = batches.get_batch(number)
            kept = batch.filter(pa.array(wanted[first : first + len(batch)]))
            first += len(batch)
            waiting = pa.concat_tables([waiting, pa.Table.from_batches([kept])])
            if len(waiting) >= BATCH_ROWS:
                file.write_table(waiting.combine_chunks())
                waiting = schema.empty_table()
        if len(waiting):
            file.write_table(waiting.combine_chunks())


def _write_labels(
    labels: Labels, groups: NDArray[np.int64], splits: NDArray[np.uint8], into: Path
) -> None:
    for split in (TRAIN, VALIDATION, TEST):
        rows = np.flatnonzero(splits == split)
        labels.write(into / f"{SPLITS[split]}.targets.npy", rows)
        np.save(into / f"{SPLITS[split]}.groups.npy", groups[rows])
