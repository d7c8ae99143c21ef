"""Writing a file that takes texts: the tokenizer in front of a graph that takes pieces."""

import json
from pathlib import Path
from typing import Any

import onnx
from onnx import ModelProto

from compress.errors import UserError
from compress.tokenizers.tokenizer import PieceTokenizer
from export.onnx.character_rules import character_rules, compositions, fates_of
from export.onnx.frame_graph import Frame, Ragged, framed
from export.onnx.nodes import TEXT, Nodes
from export.onnx.piece_graph import (
    ML,
    ONNX_RUNTIME,
    character_pieces,
    composed,
    normalised,
    without_nul,
    word_pieces,
)
from export.onnx.text_contract import declare_ends, write_onnx
from export.onnx.text_graph import replace_nodes
from export.signature import Signature, text_input_signature

_DOMAINS = {TEXT: 1, ML: 3, ONNX_RUNTIME: 1}
_PROBE = "a"
_PARTS = ("model", "normalizer", "pre_tokenizer")
_CHARACTERS = (
    {"type": "Sequence", "normalizers": [{"type": "NFC"}, {"type": "Lowercase"}]},
    {
        "type": "Sequence",
        "pretokenizers": [
            {"type": "WhitespaceSplit"},
            {
                "type": "Split",
                "pattern": {"Regex": "."},
                "behavior": "Isolated",
                "invert": False,
            },
        ],
    },
)
"""What `character_tokenizer` makes."""


class TextInputError(UserError):
    """A tokenizer cannot be written as operators; the message says what it has that they lack."""


def emit_text_input(
    pieces_in: Path, tokenizer_folder: Path, path: Path, *, signature: Signature
) -> None:
    """Write a file that takes `text` (or `query` and `product`), string `[B]`.

    Its answers are those of `pieces_in` to the pieces that the tokenizer cuts; the operators that
    are not ONNX's own come with onnxruntime-extensions. A text ends nowhere but at its end: NUL is
    left out, as BERT's tokenizer does.

    Args:
        pieces_in: A file of `emit_text_onnx`.
        tokenizer_folder: What `PieceTokenizer.save` wrote.
        path: The file to write.
        signature: Of `pieces_in`.

    Raises:
        TextInputError: There are no operators that cut texts as this tokenizer does.
    """
    model = onnx.load(pieces_in)
    tokenizer = PieceTokenizer.load(tokenizer_folder)
    is_pair = any(one.name == "token_type_ids" for one in signature.inputs)
    limit = int(signature.fields["max_length"])
    ours = text_input_signature(signature)
    nodes = Nodes("tokenizer")
    texts = ours.inputs[0].name
    if is_pair:
        texts = nodes.add("Concat", *(one.name for one in ours.inputs), axis=0)
    rows = pieces_of(nodes, texts, tokenizer)
    frame = frame_of(tokenizer, limit, is_pair=is_pair)
    made = framed(nodes, rows, frame, is_pair=is_pair)
    for name, one in zip(made, signature.inputs, strict=True):
        nodes.rename(name, one.name)
    _put_before(model, nodes)
    declare_ends(model, ours)
    write_onnx(model, ours, path)


def pieces_of(nodes: Nodes, texts: str, tokenizer: PieceTokenizer) -> Ragged:
    """Cut texts as the tokenizer does, without special pieces.

    Raises:
        TextInputError: There are no operators that cut texts as this tokenizer does.
    """
    about = json.loads(tokenizer.backend.to_str())
    words = [one["content"] for one in about["added_tokens"] if not one["special"]]
    if words:
        raise TextInputError(
            f"the tokenizer finds {len(words)} added words before it cuts ({words[0]!r} ...), "
            "which no operator of onnxruntime-extensions does"
        )
    kinds = [(about[part] or {"type": "none"})["type"] for part in _PARTS]
    if kinds == ["WordPiece", "BertNormalizer", "BertPreTokenizer"]:
        return _bert_pieces(nodes, texts, about)
    if (about["normalizer"], about["pre_tokenizer"]) == _CHARACTERS:
        return _character_pieces(nodes, texts, about)
    raise TextInputError(
        f"no operators of onnxruntime-extensions cut texts as this tokenizer does ({kinds[0]}, "
        f"normalizer {kinds[1]}, pre-tokenizer {kinds[2]}). A BERT tokenizer (WordPiece) or "
        "student.tokenizer.source: characters has them; else give the file pieces, cut with "
        "tokenizer.json"
    )


