"""Core ML's tools come with limbeck where there are any."""

import sys

import pytest

from compress.errors import MissingExtraError
from export.coreml.tools import import_coremltools


def test_nothing_is_said_when_they_are_imported(capfd):
    assert import_coremltools().__version__
    assert capfd.readouterr() == ("", "")


def test_a_missing_package_is_named_with_what_installs_it(monkeypatch):
    monkeypatch.setitem(sys.modules, "coremltools", None)
    with pytest.raises(MissingExtraError, match="pip install 'coremltools"):
        import_coremltools()
