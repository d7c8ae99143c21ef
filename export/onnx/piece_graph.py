"""A tokenizer as ONNX nodes: texts in, rows of pieces out.

Rows are ragged: the items of all rows in one tensor, and the places where each row begins. So a
batch takes no loop. `frame_graph` makes padded arrays of them.
"""

import json
from typing import Any

from onnx import TensorProto

from export.onnx.character_rules import CharacterRules, alike, private_characters
from export.onnx.frame_graph import Ragged
from export.onnx.nodes import TEXT, Nodes

ML = "ai.onnx.ml"
ONNX_RUNTIME = "com.microsoft"
_START = "^"
"""Marks a word's start, in the texts and in the names of pieces that begin a word."""
_SYLLABLE_STARTS = frozenset(map(chr, range(0x1100, 0x1113)))
_SYLLABLE_ENDS = frozenset(map(chr, (*range(0x1161, 0x1176), *range(0x11A8, 0x11C3))))
_SYLLABLE = r"[\x{1100}-\x{1112}][\x{1161}-\x{1175}][\x{11a8}-\x{11c2}]?"
"""A Korean syllable in parts (Unicode 3.12)."""
_TOO_LONG = "\n"
"""What the word piece operator calls a word that is too long: no piece has a line end."""


def without_nul(nodes: Nodes, texts: str) -> str:
    """Leave out the character NUL: the operators of onnxruntime-extensions end a text there."""
    return joined(nodes, _tokenized(nodes, texts, separators=["\\x00"]))


def characters(nodes: Nodes, texts: str) -> str:
    """Split texts `[B]` into characters, string `[B, longest]`; shorter rows end with ""."""
    return _tokenized(nodes, texts, separators=[""])


def _tokenized(nodes: Nodes, texts: str, **how: Any) -> str:
    """Split texts; unlike the operators of onnxruntime-extensions this one takes NUL for a text."""
    return nodes.add(
        "Tokenizer", texts, domain=ONNX_RUNTIME, mark=0, mincharnum=1, pad_value="", **how
    )


def joined(nodes: Nodes, parts: str) -> str:
    """Join each row of string `[B, N]` to one text, string `[B]`."""
    return nodes.add("StringJoin", parts, nodes.texts(""), nodes.integers(1), domain=TEXT)


def replaced(nodes: Nodes, texts: str, pattern: str, by: str) -> str:
    """Replace what a regular expression (RE2) matches; string `[B]`."""
    what, instead = nodes.texts(pattern), nodes.texts(by)
    return nodes.add("StringRegexReplace", texts, what, instead, domain=TEXT)


def normalised(nodes: Nodes, texts: str, rules: CharacterRules) -> str:
    """Apply rules to every character: words come out, with spaces between; string `[B]`."""
    if rules.deleted:
        texts = replaced(nodes, texts, f"[{_ranges(rules.deleted)}]+", "")
    if rules.isolated:
        texts = replaced(nodes, texts, f"([{_ranges(rules.isolated)}])", " \\1 ")
    becomes = nodes.add(
        "LabelEncoder",
        characters(nodes, texts),
        domain=ML,
        keys_strings=["", *rules.table],
        values_strings=["", *rules.table.values()],
        default_string=rules.unknown,
    )
    return joined(nodes, becomes)


def word_pieces(
    nodes: Nodes,
    words: str,
    vocabulary: dict[str, int],
    alphabet: frozenset[str],
    *,
    unknown: int,
    prefix: str,
    longest: int,
) -> Ragged:
    """Cut words into the longest pieces there are; int64 ids.

    The operator keeps the pieces that it has found of a word when it finds no more. So it is given
    a piece for every end: one that no tokenizer has marks its word as unknown, and what the word
    has besides is left out afterwards.

    Args:
        nodes: Where the nodes go.
        words: Name of a string tensor `[B]` of words with spaces between.
        vocabulary: Id of every piece.
        alphabet: Every character that words have.
        unknown: Id for a word that no pieces make up.
        prefix: What pieces inside a word begin with.
        longest: Words of more characters are unknown.
    """
    codes = _piece_codes(vocabulary, alphabet, unknown, prefix)
    names = {name: number for number, name in enumerate(codes) if name != _TOO_LONG}
    pieces, starts, _, _ = nodes.add_many(
        "WordpieceTokenizer",
        replaced(nodes, words, "([^ ]+)", f"{_START}\\1"),
        nodes.integers(),
        outputs=4,
        domain=TEXT,
        vocab=json.dumps(names, ensure_ascii=False, separators=(",", ":")),
        suffix_indicator=prefix,
        unknown_token=_TOO_LONG,
        max_input_chars_per_word=longest + len(_START),
    )
    code = looked_up(nodes, pieces, codes, default=unknown * 4)
    two, four = nodes.integer(2), nodes.integer(4)
    found = nodes.add("Div", code, four)
    is_start = nodes.add("Mod", code, two)
    is_end = nodes.add("Mod", nodes.add("Div", code, two), two)

    first = nodes.integer(0)
    number = nodes.add("CumSum", is_start, first)  # of the word, from 1
    none = nodes.add("Mul", nodes.add("Concat", is_start, nodes.integers(0), axis=0), first)
    ends = nodes.add("ScatterElements", none, number, is_end, reduction="add")
    is_whole = nodes.add("Equal", nodes.add("Gather", ends, number), first)
    starts_word = nodes.add("Cast", is_start, to=TensorProto.BOOL)
    is_kept = nodes.add("Or", is_whole, starts_word)
    ids = nodes.add("Where", is_whole, found, nodes.integer(unknown))
    kept = nodes.add("Cast", is_kept, to=TensorProto.INT64)
    before = nodes.add("Concat", nodes.integers(0), nodes.add("CumSum", kept, first), axis=0)
    return Ragged(nodes.add("Compress", ids, is_kept, axis=0), nodes.add("Gather", before, starts))