def _bert_pieces(nodes: Nodes, texts: str, about: dict[str, Any]) -> Ragged:
    model = about["model"]
    prefix = model["continuing_subword_prefix"]
    vocabulary: dict[str, int] = dict(sorted(model["vocab"].items(), key=lambda item: item[1]))
    alphabet = frozenset("".join(piece.removeprefix(prefix) for piece in vocabulary))
    rules = character_rules(fates_of(about["normalizer"], about["pre_tokenizer"]), alphabet)
    words = normalised(nodes, without_nul(nodes, texts), rules)
    return word_pieces(
        nodes,
        words,
        vocabulary,
        alphabet | {rules.unknown},
        unknown=vocabulary[model["unk_token"]],
        prefix=prefix,
        longest=int(model["max_input_chars_per_word"]),
    )


def _character_pieces(nodes: Nodes, texts: str, about: dict[str, Any]) -> Ragged:
    vocabulary: dict[str, int] = about["model"]["vocab"]
    unknown = vocabulary[about["model"]["unk_token"]]
    known = frozenset(one for one in vocabulary if len(one) == 1)
    white_space = about["pre_tokenizer"]["pretokenizers"][0]
    fates = fates_of(about["normalizer"], white_space)
    pieces = {one: [vocabulary[one]] for one in sorted(known) if one not in fates}
    for one, fate in fates.items():
        written = fate.replace(" ", "")
        if len(written) != 1 or written in known:
            pieces[one] = [vocabulary.get(part, unknown) for part in written]
    table = compositions(known)
    kept = frozenset(pieces) | frozenset(table.values())
    return character_pieces(nodes, composed(nodes, texts, table, kept), pieces, unknown)


def frame_of(tokenizer: PieceTokenizer, max_length: int, *, is_pair: bool) -> Frame:
    """Find what the tokenizer puts around texts, by asking it about a text of one piece.

    Args:
        tokenizer: The tokenizer.
        max_length: The most pieces of a row, special ones included.
        is_pair: Whether texts come in pairs.
    """
    backend = tokenizer.backend
    backend.no_truncation()
    text = _one_piece(tokenizer)
    piece = backend.encode(text, add_special_tokens=False).ids[0]
    whole = backend.encode(text, text) if is_pair else backend.encode(text)
    places = [place for place, found in enumerate(whole.ids) if found == piece]
    first, last = places[0], places[-1]
    between = tuple(whole.ids[first + 1 : last])
    types = whole.type_ids
    begins = types.index(1) - first - 1 if 1 in types else None
    return Frame(
        before=tuple(whole.ids[:first]),
        between=between,
        after=tuple(whole.ids[last + 1 :]),
        second_start=begins,
        padding=tokenizer.padding_id,
        max_length=max_length,
    )


def _one_piece(tokenizer: PieceTokenizer) -> str:
    """Return a text that is one piece, and no special one."""
    special = tokenizer.special_ids()
    for text in (_PROBE, *tokenizer.vocabulary):
        found = tokenizer.backend.encode(text, add_special_tokens=False).ids
        if len(found) == 1 and found[0] not in special:
            return text
    raise TextInputError("the tokenizer has no piece that is a word by itself")


def _put_before(model: ModelProto, nodes: Nodes) -> None:
    replace_nodes(model, [*nodes.nodes, *model.graph.node])
    model.graph.initializer.extend(nodes.constants)
    model.opset_import.extend(
        onnx.helper.make_opsetid(domain, version) for domain, version in _DOMAINS.items()
    )
