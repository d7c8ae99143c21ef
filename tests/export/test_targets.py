"""What can be had here."""

from export.targets import Target, targets


def test_what_is_installed_can_be_written_and_run():
    onnx = next(target for target in targets() if target.format == "onnx")
    assert onnx.can_emit
    assert onnx.can_run
    assert onnx.how == ""


def test_what_is_missing_is_named_with_how_to_get_it():
    target = Target("x", ("fp32",), "x", ("torch",), ("no_such_package",), "pip install it")
    assert target.can_emit
    assert not target.can_run
    assert target.how == "no_such_package not installed: pip install it"