def _piece_codes(
    vocabulary: dict[str, int], alphabet: frozenset[str], unknown: int, prefix: str
) -> dict[str, int]:
    """By piece 4 times its id, plus 1 where it begins a word and 2 where it makes it unknown."""
    codes = {
        name if name.startswith(prefix) and name != prefix else f"{_START}{name}": 4 * number
        for name, number in vocabulary.items()
    }
    codes = {name: code + name.startswith(_START) for name, code in codes.items()}
    ends = [f"{prefix}{character}" for character in sorted(alphabet)]
    codes |= {name: 4 * unknown + 2 for name in ends if name not in codes}
    codes |= {name: 4 * unknown + 3 for name in (_START, _TOO_LONG)}
    return codes


def composed(nodes: Nodes, texts: str, table: dict[str, str], kept: frozenset[str]) -> str:
    """Write letters and their marks as one character where Unicode has it; string `[B]`.

    A letter with more marks than one of the table stays in parts.

    Args:
        nodes: Where the nodes go.
        texts: Name of a string tensor `[B]`.
        table: By a letter and its marks, the character.
        kept: Other characters that matter; the rest becomes one of no meaning.
    """
    marks = sorted({mark for written in table for mark in written[1:]} | _SYLLABLE_ENDS)
    letters = sorted(kept | set(marks) | {written[0] for written in table} | _SYLLABLE_STARTS)
    same = alike(one for one in letters if one != "\0")
    meaningless = next(one for one in private_characters() if one not in letters)
    texts = joined(
        nodes,
        nodes.add(
            "LabelEncoder",
            characters(nodes, texts),
            domain=ML,
            keys_strings=["", *same],
            values_strings=["", *same.values()],
            default_string=meaningless,
        ),
    )
    mark = _ranges(tuple((ord(one), ord(one)) for one in marks))
    together = _tokenized(nodes, texts, tokenexp=f"(?s:.)[{mark}]*")
    lines = "\n".join(f"{written}\t{whole}" for written, whole in sorted(table.items()))
    texts = joined(nodes, nodes.add("StringMapping", together, domain=TEXT, map=lines))
    return replaced(nodes, texts, _SYLLABLE, meaningless)


def character_pieces(
    nodes: Nodes, texts: str, pieces: dict[str, list[int]], unknown: int
) -> Ragged:
    """Look up every character; int64 ids.

    Args:
        nodes: Where the nodes go.
        texts: Name of a string tensor `[B]`.
        pieces: Ids by character; none for what is left out.
        unknown: Id of every other character.
    """
    split = characters(nodes, texts)
    most = max(map(len, pieces.values()), default=1)
    columns = []
    for column in range(most):
        table = {one: ids[column] if column < len(ids) else -1 for one, ids in pieces.items()}
        shown = {one: found for one, found in table.items() if column == 0 or found >= 0}
        found = looked_up(nodes, split, {"": -1, **shown}, default=-1 if column else unknown)
        columns.append(nodes.add("Unsqueeze", found, nodes.integers(2)))
    dense = nodes.add("Concat", *columns, axis=2)
    is_piece = nodes.add("GreaterOrEqual", dense, nodes.integer(0))
    flat = nodes.integers(-1)
    items = nodes.add(
        "Compress",
        nodes.add("Reshape", dense, flat),
        nodes.add("Reshape", is_piece, flat),
        axis=0,
    )
    counted = nodes.add("Cast", is_piece, to=TensorProto.INT64)
    lengths = nodes.add("ReduceSum", counted, nodes.integers(1, 2), keepdims=0)
    ends = nodes.add("CumSum", lengths, nodes.integer(0))
    return Ragged(items, nodes.add("Concat", nodes.integers(0), ends, axis=0))


def looked_up(nodes: Nodes, items: str, table: dict[str, int], default: int) -> str:
    """Look up texts in a table; int64."""
    return nodes.add(
        "LabelEncoder",
        items,
        domain=ML,
        keys_strings=list(table),
        values_int64s=list(table.values()),
        default_int64=default,
    )


def _ranges(ranges: tuple[tuple[int, int], ...]) -> str:
    return "".join(f"\\x{{{first:x}}}-\\x{{{last:x}}}" for first, last in ranges)
