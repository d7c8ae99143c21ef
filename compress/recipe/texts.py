"""Data for tasks that read text: labelled texts, and graded pairs of query and product."""

from typing import Annotated, Literal, Self

from pydantic import Field, PositiveInt, model_validator

from compress.recipe.section import Fraction, Section

Columns = Annotated[tuple[str, ...], Field(min_length=1)]


class WomensClothing(Section):
    """Women's clothing: 23,486 e-commerce reviews, 6 departments, 20 classes (downloaded once)."""

    kind: Literal["womens-clothing"]
    label: Literal["class", "department"] = "class"
    text: Annotated[tuple[Literal["Title", "Review Text"], ...], Field(min_length=1)] = (
        "Title",
        "Review Text",
    )
    first_texts: PositiveInt | None = None
    """Keep only the texts that come first in the file: for quick trials and tests."""


class TextColumns(Section):
    """Which columns hold what."""

    text: Columns = ("text",)
    """Joined in this order; empty ones are left out."""
    joined_by: str = " "
    label: str = "label"
    label_separator: Annotated[str, Field(min_length=1)] | None = None
    """For `multi_label`: between the classes of one text; None: the column holds lists."""
    group: str | None = None
    """What must not be in two splits, such as the product that a review is of."""


class TextFiles(Section):
    """The user's files: CSV, TSV, Parquet or JSONL; paths are relative to the recipe file."""

    train: str
    """All examples where no `test` is given, else those to train on."""
    validation: str | None = None
    test: str | None = None
    unlabelled: tuple[str, ...] = ()
    """Texts without a label: the student learns what the teacher says of them."""

    @model_validator(mode="after")
    def _validation_comes_with_test(self) -> "TextFiles":
        if self.validation is not None and self.test is None:
            raise ValueError("validation: a validation file without a test file; give both")
        return self


class TextTable(TextFiles):
    """Labelled texts."""

    kind: Literal["table"]
    columns: TextColumns = TextColumns()


class PairColumns(Section):
    """Which columns hold what."""

    query: Columns = ("query",)
    product: Columns = ("product",)
    joined_by: str = " "
    relevance: str = "relevance"
    group: str | None = None
    """What must not be in two splits; None: the query."""


class PairTable(TextFiles):
    """Graded or scored pairs of query and product."""

    kind: Literal["table"]
    columns: PairColumns = PairColumns()


class Shares(Section):
    """How much of the data is held out."""

    validation: Fraction = 0.1
    test: Fraction = 0.15
    seed: Annotated[int, Field(ge=0, lt=2**31)] = 1
    """Of the split alone, so that runs with other seeds are measured on the same texts."""

    @model_validator(mode="after")
    def _leaves_training_texts(self) -> Self:
        if not (self.validation > 0 and self.test > 0 and self.validation + self.test < 0.9):
            raise ValueError(
                "validation and test must be above 0 and leave at least 0.1 of the texts to train"
            )
        return self


class Stratified(Shares):
    """A random part of every class (or, for scores, of all examples)."""

    kind: Literal["stratified"]


class Grouped(Shares):
    """Whole groups (one product's reviews, one query's products) in one split, classes balanced."""

    kind: Literal["grouped"]


TextSplit = Annotated[Stratified | Grouped, Field(discriminator="kind")]


class TextRules(Section):
    """What both kinds of text data have in common."""

    split: TextSplit | None = None
    """For what the files do not split themselves: with a test file, only validation is cut off.

    None: grouped where there are groups (always for pairs: by query), else stratified.
    """
    duplicates: Literal["warn", "remove"] = "warn"
    """Training texts that are also in validation or test: counted and warned of, or removed."""
    empty_texts: Literal["drop", "keep"] = "drop"
    """Examples without text: dropped or kept; counted either way."""


class TextData(TextRules):
    """Where labelled texts come from and how they are split."""

    source: Annotated[WomensClothing | TextTable, Field(discriminator="kind")]


class PairData(TextRules):
    """Where pairs come from and how they are split."""

    source: PairTable
