"""A narrower vocabulary: only the pieces that the training texts use.

The word table is most of a small student, and a task's texts use a part of a general vocabulary.
"""

import json
from collections.abc import Iterable, Iterator, Mapping
from itertools import islice
from typing import Any

import numpy as np
from numpy.typing import NDArray
from tokenizers import Tokenizer

from compress.errors import UserError
from compress.tokenizers.tokenizer import PieceTokenizer

_AT_ONCE = 2048
_CAN_BE_NARROWED = ("WordPiece", "Unigram", "WordLevel")


def count_pieces(
    tokenizer: PieceTokenizer, texts: Iterable[str], max_length: int
) -> NDArray[np.int64]:
    """Count how often each piece occurs in texts as a model sees them: cut to `max_length`.

    A word that is cut in two counts whole, because it is found as a whole.

    Returns:
        `[tokenizer.pieces]`.
    """
    counts = np.zeros(tokenizer.pieces, dtype=np.int64)
    for encodings in _encodings(tokenizer, texts, max_length):
        found = [one.ids + _rest_of_the_last_word(one) for _, one in encodings]
        counts += np.bincount(np.concatenate(found), minlength=len(counts))
    return counts


def narrow(
    tokenizer: PieceTokenizer, texts: Iterable[str], minimum_count: int, max_length: int
) -> tuple[PieceTokenizer, NDArray[np.int64]]:
    """Keep the pieces that occur at least `minimum_count` times in `texts`, and the special ones.

    With `minimum_count` 1 every one of `texts` is cut exactly as before. With more, rarer pieces
    become smaller ones, or unknown. New ids are in the order of the old ones.

    Args:
        tokenizer: Stays as it is.
        texts: The training texts, each on its own; read twice.
        minimum_count: At least 1.
        max_length: Pieces that a model sees of a text.

    Returns:
        The narrowed tokenizer, and int64 `[its pieces]`: how often each occurs in `texts`.

    Raises:
        UserError: It is of a kind whose pieces depend on each other (BPE).
    """
    if tokenizer.kind not in _CAN_BE_NARROWED:
        raise UserError(
            f"student.tokenizer.minimum_count: a {tokenizer.kind} tokenizer builds each piece from "
            "smaller ones, so none can be left out. Set minimum_count: null to keep all pieces, or "
            "choose another tokenizer, such as characters."
        )
    counts = count_pieces(tokenizer, texts, max_length)
    about: dict[str, Any] = json.loads(tokenizer.backend.to_str())
    kept = set(np.flatnonzero(counts >= minimum_count).tolist()) | tokenizer.special_ids()
    kept |= _needed(tokenizer, about["model"], counts, texts, max_length)
    names = {number: piece for piece, number in tokenizer.vocabulary.items()}
    pieces = [names[number] for number in sorted(kept)]
    narrowed = PieceTokenizer(Tokenizer.from_str(_narrowed(about, pieces)), tokenizer.config)
    result = np.zeros(narrowed.pieces, dtype=np.int64)
    for piece, number in narrowed.vocabulary.items():
        result[number] = counts[tokenizer.vocabulary[piece]]
    return narrowed, result


def _encodings(
    tokenizer: PieceTokenizer, texts: Iterable[str], max_length: int
) -> Iterator[list[tuple[str, Any]]]:
    backend = Tokenizer.from_str(tokenizer.backend.to_str())
    backend.encode_special_tokens = True
    backend.enable_truncation(max_length)
    remaining = iter(texts)
    while part := list(islice(remaining, _AT_ONCE)):
        yield list(zip(part, backend.encode_batch(part), strict=True))


def _rest_of_the_last_word(encoding: Any) -> list[int]:
    """Return the pieces of the last word that were cut off."""
    if not encoding.overflowing:
        return []
    last = next((word for word in reversed(encoding.word_ids) if word is not None), None)
    rest: list[int] = []
    for part in encoding.overflowing:
        own = [word is not None for word in part.word_ids]
        same = [
            piece
            for piece, word in zip(part.ids, part.word_ids, strict=True)
            if word is not None and word == last
        ]
        rest += same
        if len(same) < sum(own):
            break
    return rest


