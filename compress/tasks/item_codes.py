"""How items are numbered, in every array of every room and on the device."""

PADDING = 0
"""Fills histories on the left; as an answer, "no item"."""
UNKNOWN = 1
"""An item that the catalogue lacks."""
FIRST_ITEM = 2
"""Code of the catalogue's first item: code = class + FIRST_ITEM."""
IMPOSSIBLE = -1e4
"""The score of what cannot be chosen: far below any real one, probability 0, finite in 16 bits."""
