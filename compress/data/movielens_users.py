"""What MovieLens says of its users, as groups.

Ages have the seven bands in which MovieLens-1M publishes them, for 100K too, where they are in
years: so figures of the two, and of papers on them, are by the same groups.
"""

from collections.abc import Sequence

from compress.data.grouping import Grouping, group_by_name, group_by_value

_BANDS = {
    "under 18": range(18),
    "18–24": range(18, 25),
    "25–34": range(25, 35),
    "35–44": range(35, 45),
    "45–49": range(45, 50),
    "50–55": range(50, 56),
    "56 and over": range(56, 120),
}
_AGES = {str(age): name for name, ages in _BANDS.items() for age in ages}
_OCCUPATIONS_1M = (
    "other",
    "educator",
    "artist",
    "clerical",
    "college student",
    "customer service",
    "health care",
    "executive",
    "farmer",
    "homemaker",
    "school student",
    "lawyer",
    "programmer",
    "retired",
    "sales, marketing",
    "scientist",
    "self-employed",
    "technician, engineer",
    "craftsman",
    "unemployed",
    "writer",
)
"""By the number that MovieLens-1M writes, as its README names them, shortened."""


def movielens_grouping(column: str, values: Sequence[str | None], bins: int) -> Grouping:
    """Return the groups of a column of MovieLens.

    Args:
        column: One of `compress.recipe.groups.USER_COLUMNS`.
        values: `[N]`, as the data set writes them.
        bins: For a column of numbers that has no bands of its own.
    """
    if column == "age":
        return group_by_name(column, values, _AGES, tuple(_BANDS))
    if column == "occupation" and all(value is None or value.isdecimal() for value in values):
        names = {str(number): name for number, name in enumerate(_OCCUPATIONS_1M)}
        return group_by_name(column, values, names, sorted(_OCCUPATIONS_1M))
    return group_by_value(column, values, bins)
