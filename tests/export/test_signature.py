"""What files say of themselves."""

import pytest

from export.blocked_items import BlockedItems
from export.signature import next_item_signature, text_input_signature, text_signature

HASHES = {"recipe_sha256": "r", "tokenizer_sha256": "t", "classes_sha256": "c"}


def text(**changes):
    return text_signature(
        **{
            "task": "text-label",
            "target": "one-of",
            "classes": 20,
            "max_length": 96,
            "is_pair": False,
            "has_gains": False,
            **HASHES,
            **changes,
        }
    )


def test_next_item_files_say_what_they_always_said():
    signature = next_item_signature(
        items=1682,
        history_length=50,
        top_k=100,
        mask_seen=True,
        recipe_sha256="r",
        item_map_sha256="m",
    )
    assert list(signature.metadata().items()) == [
        ("limbeck.signature", "1"),
        ("limbeck.task", "next-item"),
        ("limbeck.inputs", "history:int32[B,50]"),
        ("limbeck.outputs", "item_ids:int32[B,100] scores:float32[B,100]"),
        ("limbeck.items", "1682"),
        ("limbeck.history_length", "50"),
        ("limbeck.top_k", "100"),
        ("limbeck.mask_seen", "true"),
        ("limbeck.recipe_sha256", "r"),
        ("limbeck.item_map_sha256", "m"),
    ]


def test_a_file_with_blocked_items_says_how_many_and_which():
    plain, blocking = (
        next_item_signature(
            items=1682,
            history_length=50,
            top_k=100,
            mask_seen=True,
            recipe_sha256="r",
            item_map_sha256="m",
            **blocked,
        ).metadata()
        for blocked in ({}, {"blocked": BlockedItems((2, 7, 9), "b")})
    )
    assert blocking == {**plain, "limbeck.blocked_items": "3", "limbeck.blocked_sha256": "b"}


def test_a_text_file_names_recipe_tokenizer_and_classes():
    assert list(text().metadata().items()) == [
        ("limbeck.signature", "1"),
        ("limbeck.task", "text-label"),
        ("limbeck.inputs", "input_ids:int32[B,L] attention_mask:int32[B,L]"),
        ("limbeck.outputs", "probabilities:float32[B,20]"),
        ("limbeck.target", "one-of"),
        ("limbeck.max_length", "96"),
        ("limbeck.recipe_sha256", "r"),
        ("limbeck.tokenizer_sha256", "t"),
        ("limbeck.classes_sha256", "c"),
    ]


@pytest.mark.parametrize(
    ("changes", "outputs"),
    [
        ({"has_gains": True, "classes": 4}, "probabilities:float32[B,4] score:float32[B]"),
        ({"target": "score", "classes": 0}, "score:float32[B]"),
    ],
)
def test_pairs_tell_the_texts_apart_and_answer_a_score(changes, outputs):
    found = text(task="text-pair", is_pair=True, **changes).metadata()
    assert found["limbeck.inputs"].endswith(" token_type_ids:int32[B,L]")
    assert found["limbeck.outputs"] == outputs


def test_with_the_tokenizer_inside_only_the_inputs_change():
    alone, pair = text(), text(task="text-pair", is_pair=True)
    assert text_input_signature(alone).metadata() == {
        **alone.metadata(),
        "limbeck.inputs": "text:string[B]",
    }
    assert text_input_signature(pair).metadata() == {
        **pair.metadata(),
        "limbeck.inputs": "query:string[B] product:string[B]",
    }
