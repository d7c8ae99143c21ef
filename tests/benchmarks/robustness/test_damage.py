"""How damages are called."""

import pytest

from benchmarks.robustness.damage import HISTORY_DAMAGES, TEXT_DAMAGES, UNDAMAGED, Damage


def test_damages_are_10_to_50_percent_and_0_to_4_events():
    levels = {kind: [] for kind in ("drop", "noise", "cold")}
    for one in HISTORY_DAMAGES:
        levels[one.kind].append(one.level)
    assert levels == {"drop": [0.1, 0.3, 0.5], "noise": [0.1, 0.3, 0.5], "cold": [4, 3, 2, 1, 0]}


@pytest.mark.parametrize(
    ("damage", "name", "slug"),
    [
        (UNDAMAGED, "undamaged", "undamaged"),
        (Damage("drop", 0.3), "30% of events dropped", "drop-30"),
        (Damage("noise", 0.1), "10% of events random", "noise-10"),
        (Damage("cold", 4), "last 4 events", "cold-4"),
        (Damage("cold", 1), "last event", "cold-1"),
        (Damage("cold", 0), "no events", "cold-0"),
        (Damage("typos", 0.5), "50% of words misspelt", "typos-50"),
        (Damage("first-words", 2), "first 2 words", "first-words-2"),
        (Damage("first-words", 1), "first word", "first-words-1"),
    ],
)
def test_names_and_files(damage, name, slug):
    assert (damage.name, damage.slug) == (name, slug)


def test_names_and_files_are_distinct():
    for damages in (HISTORY_DAMAGES, TEXT_DAMAGES):
        assert (
            len({one.name for one in damages}) == len({one.slug for one in damages}) == len(damages)
        )


@pytest.mark.parametrize(
    ("kind", "level"),
    [("drop", 0.0), ("drop", 1.0), ("noise", 30), ("cold", 1.5), ("cold", -1), ("none", 0.5)],
)
def test_levels_that_mean_nothing_are_refused(kind, level):
    with pytest.raises(ValueError, match="no level"):
        Damage(kind, level)
