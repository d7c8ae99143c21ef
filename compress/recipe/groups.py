"""Whose quality is compared: groups of users, and how far they may lie apart."""

from collections.abc import Sequence
from difflib import get_close_matches
from typing import Annotated, Literal

from pydantic import Field, PositiveInt, field_validator, model_validator

from compress.recipe.section import Section

POPULARITY = "popularity"
"""What `protect.column` calls the groups of items: head, middle and tail."""
USER_COLUMNS = {
    "movielens-100k": ("age", "gender", "occupation"),
    "movielens-1m": ("age", "gender", "occupation"),
}
"""What the data sets that limbeck fetches say of their users, by the source's kind."""


class Groups(Section):
    """Which users belong together: columns of a table with a row a user.

    MovieLens brings its own; `users` is for tables of one's own.
    """

    users: str | None = None
    """Path, relative to the recipe file; None: what the data set brings."""
    user: str = "user"
    """The column with the user's id."""
    columns: tuple[str, ...] = ()
    """Columns to group by. None named: those that the data set brings, if any."""
    bins: PositiveInt = 5
    """A column of numbers with more values than this is cut into so many equally large groups.

    The ages of MovieLens have the seven bands of MovieLens-1M instead.
    """
    minimum_cases: PositiveInt = 30
    """A group with fewer test cases is shown, and no difference is judged by it."""

    @model_validator(mode="after")
    def _columns_are_columns_of_users(self) -> "Groups":
        if self.users is not None and not self.columns:
            raise ValueError(
                f"users names {self.users}, and columns names nothing in it: say what to group "
                "by, as in columns: [age, country]"
            )
        twice = sorted({one for one in self.columns if self.columns.count(one) > 1})
        if twice:
            raise ValueError(f"columns lists {', '.join(twice)} more than once")
        if POPULARITY in self.columns:
            raise ValueError(
                f"columns: {POPULARITY} is what limbeck calls the groups of items, which "
                "are measured anyway; give the users' column another name"
            )
        if self.users is not None and self.user in self.columns:
            raise ValueError(
                f"columns: {self.user} holds the users' ids, so every user would be a group"
            )
        return self

    def columns_of(self, source: str) -> tuple[str, ...]:
        """Return the columns to group by.

        Args:
            source: The kind of the data's source.
        """
        if self.columns or self.users is not None:
            return self.columns
        return USER_COLUMNS.get(source, ())

    def check_source(self, source: str) -> None:
        """Refuse columns that the data cannot have.

        Args:
            source: The kind of the data's source.

        Raises:
            ValueError: A column is named of users of whom nothing, or nothing so called, is known.
        """
        brought = USER_COLUMNS.get(source, ())
        unknown = [one for one in self.columns if one not in brought]
        if self.users is not None or not unknown:
            return
        if not brought:
            raise ValueError(
                f"columns: {unknown[0]} of which users? A source of kind {source} says nothing of "
                "them: name a table with users"
            )
        raise ValueError(
            f"columns: {source} says nothing of its users called {unknown[0]!r}."
            f"{_suggest(unknown[0], brought)} It has {', '.join(brought)}; name a table of your "
            "own with users"
        )


class Protect(Section):
    """A difference between groups as a budget: a run that breaks it ends with exit code 1."""

    column: str
    """One of the groups' columns, or `popularity` for items: head, middle and tail."""
    of: Literal["kept_quality", "quality"] = "kept_quality"
    """The share of the teacher's metric that each group keeps, or the metric itself."""
    max_gap: Annotated[float, Field(gt=0, json_schema_extra={"maximum": 1})]
    """Largest difference between the best and the worst group, point estimate, test split; at most
    1, which is 100 points."""

    @field_validator("max_gap")
    @classmethod
    def _can_be_broken(cls, value: float) -> float:
        if value > 1:
            raise ValueError(
                f"max_gap is a share, above 0 and at most 1: 0.15 is 15 points. {value:g} would "
                "let any difference pass"
            )
        return value


Protected = Annotated[tuple[Protect, ...], Field(max_length=100)]


def check_protected(protect: Sequence[Protect], groups: Groups, source: str) -> None:
    """Refuse to protect what nobody is grouped by.

    Args:
        protect: The recipe's list.
        groups: The recipe's section.
        source: The kind of the data's source.

    Raises:
        ValueError: A column is neither one of the users' nor `popularity`.
    """
    known = (*groups.columns_of(source), POPULARITY)
    for one in protect:
        if one.column not in known:
            raise ValueError(
                f"{one.column!r} is no column that users are grouped by."
                f"{_suggest(one.column, known)} There are: {', '.join(known)}"
            )


def _suggest(name: str, known: Sequence[str]) -> str:
    close = get_close_matches(name, known, n=1)
    return f" Did you mean {close[0]}?" if close else ""
