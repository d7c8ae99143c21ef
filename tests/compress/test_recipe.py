"""The recipe's types: bound to the real signatures of what they build."""

import inspect
from importlib import import_module

import pytest

from compress.recipe import (
    Attention,
    BertStudent,
    Embeddings,
    HiddenStates,
    Kind,
    Label,
    MeanPooledStudent,
    MobileBertStudent,
    NextItemRecipe,
    SoftTargets,
    TextCnnStudent,
    TextSequence,
    TextStudent,
    TransformerStudent,
)

KINDS = [
    *(SoftTargets, Label, HiddenStates, Attention, Embeddings),
    *(TextSequence, TransformerStudent),
    *(TextStudent, BertStudent, MobileBertStudent, TextCnnStudent, MeanPooledStudent),
]


def all_kinds(base: type[Kind]) -> set[type[Kind]]:
    return {kind for direct in base.__subclasses__() for kind in {direct, *all_kinds(direct)}}


def test_every_kind_is_checked_here():
    assert all_kinds(Kind) == set(KINDS)


@pytest.mark.parametrize("kind", [kind for kind in KINDS if hasattr(kind, "implementation")])
def test_fields_are_the_arguments_of_the_implementation(kind):
    module, _, name = kind.implementation.partition(":")
    parameters = inspect.signature(getattr(import_module(module), name)).parameters
    fields = set(kind.model_fields) - kind.not_arguments
    required = {
        name
        for name, parameter in parameters.items()
        if parameter.default is inspect.Parameter.empty
    }
    assert fields | kind.given_arguments <= set(parameters)
    assert required <= fields | kind.given_arguments


def recipe(**changes):
    data = {
        "name": "r",
        "data": {"source": {"kind": "movielens-100k"}},
        "teacher": {"kind": "text-sequence"},
        "student": {"kind": "transformer"},
    }
    return NextItemRecipe.model_validate({**data, **changes})


def test_hash_is_of_what_makes_the_model():
    assert recipe().hash == recipe(benchmark={"seconds": 1}, threads=1, budget={}).hash
    assert recipe().hash == recipe(seed=1).hash
    assert recipe().hash != recipe(seed=2).hash


def test_recipes_are_frozen():
    with pytest.raises(ValueError, match="frozen"):
        recipe().seed = 3


def test_distillation_needs_a_teacher_and_one_temperature_for_a_tail():
    with pytest.raises(ValueError, match="at least one of kind soft-targets"):
        recipe(distillation={"losses": [{"kind": "label"}]})
    two = [{"kind": "soft-targets", "temperature": t} for t in (1, 2)]
    with pytest.raises(ValueError, match="one temperature"):
        recipe(distillation={"losses": two, "top_k": 10})


def test_global_time_leaves_events_to_train_on():
    with pytest.raises(ValueError, match=r"at least 0\.1 of the events"):
        recipe(
            data={
                "source": {"kind": "movielens-100k"},
                "split": {"kind": "global-time", "validation": 0.5, "test": 0.45},
            }
        )


def test_recipes_of_runs_made_before_have_no_rate_for_a_server():
    assert recipe(benchmark={"server_rate": None}).benchmark.server_rate == 100.0
