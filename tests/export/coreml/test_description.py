"""A package says in Xcode, and to an app, what it is."""

import json

import pytest

from export.coreml.package import read_package


@pytest.fixture(scope="module")
def description(emitted):
    return read_package(emitted("fp16").path).spec.description


def test_inputs_and_outputs_are_described_and_typed(description):
    features = {one.name: one for one in (*description.input, *description.output)}

    assert list(features) == ["history", "item_ids", "scores"]
    assert all(one.shortDescription for one in features.values())
    kinds = {name: one.type.multiArrayType for name, one in features.items()}
    assert list(kinds["history"].shape) == [1, 12]
    assert kinds["history"].dataType == kinds["item_ids"].dataType == 0x20000 | 32
    assert kinds["scores"].dataType == 0x10000 | 32


def test_author_licence_and_version_are_in_their_places(description):
    metadata = description.metadata

    assert metadata.author == "Somebody"
    assert metadata.license == "Apache-2.0"
    assert metadata.versionString == "recipe hash"
    assert metadata.shortDescription.startswith("tiny: the best 25 of 300 items")


def test_the_deploy_contract_is_in_the_metadata(emitted, signature):
    assert read_package(emitted("int8-weight").path).metadata == signature.metadata()
    assert signature.metadata()["limbeck.item_map_sha256"] == "item map hash"


def test_a_text_student_has_its_classes_there(text_package):
    path, source = text_package

    metadata = read_package(path).metadata

    assert json.loads(metadata.pop("limbeck.classes")) == list(source.classes)
    assert metadata == source.signature.metadata()
