"""Which stages a job has, and in which order."""

from pathlib import Path

import pytest

from benchmarks.stages import stages_of
from compress.recipe_file import parse_recipe, read_recipe

TEXTS = read_recipe(Path("recipes/womens-clothing.yaml"))
ITEMS = read_recipe(Path("recipes/movielens-100k.yaml"))


@pytest.mark.parametrize("recipe", [ITEMS, TEXTS])
def test_every_stage_comes_after_those_that_it_needs(recipe):
    done = set()
    for stage in stages_of(recipe):
        assert {*stage.needs, *stage.after} <= done, stage.name
        done.add(stage.name)


@pytest.mark.parametrize("recipe", [ITEMS, TEXTS])
def test_peers_are_measured_only_where_they_are_asked_for(recipe):
    plain, beside = (stages_of(recipe, peers=peers) for peers in (False, True))
    assert [one.name for one in beside if one.name not in {two.name for two in plain}] == ["peers"]
    assert "peers" in beside[-1].needs
    assert "peers" not in plain[-1].needs


@pytest.mark.parametrize("line", ["seed: 2", "threads: 1", "student: {kind: bert, width: 32}"])
def test_the_teacher_is_fine_tuned_again_only_for_what_changes_it(line):
    name, _, value = line.partition(": ")
    source = Path("recipes/womens-clothing.yaml").read_text(encoding="utf-8")
    other = parse_recipe(source, overrides=[f"{name}={value}"])
    teacher = next(stage for stage in stages_of(TEXTS) if stage.name == "teacher")
    assert (teacher.settings(other) == teacher.settings(TEXTS)) == (name != "seed")
