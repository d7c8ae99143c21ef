"""Inputs for a file that comes without any: drawn from what it declares, the same every time.

They are good for time, not for quality; real ones come with a run or are given with `--inputs`.
"""

from collections.abc import Sequence
from math import prod
from typing import Any

import numpy as np
from numpy.typing import NDArray

from compress.errors import UserError
from compress.tasks.item_codes import FIRST_ITEM
from export.file_inputs import FileInput
from export.samples import Samples

EXAMPLES = 256
MOST_BYTES = 64_000_000
"""Of one made-up input over all examples; a file that takes more gets fewer of them."""
SEED = 1
LENGTH = 64
"""Pieces of a text where the file leaves it free."""
UNKNOWN_ROWS = 100
"""Ids are below this where nothing tells how many rows a table has: any real table has more."""

_IDS = ("input_ids", "history", "item_ids", "items")
_MASKS = ("attention_mask", "mask", "input_mask")
_ZEROS = ("token_type_ids", "segment_ids")
_TEXTS = ("text", "query", "product")
_SENTENCE = (
    "red dress with long sleeves and a soft fabric that fits true to size over jeans for work or a "
    "summer evening in cotton wool blue black white jacket shoe hat very comfortable but too large"
)


def made_up_samples(inputs: Sequence[FileInput], name: str, examples: int = EXAMPLES) -> Samples:
    """Draw inputs as a file declares them.

    Known are histories and pieces (`history`, `input_ids` and the like) with their masks, texts
    (`text`, `query`, `product`), and tables of floats of a fixed shape. A history is of random
    length, padded on the left with 0; texts in pieces fill their length.

    Args:
        inputs: What the file declares.
        name: Of the file, for the error message.
        examples: How many.

    Returns:
        `[examples, ...]` each.

    Raises:
        UserError: Nothing is known of an input.
    """
    random = np.random.default_rng(SEED)
    examples = min(examples, *(_fitting(one) for one in inputs), examples)
    arrays = {one.name: _drawn(one, examples, random) for one in inputs}
    unknown = [str(one) for one in inputs if arrays[one.name] is None]
    if unknown or not inputs:
        raise UserError(
            f"{name} takes {'; '.join(unknown) or 'nothing'}: no inputs can be made up for that. "
            "Give real ones with --inputs FILE.npz, one array a name, a row an example."
        )
    return Samples({key: array for key, array in arrays.items() if array is not None})


def what_was_made_up(inputs: Sequence[FileInput]) -> str:
    """Say in words what the examples are."""
    said = []
    for one in inputs:
        if one.name in _IDS:
            said.append(f"{one.name} with ids below {_rows(one):,}")
    return "made up" + (f": {', '.join(said)}" if said else "")


def _rows(one: FileInput) -> int:
    return max(FIRST_ITEM, one.rows or UNKNOWN_ROWS)


def _fitting(one: FileInput) -> int:
    """Return how many examples of an input stay within `MOST_BYTES`, one at least."""
    sizes = [LENGTH if size is None else size for size in one.shape[1:]]
    return max(1, MOST_BYTES // (8 * max(1, prod(sizes))))


def _drawn(one: FileInput, examples: int, random: np.random.Generator) -> NDArray[Any] | None:
    """Return `[examples, ...]`, or None where nothing is known."""
    if one.dtype == "string":
        return _texts(examples, random) if one.name in _TEXTS else None
    sizes = [LENGTH if size is None else size for size in one.shape[1:]]
    dtype = np.dtype(one.dtype)
    if one.name == "history" and len(sizes) == 1:
        return _histories(examples, sizes[0], _rows(one), random).astype(dtype)
    if one.name in _IDS:
        return random.integers(1, _rows(one), (examples, *sizes)).astype(dtype)
    if one.name in _MASKS:
        return np.ones((examples, *sizes), dtype)
    if one.name in _ZEROS:
        return np.zeros((examples, *sizes), dtype)
    if dtype.kind == "f" and None not in one.shape[1:]:
        return random.standard_normal((examples, *sizes)).astype(dtype)
    return None


def _histories(
    examples: int, length: int, rows: int, random: np.random.Generator
) -> NDArray[np.int64]:
    codes = random.integers(min(FIRST_ITEM, rows - 1), rows, (examples, length))
    kept = random.integers(1, length + 1, (examples, 1))
    return np.where(np.arange(length) >= length - kept, codes, 0)


def _texts(examples: int, random: np.random.Generator) -> NDArray[Any]:
    words = _SENTENCE.split()
    drawn = [" ".join(random.choice(words, random.integers(3, 40))) for _ in range(examples)]
    found = np.empty(examples, dtype=object)
    found[:] = drawn
    return found
