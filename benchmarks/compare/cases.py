"""Whether two runs were tested on the same cases, in the same order."""

import hashlib
import json
from pathlib import Path

import numpy as np

from benchmarks.compare.runs import ComparedRun
from compress.errors import DataError


def have_same_cases(base: ComparedRun, other: ComparedRun) -> bool | None:
    """Return whether the answers of two runs can be paired; None where that cannot be told.

    They can if the runs measured with the same data set, which each notes by its hash, or if the
    test cases of both data sets are the same, so that more training data does not stand in the way.
    """
    if base.folder is None or other.folder is None:
        return None
    noted = [_noted_dataset(run.folder) for run in (base, other) if run.folder]
    if noted[0] is not None and noted[0] == noted[1]:
        return True
    found = [
        cases_sha256(run.folder / "dataset", run.report.task) for run in (base, other) if run.folder
    ]
    return None if None in found else found[0] == found[1]


def cases_sha256(folder: Path, task: str) -> str | None:
    """Hash the test cases of a prepared data set: what is asked and what is true of it.

    Next-item: histories and targets by the ids of their items, which the codes of another catalogue
    do not change. Texts: the texts, their targets by the names of the classes, and their groups.

    Args:
        folder: Of the data set.
        task: The report's.

    Returns:
        The hash, or None if there is no data set that can be read.
    """
    try:
        return _next_item_sha256(folder) if task == "next-item" else _text_sha256(folder)
    except DataError:
        return None


def _noted_dataset(folder: Path) -> str | None:
    """The hash of the data set that a run's quality was measured with."""
    try:
        stage = json.loads((folder / "quality" / "stage.json").read_text(encoding="utf-8"))
        return str(stage["inputs"]["dataset"])
    except (OSError, ValueError, KeyError, TypeError):
        return None


def _next_item_sha256(folder: Path) -> str:
    from compress.data.dataset import Dataset
    from compress.tasks.item_codes import FIRST_ITEM

    dataset = Dataset.open(folder)
    cases = dataset.cases("test")
    offsets, seen = dataset.seen(cases)
    hashes = [hashlib.sha256(one.encode()).digest()[:8] for one in dataset.item_ids]
    by_code = np.frombuffer(bytes(8 * FIRST_ITEM) + b"".join(hashes), dtype=np.int64)
    digest = hashlib.sha256(offsets.astype(np.int64).tobytes())
    for codes in (seen, cases.targets):
        digest.update(by_code[codes].tobytes())
    return digest.hexdigest()


def _text_sha256(folder: Path) -> str:
    from compress.data.text_dataset import TextDataset

    dataset = TextDataset.open(folder)
    test = dataset.split("test")
    about = [dataset.target, dataset.classes, dataset.gains, len(test)]
    digest = hashlib.sha256(json.dumps(about).encode())
    for column in (test.first, test.second):
        for text in () if column is None else column:
            written = str(text).encode()
            digest.update(len(written).to_bytes(8, "little") + written)
    # Groups are resampled in the order of their numbers, whatever other splits add to these.
    _, groups = np.unique(test.groups, return_inverse=True)
    for array in (test.targets, groups.astype(np.int64)):
        digest.update(array.tobytes())
    return digest.hexdigest()
