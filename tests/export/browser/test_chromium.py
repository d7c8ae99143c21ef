"""A browser that is found, or said to be missing, and that leaves nothing behind."""

import os
import tempfile
import time
from pathlib import Path

import psutil
import pytest

from compress.errors import MissingExtraError, UserError
from export.browser import chromium as chromium_module
from export.browser.chromium import (
    VARIABLE,
    Chromium,
    chromium_obstacle,
    find_chromium,
    remove_abandoned,
)
from export.browser.page import BrowserPage, browser_obstacles
from export.targets import targets


@pytest.fixture
def temporary(monkeypatch):
    """Where browsers keep their folders meanwhile; pytest's own paths are too long for them."""
    with tempfile.TemporaryDirectory(dir="/tmp", prefix="l-") as folder:
        monkeypatch.setattr(tempfile, "tempdir", folder)
        yield Path(folder)


def processes(folder):
    """Whoever names something in the folder on its command line."""
    return [
        one
        for one in psutil.process_iter(["cmdline"])
        if any(str(folder) in part for part in one.info["cmdline"] or ())
    ]


def test_a_browser_can_be_named(program, monkeypatch):
    named = program("my-chromium", "exit 0")
    monkeypatch.setenv(VARIABLE, str(named))
    assert find_chromium() == named
    assert chromium_obstacle() is None


def test_a_name_that_is_no_program_is_not_replaced_by_another(tmp_path, monkeypatch):
    monkeypatch.setenv(VARIABLE, str(tmp_path / "nothing"))
    assert find_chromium() is None
    assert chromium_obstacle() == f"{VARIABLE} names {tmp_path / 'nothing'}, which is no program"


def test_browsers_are_looked_for_on_the_path(program, monkeypatch):
    chrome = program("google-chrome", "exit 0")
    monkeypatch.delenv(VARIABLE, raising=False)
    monkeypatch.setenv("PATH", str(chrome.parent))
    assert find_chromium() == chrome


def test_what_is_missing_is_said_with_how_to_get_it(tmp_path, monkeypatch):
    monkeypatch.delenv(VARIABLE, raising=False)
    monkeypatch.setenv("PATH", str(tmp_path))
    monkeypatch.setenv("LIMBECK_CACHE", str(tmp_path))
    monkeypatch.setattr(chromium_module, "_MAC", ())
    runtime, browser = browser_obstacles()
    assert runtime.endswith("is not in the cache: limbeck targets --install browser")
    assert browser.startswith("Chromium not found: install Chromium (Debian: apt-get install")
    row = targets()[-1]
    assert (row.format, row.target, row.can_emit, row.can_run) == ("onnx", "browser", True, False)
    assert row.how == f"{runtime}; {browser}"
    with pytest.raises(MissingExtraError, match="No browser to measure in: onnxruntime-web"):
        BrowserPage().__enter__()
    with pytest.raises(MissingExtraError, match="Chromium not found"):
        Chromium("http://127.0.0.1:9/").__enter__()


def test_a_browser_that_ends_at_once_is_quoted(program, monkeypatch, browser, temporary):
    monkeypatch.setenv(VARIABLE, str(program("c", "echo No usable sandbox! >&2; exit 1")))
    said = r"(?s)the browser ended\..*No usable sandbox!"
    with pytest.raises(UserError, match=said), BrowserPage() as page:
        page.ask("about")
    assert list(temporary.iterdir()) == []


def test_a_program_of_another_machine_does_not_start(tmp_path, monkeypatch, temporary):
    strange = tmp_path / "chromium"
    strange.write_bytes(b"\x7fELF of elsewhere")
    strange.chmod(0o755)
    monkeypatch.setenv(VARIABLE, str(strange))
    with pytest.raises(UserError, match="does not start"):
        Chromium("http://127.0.0.1:9/").__enter__()
    assert list(temporary.iterdir()) == []


def test_a_browser_that_never_asks_is_given_up_and_ended(
    program, monkeypatch, browser, temporary, tmp_path
):
    script = f"echo $$ > {tmp_path}/pid; exec sleep 300"
    monkeypatch.setenv(VARIABLE, str(program("slow", script)))
    with pytest.raises(UserError, match="no answer to 'about' after 1 s"), BrowserPage() as page:
        page.ask("about", timeout_s=1.0)
    assert not psutil.pid_exists(int((tmp_path / "pid").read_text()))
    assert list(temporary.iterdir()) == []


def test_whatever_happens_no_process_and_no_profile_is_left(browser, temporary):
    def interrupted():
        with BrowserPage() as page:
            about = page.ask("about").content
            assert "Chrome" in about["userAgent"]
            assert about["crossOriginIsolated"] is True
            assert len(processes(temporary)) > 1
            assert page.cpu_seconds() > 0
            raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        interrupted()
    assert processes(temporary) == []
    assert list(temporary.iterdir()) == []


def test_folders_of_killed_processes_are_removed_after_a_day(temporary):
    old, young = temporary / "limbeck-browser-old", temporary / "limbeck-browser-young"
    other = temporary / "somebody-else"
    for folder in (old, young, other):
        (folder / "profile").mkdir(parents=True)
    for folder in (old, other):
        os.utime(folder, (time.time() - 90_000,) * 2)
    remove_abandoned()
    assert sorted(one.name for one in temporary.iterdir()) == [young.name, other.name]


def test_a_long_temporary_folder_is_too_long_for_chromium_s_socket(tmp_path, monkeypatch):
    monkeypatch.setattr(tempfile, "tempdir", f"{tmp_path}/{'x' * 60}")
    assert str(chromium_module._temporary()) == "/tmp"
    monkeypatch.setattr(tempfile, "tempdir", "/scratch")
    assert str(chromium_module._temporary()) == "/scratch"


def test_a_folder_that_a_process_still_uses_is_kept(temporary):
    used = temporary / "limbeck-browser-used"
    used.mkdir()
    (used / "wait").touch()
    with psutil.Popen(["tail", "-f", str(used / "wait")]) as process:
        os.utime(used, (0, 0))
        while not process.cmdline():  # For a moment after its start a process has none.
            time.sleep(0.01)
        remove_abandoned()
        process.kill()
    assert used.is_dir()
    remove_abandoned(now=time.time())
    assert not Path(used).exists()
