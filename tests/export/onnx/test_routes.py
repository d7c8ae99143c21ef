"""Which route and opset a wish becomes."""

import pytest

from export.onnx.routes import BEST, DEFAULT, GraphRoute, choose_route
from export.source import Unsupported


def test_without_a_wish_it_is_the_measured_best():
    for kind, best in BEST.items():
        assert choose_route(kind) == best
    assert choose_route("hugging-face") == DEFAULT


def test_a_wished_route_comes_with_its_own_first_opset():
    assert choose_route("transformer", "dynamo") == GraphRoute("dynamo", 18)
    assert choose_route("bert", "torchscript") == GraphRoute("torchscript", 17)


def test_an_opset_that_only_the_other_route_writes_takes_that_route():
    assert choose_route("bert", opset=20) == GraphRoute("torchscript", 20)
    assert choose_route("bert", opset=23) == GraphRoute("dynamo", 23)


@pytest.mark.parametrize(
    ("kind", "wish", "opset", "said"),
    [
        ("transformer", "dynamo", 17, "opset 17 by route dynamo: torchscript writes 13 to 20"),
        ("transformer", "torchscript", 21, "opset 21 by route torchscript"),
        ("transformer", "auto", 12, "opset 12: torchscript writes 13 to 20; dynamo writes 18"),
        ("bert", "auto", 16, "a bert student .* opset 16: torchscript writes 17 to 20"),
    ],
)
def test_what_no_route_writes_is_refused_with_what_can_be_had(kind, wish, opset, said):
    with pytest.raises(Unsupported, match=said):
        choose_route(kind, wish, opset)
