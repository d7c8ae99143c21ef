from collections import Counter

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from compress.data.text_split import (
    TEST,
    TRAIN,
    VALIDATION,
    grouped_split,
    rarest_classes,
    stratified_split,
)

SHARE = st.sampled_from([0.05, 0.1, 0.15, 0.25, 0.4])


def sizes(split: np.ndarray) -> tuple[int, int, int]:
    return tuple(int((split == name).sum()) for name in (TRAIN, VALIDATION, TEST))  # type: ignore[return-value]  # three of them


def test_every_class_is_split_by_the_shares() -> None:
    strata = np.repeat([7, 3], [60, 40])
    split = stratified_split(strata, validation=0.1, test=0.2, seed=1)
    assert sizes(split[:60]) == (42, 6, 12)
    assert sizes(split[60:]) == (28, 4, 8)


def test_many_small_classes_still_fill_validation_and_test() -> None:
    # 0.1 and 0.15 of three round to 0 in every class alone.
    strata = np.repeat(np.arange(200), 3)
    assert sizes(stratified_split(strata, validation=0.1, test=0.15, seed=1)) == (450, 60, 90)


def test_a_class_of_one_example_is_only_trained_on() -> None:
    strata = np.append(np.arange(50), np.full(100, 50))
    split = stratified_split(strata, validation=0.2, test=0.2, seed=1)
    assert (split[:50] == TRAIN).all()
    assert sizes(split[50:]) == (60, 20, 20)


def test_only_validation_is_cut_off_where_the_test_is_given() -> None:
    split = stratified_split(np.zeros(50, np.int64), validation=0.2, test=0.0, seed=1)
    assert sizes(split) == (40, 10, 0)


def test_the_seed_alone_draws_the_split() -> None:
    strata = np.arange(100) % 3
    splits = [stratified_split(strata, validation=0.2, test=0.2, seed=s) for s in (1, 1, 2)]
    assert (splits[0] == splits[1]).all()
    assert (splits[0] != splits[2]).any()


@given(
    strata=st.lists(st.integers(-1, 5), max_size=80),
    validation=SHARE,
    test=st.one_of(st.just(0.0), SHARE),
    seed=st.integers(0, 9),
)
def test_any_stratified_split_keeps_its_shares(
    strata: list[int], validation: float, test: float, seed: int
) -> None:
    split = stratified_split(
        np.array(strata, np.int64), validation=validation, test=test, seed=seed
    )
    found: Counter[int] = Counter()
    for stratum, count in Counter(strata).items():
        inside = split[[index for index, other in enumerate(strata) if other == stratum]]
        held_out = count - sizes(inside)[0]
        assert sizes(inside)[0] >= 1
        assert abs(held_out - count * (validation + test)) <= 1 or count == 1 + held_out
        found.update(inside.tolist())
    divisible = sum(count for count in Counter(strata).values() if count > 1)
    held_out = found[VALIDATION] + found[TEST]
    assert held_out <= divisible * (validation + test) + 1
    assert abs(found[TEST] - held_out * test / (validation + test)) <= 0.5 + 1e-6


def split_groups(
    groups: list[int],
    classes: list[int],
    validation: float = 0.1,
    test: float = 0.15,
    seed: int = 1,
) -> np.ndarray:
    rows = np.arange(len(groups))
    return grouped_split(
        np.array(groups, np.int64),
        rows,
        np.array(classes, np.int64),
        validation=validation,
        test=test,
        seed=seed,
    )


@given(
    rows=st.lists(st.tuples(st.integers(0, 12), st.integers(0, 3)), max_size=60),
    validation=SHARE,
    test=st.one_of(st.just(0.0), SHARE),
    seed=st.integers(0, 9),
)
def test_a_group_is_never_in_two_splits(
    rows: list[tuple[int, int]], validation: float, test: float, seed: int
) -> None:
    groups, classes = [group for group, _ in rows], [label for _, label in rows]
    split = split_groups(groups, classes, validation, test, seed)
    assert len({*zip(groups, split.tolist(), strict=True)}) == len(set(groups))
    assert test > 0 or TEST not in split


def test_the_biggest_groups_go_first_to_where_the_most_is_missing() -> None:
    # Shares .6, .2 and .2 of ten examples: 6, 2 and 2 are wanted.
    groups = [0] * 4 + [1] * 2 + [2] * 2 + [3] + [4]
    split = split_groups(groups, [0] * 10, validation=0.2, test=0.2)
    # 0: leaves training at 1 - 4/6, the others at 1 - 4/2. 1: fills one of them to 1 - 2/2 = 0,
    # as it would training (1 - 6/6); training comes first. 2 fills validation, 3 and 4 the test.
    assert split.tolist() == [TRAIN] * 6 + [VALIDATION] * 2 + [TEST] * 2


def test_grouped_classes_are_balanced() -> None:
    random = np.random.default_rng(5)
    groups = random.integers(0, 400, 8000)
    # A product's reviews are mostly of its own class, some classes much rarer than others.
    own = random.choice(5, 400, p=[0.5, 0.3, 0.1, 0.07, 0.03])
    classes = np.where(random.random(8000) < 0.9, own[groups], random.integers(0, 5, 8000))
    split = split_groups(groups.tolist(), classes.tolist())
    for label in range(5):
        shares = np.array(sizes(split[classes == label])) / (classes == label).sum()
        assert shares == pytest.approx([0.75, 0.1, 0.15], abs=0.02)


def test_a_class_in_one_group_is_trained_on() -> None:
    groups = [0, 0, *np.repeat(np.arange(1, 31), 2).tolist()]
    classes = [1, 1, *([0] * 60)]
    assert split_groups(groups, classes)[0] == TRAIN


def test_equal_groups_are_drawn_by_the_seed() -> None:
    groups = np.repeat(np.arange(50), 2).tolist()
    splits = [split_groups(groups, [0] * 100, seed=seed) for seed in (1, 1, 2)]
    assert (splits[0] == splits[1]).all()
    assert (splits[0] != splits[2]).any()


def test_the_rarest_class_of_each_example() -> None:
    # Class 0: three examples, class 1: two, class 2: one; example 3 has none.
    owners, classes = np.array([0, 0, 1, 1, 2, 2]), np.array([0, 1, 0, 1, 0, 2])
    assert rarest_classes(owners, classes, 4).tolist() == [1, 1, 2, -1]


@settings(max_examples=30)
@given(st.lists(st.sets(st.integers(0, 4)), max_size=12))
def test_the_rarest_class_as_plain_python_finds_it(sets: list[set[int]]) -> None:
    owners = np.array([row for row, has in enumerate(sets) for _ in has], np.int64)
    classes = np.array([label for has in sets for label in sorted(has)], np.int64)
    frequency = Counter(classes.tolist())
    expected = [max(has, key=lambda c: (-frequency[c], c), default=-1) for has in sets]
    assert rarest_classes(owners, classes, len(sets)).tolist() == expected
