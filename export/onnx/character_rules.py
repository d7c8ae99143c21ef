"""What a tokenizer makes of each character, as a table that a graph can hold.

A tokenizer that normalises and splits character by character (BERT's) is described completely by
what it makes of each character alone. The table is found by asking the tokenizer itself about
every character of Unicode, so that it is of the very Unicode version that the tokenizer knows.
"""

import json
import unicodedata
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass
from functools import lru_cache
from itertools import permutations
from typing import Any

from tokenizers import Tokenizer

LAST = 0x10FFFF
_SURROGATES = range(0xD800, 0xE000)
_SYLLABLES = range(0xAC00, 0xD7A4)
_BESIDE = "\U00010380"
"""A letter without case, accents or relatives: no tokenizer changes it or splits at it."""
_AT_ONCE = 1 << 16
_LONG_RUN = 512
"""Neighbouring characters with one fate from which on a range is shorter than a table."""


@dataclass(frozen=True)
class CharacterRules:
    """What becomes of each character.

    Attributes:
        deleted: Ranges (first and last code point) of characters that are left out.
        isolated: Ranges of characters that are words of their own; the table is asked after that.
        table: What else becomes of a character: words, with a space where one ends.
        unknown: Stands for every character that is not in the table: no piece has it.
    """

    deleted: tuple[tuple[int, int], ...]
    isolated: tuple[tuple[int, int], ...]
    table: dict[str, str]
    unknown: str


def character_rules(fates: Mapping[str, str], alphabet: frozenset[str]) -> CharacterRules:
    """Choose what a graph has to know.

    Args:
        fates: See `fates_of`.
        alphabet: The characters of all pieces; a word with another is unknown as a whole.
    """
    unknown = next(one for one in private_characters() if one not in alphabet)
    deleted = tuple(_long_runs(one for one, fate in fates.items() if fate == ""))
    isolated = tuple(_long_runs(one for one, fate in fates.items() if fate == f" {one} "))
    gone, apart = _inside(deleted), _inside(isolated)
    table = {one: one for one in sorted(alphabet) if one not in fates}
    for one, fate in fates.items():
        if alphabet.issuperset(fate.replace(" ", "")):
            if one not in gone:
                table[one] = fate
        elif " " in fate and one not in apart:
            table[one] = f" {unknown} "
    return CharacterRules(deleted, isolated, table, unknown)


def fates_of(normalizer: Any, splitter: Any) -> Mapping[str, str]:
    """Ask a tokenizer what every character becomes inside a word.

    Args:
        normalizer: Its part of `tokenizer.json`.
        splitter: Likewise, the pre-tokenizer.

    Returns:
        For the space, and each other character that does not stay as it is: words, with spaces
        between.

    Raises:
        ValueError: The tokenizer does not look at one character at a time.
    """
    return _fates(json.dumps(normalizer), json.dumps(splitter))


@lru_cache(maxsize=2)  # the files of a run have one tokenizer
def _fates(normalizer: str, splitter: str) -> Mapping[str, str]:
    model = '{"type": "WordLevel", "vocab": {}, "unk_token": ""}'
    tokenizer = Tokenizer.from_str(
        f'{{"normalizer": {normalizer}, "pre_tokenizer": {splitter}, "model": {model}, '
        '"added_tokens": [], "version": "1.0"}'
    )
    found: dict[str, str] = {}
    for start in range(0, LAST + 1, _AT_ONCE):
        codes = range(max(start, 1), min(start + _AT_ONCE, LAST + 1))  # all but NUL
        asked = [chr(code) for code in codes if code not in _SURROGATES and chr(code) != _BESIDE]
        text = tokenizer.normalizer.normalize_str(f"{_BESIDE}{_BESIDE.join(asked)}{_BESIDE}")
        words = " ".join(word for word, _ in tokenizer.pre_tokenizer.pre_tokenize_str(text))
        answers = words.split(_BESIDE)[1:-1]
        if len(answers) != len(asked):
            raise ValueError("the tokenizer does not look at one character at a time")
        pairs = zip(asked, answers, strict=True)
        found.update((one, fate) for one, fate in pairs if one != fate or one == " ")
    return found


def _long_runs(characters: Iterable[str]) -> Iterator[tuple[int, int]]:
    """Yield the long ranges of code points among characters."""
    codes = sorted(map(ord, characters))
    first = 0
    for place in range(1, len(codes) + 1):
        if place == len(codes) or codes[place] != codes[place - 1] + 1:
            if place - first >= _LONG_RUN:
                yield codes[first], codes[place - 1]
            first = place


def _inside(ranges: Iterable[tuple[int, int]]) -> frozenset[str]:
    return frozenset(chr(code) for first, last in ranges for code in range(first, last + 1))


def private_characters() -> Iterator[str]:
    """Yield characters that mean nothing (Unicode's private use)."""
    yield from map(chr, range(0xE000, 0xF900))


def compositions(known: frozenset[str]) -> dict[str, str]:
    """Return what Unicode writes as one character although it may come as several.

    Korean syllables are computed, not listed: only known ones are here.

    Args:
        known: Characters that are pieces.

    Returns:
        By a letter and its marks, in every order that means the same, the one character.
    """
    found = {}
    for whole in (*_decomposable(), *(chr(code) for code in _SYLLABLES if chr(code) in known)):
        apart = unicodedata.normalize("NFD", whole)
        if len(apart) == 1 or unicodedata.normalize("NFC", apart) != whole:
            continue
        for marks in permutations(apart[1:]):
            for end in range(len(marks) + 1):
                start = unicodedata.normalize("NFC", apart[0] + "".join(marks[:end]))
                written = start + "".join(marks[end:])
                if len(written) > 1 and unicodedata.normalize("NFC", written) == whole:
                    found[written] = whole
    return found


def alike(characters: Iterable[str]) -> dict[str, str]:
    """Return what Unicode (NFC) takes for one of `characters`, them included, by character."""
    found = {one: one for one in characters}
    for other in _decomposable():
        normal = unicodedata.normalize("NFC", other)
        if normal != other and normal in found:
            found[other] = normal
    return found


@lru_cache(maxsize=1)
def _decomposable() -> tuple[str, ...]:
    """Return the characters that Unicode's table says are the same as others."""
    return tuple(
        chr(code)
        for code in range(LAST + 1)
        if unicodedata.decomposition(chr(code)) and "<" not in unicodedata.decomposition(chr(code))
    )
