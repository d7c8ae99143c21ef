"""Whose quality is compared: groups of users, and how far they may lie apart."""

from typing import Annotated, Literal

from pydantic import Field, PositiveFloat, PositiveInt

from compress.recipe.section import Section


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
    """A column of numbers with more values than this is cut into so many equally large groups."""
    minimum_cases: PositiveInt = 30
    """A group with fewer test cases is shown, and no difference is judged by it."""


class Protect(Section):
    """A difference between groups as a budget: a run that breaks it ends with exit code 1."""

    column: str
    """One of the groups' columns, or `popularity` for items: head, middle and tail."""
    of: Literal["kept_quality", "quality"] = "kept_quality"
    """The share of the teacher's metric that each group keeps, or the metric itself."""
    max_gap: PositiveFloat
    """Largest difference between the best and the worst group, point estimate, test split."""


Protected = Annotated[tuple[Protect, ...], Field(max_length=100)]
