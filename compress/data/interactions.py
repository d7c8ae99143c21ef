"""Reading the interactions file: every cell checked, users and items turned into numbers."""

from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import pyarrow as pa
from numpy.typing import NDArray

from compress.data.catalogue import Catalogue
from compress.data.columns import Column, TimeParser, float_values, text_ids
from compress.data.event_sort import EventSort
from compress.data.table_file import read_batches
from compress.errors import DataError
from compress.recipe import Table

_PROGRESS_ROWS = 1_000_000


@dataclass(frozen=True)
class Interactions:
    """What reading found besides the events.

    Attributes:
        user_ids: Every user of the file in the order of their first row; user i is number i.
        time_unit: What one step of the sorted times means: `given` (as in the file) or `second`
            (since 1970 UTC), or a millionth of it: `given/1000000`, `second/1000000`.
        counts: Rows and users read, and those left out.
    """

    user_ids: list[str]
    time_unit: str
    counts: dict[str, int]


def read_interactions(
    table: Table,
    first_users: int | None,
    catalogue: Catalogue,
    events: EventSort,
    progress: Callable[[str], None],
) -> Interactions:
    """Append the events of a table to `events`, batch by batch.

    Args:
        table: The recipe's source, with absolute paths.
        first_users: Keep only the users that come first in the file; None: all.
        catalogue: Gives items their codes; gets the items that it may add.
        events: Where the events go, in file order.
        progress: Is told every million rows.

    Raises:
        DataError: A cell is faulty, or an item is unknown.
    """
    path = Path(table.interactions)
    minimum = table.minimum_value
    wanted = [table.columns.user, table.columns.item, table.columns.time]
    wanted += [table.columns.value] if minimum is not None and table.columns.value else []
    if len(set(wanted)) < len(wanted):
        raise DataError(
            f"data.source.columns: {', '.join(wanted)}: two of them are the same column of {path}."
        )
    clock, user_codes = TimeParser(), dict[str, int]()
    read = below = beyond = 0
    for batch in read_batches(path, wanted):
        cells = [Column(path, name, batch.columns[name], batch.rows) for name in wanted]
        user = _user_codes(text_ids(cells[0]), user_codes)
        items = text_ids(cells[1])
        whole, millionths = clock.parse(cells[2])
        keep = np.ones(len(user), bool)
        if minimum is not None:
            keep = float_values(cells[3]) >= minimum
            below += int((~keep).sum())
        if first_users is not None:
            beyond += int((keep & (user >= first_users)).sum())
            keep &= user < first_users
        # Only now, so that a row that is left out adds no item and is refused for none.
        kept_items = Column(path, wanted[1], items.filter(pa.array(keep)), batch.rows[keep])
        item = catalogue.codes(kept_items)
        events.append(user[keep], item, whole[keep], millionths[keep])
        read += len(user)
        if read // _PROGRESS_ROWS > (read - len(user)) // _PROGRESS_ROWS:
            progress(f"reading interactions: {read:,} rows")
    if events.times_overflow:
        raise DataError(
            f"{path}, column {table.columns.time!r}: the times are too large to keep their "
            "fractions. Write them all in one unit, best as whole numbers."
        )
    unit = "given" if clock.kind == "number" else "second"
    counts = {
        "events_read": read,
        "events_below_minimum_value": below,
        "events_of_users_beyond_first": beyond,
        "users_read": len(user_codes),
        "users_beyond_first": max(len(user_codes) - (first_users or len(user_codes)), 0),
    }
    unit = unit if events.units == 1 else f"{unit}/{events.units}"
    return Interactions(list(user_codes), unit, counts)


def _user_codes(ids: pa.StringArray, known: dict[str, int]) -> NDArray[np.int32]:
    """Number users from 0 in the order of their first row; adds to `known`."""
    encoded = ids.dictionary_encode()
    distinct = [known.setdefault(user, len(known)) for user in encoded.dictionary.to_pylist()]
    indices: NDArray[np.int32] = encoded.indices.to_numpy()
    return np.array(distinct, np.int32)[indices]
