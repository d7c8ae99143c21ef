"""The frame of a row of pieces: special pieces around it, the greatest length, padding."""

from dataclasses import dataclass

from onnx import TensorProto

from export.onnx.nodes import Nodes


@dataclass(frozen=True)
class Ragged:
    """Rows of different lengths.

    Attributes:
        items: Name of a tensor with the items of all rows, `[N]`.
        starts: Name of an int64 tensor `[B + 1]`: where each row begins, and N.
    """

    items: str
    starts: str


@dataclass(frozen=True)
class Frame:
    """The special pieces that a tokenizer puts around a text, or around the two of a pair.

    Attributes:
        before: Ids in front of the first text.
        between: Ids between the texts of a pair.
        after: Ids behind the last text.
        second_start: How many of `between` are of the first text's type; None: all types are 0.
        padding: Id that fills up a batch.
        max_length: The most pieces of a row, special ones included.
    """

    before: tuple[int, ...]
    between: tuple[int, ...]
    after: tuple[int, ...]
    second_start: int | None
    padding: int
    max_length: int


def framed(nodes: Nodes, rows: Ragged, frame: Frame, *, is_pair: bool) -> list[str]:
    """Cut rows to the greatest length, put special pieces around them, and pad on the right.

    Args:
        nodes: Where the nodes go.
        rows: Pieces of B texts; for pairs of 2 B, the second texts behind the first.
        frame: What is put around.
        is_pair: Whether there are second texts.

    Returns:
        Names of int32 tensors `[B, L]`: ids, mask, and types for pairs; L is the longest row's.
    """
    special = len(frame.before) + len(frame.after) + (len(frame.between) if is_pair else 0)
    room = frame.max_length - special
    first, second, kept_first, kept_second = _kept(nodes, rows, room, is_pair=is_pair)
    stop_first = nodes.add("Add", kept_first, nodes.integer(len(frame.before)))
    begin_second = stop_first
    stop = stop_first
    if is_pair:
        begin_second = nodes.add("Add", stop_first, nodes.integer(len(frame.between)))
        stop = nodes.add("Add", begin_second, kept_second)
    length = nodes.add("Add", stop, nodes.integer(len(frame.after)))
    longest = nodes.add("ReduceMax", length, keepdims=0)
    place = nodes.add("Range", nodes.integer(0), longest, nodes.integer(1))

    # One table of all ids: the pieces of the texts, then what stands around them.
    around = (*frame.before, *(frame.between if is_pair else ()), *frame.after, frame.padding)
    table = nodes.add("Concat", rows.items, nodes.integers(*around), axis=0)
    pieces = nodes.add("Shape", rows.items)
    in_first = nodes.add("Sub", place, nodes.integer(len(frame.before)))
    parts = [
        (nodes.integers(len(frame.before)), nodes.add("Add", place, pieces)),
        (stop_first, nodes.add("Add", in_first, first)),
    ]
    passed = len(frame.before)
    if is_pair:
        behind = nodes.add("Sub", place, stop_first)
        start = nodes.add("Add", pieces, nodes.integer(passed))
        parts.append((begin_second, nodes.add("Add", behind, start)))
        in_second = nodes.add("Sub", place, begin_second)
        parts.append((stop, nodes.add("Add", in_second, second)))
        passed += len(frame.between)
    behind = nodes.add("Sub", place, stop)
    parts.append(
        (length, nodes.add("Add", behind, nodes.add("Add", pieces, nodes.integer(passed))))
    )
    index = nodes.add("Add", pieces, nodes.integer(len(around) - 1))
    for end, inside in reversed(parts):
        index = nodes.add("Where", nodes.add("Less", place, end), inside, index)
    answers = [nodes.add("Gather", table, index)]
    is_piece = nodes.add("Less", place, length)
    answers.append(is_piece)
    if is_pair:
        if frame.second_start is None:
            types = nodes.add("Less", length, place)  # nowhere
        else:
            begins = nodes.add("Add", stop_first, nodes.integer(frame.second_start))
            types = nodes.add("GreaterOrEqual", place, begins)
        answers.append(nodes.add("And", types, is_piece))
    return [nodes.add("Cast", one, to=TensorProto.INT32) for one in answers]


def _kept(nodes: Nodes, rows: Ragged, room: int, *, is_pair: bool) -> tuple[str, str, str, str]:
    """Where the texts begin among the pieces and how many are kept; int64 `[B, 1]` each.

    Of a pair the longer text loses its end first: the shorter keeps at most half of the room, the
    longer what then is left.
    """
    last, end = nodes.integers(-1), nodes.integers(1 << 62)
    begin = nodes.add("Slice", rows.starts, nodes.integers(0), last)
    lengths = nodes.add("Sub", nodes.add("Slice", rows.starts, nodes.integers(1), end), begin)
    if not is_pair:
        begin, lengths = (
            nodes.add("Unsqueeze", one, nodes.integers(1)) for one in (begin, lengths)
        )
        kept = nodes.add("Min", lengths, nodes.integer(room))
        return begin, begin, kept, kept
    two = nodes.integers(2, -1)
    begins = nodes.add("Unsqueeze", nodes.add("Reshape", begin, two), nodes.integers(2))
    sizes = nodes.add("Unsqueeze", nodes.add("Reshape", lengths, two), nodes.integers(2))
    first, second = (nodes.add("Gather", begins, nodes.integer(one), axis=0) for one in (0, 1))
    size_first, size_second = (
        nodes.add("Gather", sizes, nodes.integer(one), axis=0) for one in (0, 1)
    )
    shorter = nodes.add("Min", size_first, size_second, nodes.integer(room // 2))
    left = nodes.add("Sub", nodes.integer(room), shorter)
    longer = nodes.add("Min", nodes.add("Max", size_first, size_second), left)
    first_is_longer = nodes.add("Greater", size_first, size_second)
    kept_first = nodes.add("Where", first_is_longer, longer, shorter)
    kept_second = nodes.add("Where", first_is_longer, shorter, longer)
    return first, second, kept_first, kept_second
