"""Data for next-item: who interacted with what, and when."""

from typing import Annotated, Literal

from pydantic import Field, PositiveInt, model_validator

from compress.recipe.section import Fraction, Section


class MovieLens100K(Section):
    """MovieLens-100K: 943 users, 1,682 items (downloaded once, research use only)."""

    kind: Literal["movielens-100k"]
    first_users: PositiveInt | None = None
    """Keep only the users that come first in the file: for quick trials and tests."""


class MovieLens1M(Section):
    """MovieLens-1M: 6,040 users, 3,883 items (downloaded once, research use only)."""

    kind: Literal["movielens-1m"]
    first_users: PositiveInt | None = None


class InteractionColumns(Section):
    """Which columns of the interactions file hold what."""

    user: str = "user"
    item: str = "item"
    time: str = "time"
    value: str | None = None
    """A rating, a play count or the like; needed only with `minimum_value`."""


class ItemColumns(Section):
    """Which columns of the items file hold what."""

    item: str = "item"
    text: tuple[str, ...] = ()
    """Joined by a comma and a space, in this order, into the text that the teacher reads."""


class Table(Section):
    """The user's own interactions and items: CSV, TSV, Parquet, JSONL or RecBole atomic files."""

    kind: Literal["table"]
    interactions: str
    """Path, relative to the recipe file."""
    items: str | None = None
    """Path, relative to the recipe file. Without it every item is its id."""
    columns: InteractionColumns = InteractionColumns()
    item_columns: ItemColumns = ItemColumns()
    minimum_value: float | None = None
    """Rows whose `value` lies below are dropped and counted."""
    duplicates: Literal["keep", "drop"] = "keep"
    """Rows equal in user, item and time: kept and counted, or dropped and counted."""
    unknown_items: Literal["refuse", "add"] = "refuse"
    """An interaction whose item the items file lacks: an error, or an item without text."""


DataSource = Annotated[MovieLens100K | MovieLens1M | Table, Field(discriminator="kind")]


class LeaveOneOut(Section):
    """Each user's last event is the test target, the one before it the validation target."""

    kind: Literal["leave-one-out"]


class GlobalTime(Section):
    """Everything before one moment trains; what each user does first after it is predicted.

    The moments are quantiles of all event times: training ends at `1 - validation - test`,
    validation at `1 - test`.
    """

    kind: Literal["global-time"]
    validation: Fraction = 0.1
    test: Fraction = 0.1

    @model_validator(mode="after")
    def _leaves_training_data(self) -> "GlobalTime":
        if not (self.validation > 0 and self.test > 0 and self.validation + self.test < 0.9):
            raise ValueError(
                "validation and test must be above 0 and leave at least 0.1 of the events to train"
            )
        return self


Split = Annotated[LeaveOneOut | GlobalTime, Field(discriminator="kind")]


class Data(Section):
    """Where the interactions come from and how they are split."""

    source: DataSource
    split: Split = LeaveOneOut(kind="leave-one-out")
    minimum_users: PositiveInt = 30
    """Fewer users than this (after dropping short histories) measure nothing: refused."""
