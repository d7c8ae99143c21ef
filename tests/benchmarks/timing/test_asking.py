"""Which examples are kept back, and what is asked of a model beside LoadGen."""

import numpy as np
import pytest

from benchmarks.timing.asking import (
    GROWTH_BLOCKS,
    MOST_KEPT_OUT,
    WARM_UP_QUERIES,
    ask_twice,
    keep_out,
    longest_call,
    warm_up,
    watch_memory,
)
from export.samples import Samples


def samples(count: int, lengths=None) -> Samples:
    ids = np.arange(count * 6, dtype=np.int32).reshape(count, 6)
    return Samples({"input_ids": ids}, None if lengths is None else np.array(lengths))


class Listening:
    """Notes what it is asked."""

    def __init__(self) -> None:
        self.asked: list[tuple[int, ...]] = []

    def __call__(self, inputs):
        self.asked.append(tuple(inputs["input_ids"][0]))
        return {}


@pytest.mark.parametrize(("count", "kept"), [(31, 0), (32, 8), (100, 25), (2000, MOST_KEPT_OUT)])
def test_a_quarter_is_kept_back_but_not_too_many_and_never_too_few(count, kept):
    asked, kept_out, partners = keep_out(samples(count))
    assert (len(kept_out), len(partners), len(asked)) == (kept, kept, count - kept)
    assert sorted([*asked, *kept_out]) == list(range(count))
    assert set(partners) <= set(asked)


def test_what_is_kept_back_has_a_partner_of_its_length():
    lengths = [1, *[2] * 20, *[3] * 20]
    _, kept_out, partners = keep_out(samples(41, lengths))
    assert len(kept_out) == 10
    assert 0 not in kept_out  # Nothing else has its length.
    assert [lengths[row] for row in kept_out] == [lengths[row] for row in partners]


def test_the_same_examples_are_kept_back_every_time():
    assert keep_out(samples(100))[1].tolist() == keep_out(samples(100))[1].tolist()


def test_new_examples_are_asked_all_once_and_then_all_again():
    given, runner = samples(40), Listening()
    _, kept_out, partners = keep_out(given)
    first, again = ask_twice(runner, given, kept_out, partners, usual_ns=1.0)
    assert len(first) == len(again) == len(kept_out) == 10
    rows = [tuple(given.row(int(row))["input_ids"][0]) for row in (*partners, *kept_out, *kept_out)]
    assert runner.asked == rows


def test_slow_models_are_asked_about_fewer():
    given = samples(400)
    _, kept_out, partners = keep_out(given)
    first, _ = ask_twice(Listening(), given, kept_out, partners, usual_ns=1e9)
    assert len(first) == 8


def test_nothing_kept_back_asks_nothing():
    given, runner = samples(5), Listening()
    assert ask_twice(runner, given, *keep_out(given)[1:], usual_ns=1.0) == ((), ())
    assert runner.asked == []


def test_the_warm_up_has_its_queries_however_short_it_is():
    calls = [samples(3).row(row) for row in range(3)]
    assert len(warm_up(Listening(), calls, seconds=0.0)) == WARM_UP_QUERIES


def test_the_longest_call_is_of_the_longest_examples():
    given = samples(4, lengths=[2, 6, 1, 5])
    assert longest_call(given, 1)["input_ids"].tolist() == [[6, 7, 8, 9, 10, 11]]
    assert longest_call(given, 2)["input_ids"].tolist() == [[*range(6, 12)], [*range(18, 24)]]
    assert longest_call(given, 9)["input_ids"].shape == (4, 6)


def test_the_longest_text_is_told_by_its_characters():
    texts = Samples({"text": np.array(["ab", "abcd", "c"]), "other": np.array(["", "", "abc"])})
    assert longest_call(texts, 1)["text"].tolist() == ["abcd"]


def test_memory_is_looked_at_between_blocks_of_the_same_few_calls():
    calls, runner = [samples(40).row(row) for row in range(40)], Listening()
    seen, queries = watch_memory(runner, calls, usual_ns=5e7)
    assert (len(seen), queries) in {(GROWTH_BLOCKS + 1, 96), (0, 0)}
    assert len(set(runner.asked)) in {8, 0}
