"""Where Core ML's tools can be had."""

import platform

import pytest

from export.coreml.availability import import_coremltools, why_unavailable
from export.source import Unsupported


def test_on_macos_and_linux_nothing_keeps_packages_from_being_written():
    assert why_unavailable("Darwin") is None
    assert why_unavailable("Linux") is None


def test_on_windows_one_line_names_the_platform_and_what_can_be_had_instead():
    with pytest.raises(Unsupported, match="coreml: on Windows .*choose format: onnx") as caught:
        import_coremltools("Windows")

    assert "\n" not in str(caught.value)


def test_the_machine_itself_is_asked(monkeypatch):
    monkeypatch.setattr(platform, "system", lambda: "Windows")

    assert "Windows" in (why_unavailable() or "")


def test_a_missing_package_is_named_with_what_installs_it(monkeypatch):
    monkeypatch.setattr("export.coreml.availability.find_spec", lambda name: None)

    assert "pip install 'coremltools" in (why_unavailable("Linux") or "")
