"""Damaged texts, as people type them in a hurry: each model cuts them with its own tokenizer.

What is damaged in a text depends on the seed and the text's number alone, and what 10% loses, 30%
loses too. A text that has nothing to damage stays as it is.
"""

import re
from collections.abc import Callable, Iterator, Sequence

import numpy as np
from numpy.typing import NDArray

from benchmarks.robustness.damage import Damage
from benchmarks.robustness.draws import share_of_counts, uniforms

_LONG_WORD = re.compile(r"[^\W\d_]{4,}")
"""Letters in a row whose inner ones can be exchanged or left out."""


def damaged_texts(
    texts: Sequence[str], rows: NDArray[np.int64], damage: Damage, *, seed: int
) -> list[str]:
    """Return the texts as a model gets them under a damage.

    Args:
        texts: N texts.
        rows: `[N]`, a number of each text that stays its own.
        damage: Of `TEXT_DAMAGES`, or none.
        seed: Of the damage.

    Raises:
        ValueError: The damage is one of histories.
    """
    if damage.kind == "none":
        return list(texts)
    if damage.kind == "words-dropped":
        return drop_words(texts, rows, damage.level, seed)
    if damage.kind == "typos":
        return misspell(texts, rows, damage.level, seed)
    if damage.kind == "first-words":
        return [first_words(text, int(damage.level)) for text in texts]
    raise ValueError(f"{damage.kind} is no damage of texts")


def drop_words(texts: Sequence[str], rows: NDArray[np.int64], share: float, seed: int) -> list[str]:
    """Leave out a share of each text's words, which white space separates; at least one stays.

    What is left is joined by single spaces.

    Args:
        texts: N texts.
        rows: `[N]`, see `damaged_texts`.
        share: 0...1.
        seed: Of the choice.
    """
    words = [text.split() for text in texts]
    chosen = _choose([len(own) for own in words], rows, share, seed, stay=1)
    return [
        " ".join(word for word, goes in zip(own, which, strict=True) if not goes)
        if which.any()
        else text
        for text, own, which in zip(texts, words, chosen, strict=True)
    ]


def misspell(texts: Sequence[str], rows: NDArray[np.int64], share: float, seed: int) -> list[str]:
    """Put one slip into a share of the words of four letters and more.

    Half of the slips swap two neighbouring letters, half leave one out; the first letter and the
    last stay where they are. These are two of the four edits of Pruthi et al. 2019 ("Combating
    Adversarial Misspellings with Robust Word Recognition"), swap and drop, at random and not
    adversarial. Where the two letters are equal, one of the word is left out. Everything between
    the words stays.

    Args:
        texts: N texts.
        rows: `[N]`, see `damaged_texts`.
        share: 0...1 of those words.
        seed: Of the choice.
    """
    counts = [len(_LONG_WORD.findall(text)) for text in texts]
    chosen = _choose(counts, rows, share, seed, stay=0)
    widest = max(counts, default=0)
    kinds = uniforms(seed, "kind of slip", rows, widest)
    places = uniforms(seed, "place of slip", rows, widest)
    return [
        _LONG_WORD.sub(_slips(which, of_kind, at), text)
        for text, which, of_kind, at in zip(texts, chosen, kinds, places, strict=True)
    ]


def first_words(text: str, count: int) -> str:
    """Return the first words of a text, as someone types who expects answers at once."""
    words = text.split()
    return text if len(words) <= count else " ".join(words[:count])


def _choose(
    counts: Sequence[int], rows: NDArray[np.int64], share: float, seed: int, *, stay: int
) -> Iterator[NDArray[np.bool_]]:
    """Yield which words of each text are damaged; of each text `stay` are not."""
    rounding = uniforms(seed, "rounding of words", rows, 1)[:, 0]
    words = np.array(counts, dtype=np.int64)
    wanted = np.minimum(share_of_counts(words, share, rounding), np.maximum(words - stay, 0))
    keys = uniforms(seed, "words", rows, int(words.max(initial=0)))
    for count, number, own in zip(words, wanted, keys, strict=True):
        which = np.zeros(count, dtype=bool)
        which[np.argsort(own[:count])[:number]] = True
        yield which


def _slips(
    which: NDArray[np.bool_], kinds: NDArray[np.float64], places: NDArray[np.float64]
) -> Callable[[re.Match[str]], str]:
    """Return what replaces one long word after the other."""
    number = iter(range(len(which)))

    def replace(match: re.Match[str]) -> str:
        word, own = match.group(), next(number)
        if not which[own]:
            return word
        if kinds[own] < 0.5:
            at = 1 + int(places[own] * (len(word) - 3))
            if word[at] != word[at + 1]:
                return word[:at] + word[at + 1] + word[at] + word[at + 2 :]
        at = 1 + int(places[own] * (len(word) - 2))
        return word[:at] + word[at + 1 :]

    return replace
