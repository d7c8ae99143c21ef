"""Rows of several sources, asked for as if they were one."""

from dataclasses import dataclass

import numpy as np
import pytest

from compress.data.joined_texts import EachText, JoinedTexts


@dataclass(frozen=True)
class Texts:
    first: list[str]
    second: list[str] | None = None

    def __len__(self):
        return len(self.first)

    def texts(self, rows):
        chosen = [None if self.second is None else self.second[row] for row in rows]
        return [self.first[row] for row in rows], None if self.second is None else chosen


def test_rows_follow_each_other_across_empty_sources():
    joined = JoinedTexts([Texts(["a", "b"]), Texts([]), Texts(["c"])])
    assert len(joined) == 3
    assert joined.texts(np.array([2, 0, 1, 2])) == (["c", "a", "b", "c"], None)


def test_pairs_stay_pairs():
    joined = JoinedTexts([Texts(["q"], ["p"]), Texts(["r"], ["s"])])
    assert joined.texts(np.array([1, 0])) == (["r", "q"], ["s", "p"])


@pytest.mark.parametrize("sources", [[], [Texts([])]])
def test_nothing_joined_is_empty(sources):
    assert len(JoinedTexts(sources)) == 0


def test_each_text_is_read_as_often_as_wanted():
    texts = EachText(Texts(["q", "r"], ["p", "s"]))
    assert [*texts] == [*texts] == ["q", "r", "p", "s"]
    assert [*EachText(Texts(["a"]))] == ["a"]