def _needed(
    tokenizer: PieceTokenizer,
    model: Mapping[str, Any],
    counts: NDArray[np.int64],
    texts: Iterable[str],
    max_length: int,
) -> set[int]:
    """Return pieces that no text shows and that still decide how texts are cut."""
    if model["type"] == "WordPiece" and counts[tokenizer.unknown_id or 0]:
        return _tried_on_unknown_words(tokenizer, model, texts, max_length)
    if model["type"] == "Unigram":
        vocabulary = model["vocab"]
        # What is unknown costs more than the rarest piece, so the rarest stays what it is.
        rarest = min(range(len(vocabulary)), key=lambda number: vocabulary[number][1])
        needed = {rarest, *([] if model["unk_id"] is None else [model["unk_id"]])}
        if model.get("byte_fallback"):
            names = {f"<0x{byte:02X}>" for byte in range(256)}
            needed |= {number for number, (piece, _) in enumerate(vocabulary) if piece in names}
        return needed
    return set()


def _tried_on_unknown_words(
    tokenizer: PieceTokenizer, model: Mapping[str, Any], texts: Iterable[str], max_length: int
) -> set[int]:
    """Return the pieces that WordPiece finds in a word before it gives the word up.

    Without them it could find other pieces, and cut what was unknown before.
    """
    normalizer, splitter = tokenizer.backend.normalizer, tokenizer.backend.pre_tokenizer
    needed: set[int] = set()
    for encodings in _encodings(tokenizer, texts, max_length):
        for text, encoding in encodings:
            if tokenizer.unknown_id not in encoding.ids + _rest_of_the_last_word(encoding):
                continue
            normal = text if normalizer is None else normalizer.normalize_str(text)
            words = [normal]
            if splitter is not None:
                words = [word for word, _ in splitter.pre_tokenize_str(normal)]
            for word in words:
                if len(word) <= model["max_input_chars_per_word"]:
                    needed |= _tried_on(word, model["vocab"], model["continuing_subword_prefix"])
    return needed


def _tried_on(word: str, vocabulary: Mapping[str, int], prefix: str) -> set[int]:
    """Return what a longest-match-first search finds in a word that it cannot cut; else nothing."""
    found: set[int] = set()
    start = 0
    while start < len(word):
        lead = prefix if start else ""
        ends = range(len(word), start, -1)
        end = next((end for end in ends if lead + word[start:end] in vocabulary), None)
        if end is None:
            return found
        found.add(vocabulary[lead + word[start:end]])
        start = end
    return set()


def _narrowed(about: dict[str, Any], pieces: list[str]) -> str:
    """Return a tokenizer's JSON with these pieces alone, numbered anew."""
    model = about["model"]
    kept = set(pieces)
    if model["type"] == "Unigram":
        unknown = None if model["unk_id"] is None else model["vocab"][model["unk_id"]][0]
        model["vocab"] = [entry for entry in model["vocab"] if entry[0] in kept]
        in_model = [piece for piece, _ in model["vocab"]]
        model["unk_id"] = None if unknown is None else in_model.index(unknown)
    else:
        in_model = [piece for piece in pieces if piece in model["vocab"]]
        model["vocab"] = {piece: number for number, piece in enumerate(in_model)}
    # Pieces that were added outside of the model come after those in it.
    ids = {piece: number for number, piece in enumerate(in_model)}
    for one in about["added_tokens"]:
        one["id"] = ids.setdefault(one["content"], len(ids))
    about["added_tokens"].sort(key=lambda one: one["id"])
    _renumber(about["post_processor"], ids)
    return json.dumps(about, ensure_ascii=False)


def _renumber(processor: dict[str, Any] | None, ids: Mapping[str, int]) -> None:
    """Give the special pieces around a text their new ids."""
    if processor is None:
        return
    for part in processor.get("processors", ()):
        _renumber(part, ids)
    for role in ("sep", "cls"):
        if role in processor:
            processor[role] = [processor[role][0], ids[processor[role][0]]]
    for template in processor.get("special_tokens", {}).values():
        template["ids"] = [ids[piece] for piece in template["tokens"]]
