"""One page in headless Chromium that does what it is asked: a server and a browser together."""

import queue
import time
from collections.abc import Mapping
from contextlib import ExitStack
from dataclasses import dataclass
from pathlib import Path
from types import TracebackType
from typing import Any, Literal, Self

from numpy.typing import NDArray

from compress.errors import MissingExtraError, UserError
from export.browser.chromium import Chromium, chromium_obstacle
from export.browser.install import ENABLE, RUNTIME, browser_runtime
from export.browser.messages import pack, unpack
from export.browser.serve import PageServer, Served

Backend = Literal["wasm", "webgpu"]
MODULES: Mapping[Backend, str] = {"wasm": "ort.wasm.min.mjs", "webgpu": "ort.webgpu.min.mjs"}
ROW_LENGTHS = "row lengths"
"""Beside the arrays of a `time` job: how much of each row is no padding."""
_STATIC = Path(__file__).parent / "static"
_LOOK_S = 0.2
"""How often to see whether the browser is still there."""


@dataclass(frozen=True)
class Answer:
    """What the page found."""

    content: Any
    tensors: dict[str, NDArray[Any]]


class BrowserPage:
    """A page and everything behind it, as a context manager.

    Leaving it ends the browser with all of its processes and removes its profile.
    """

    def __init__(
        self, model: Path | None = None, *, isolated: bool = True, gpu: bool = False
    ) -> None:
        """Say what the page is for; nothing is started before `with`.

        Args:
            model: The one file that it may load; None: none.
            isolated: Whether it is cross-origin isolated: threads, and a clock of 5 microseconds.
            gpu: Let the browser use the GPU.
        """
        self.model = model
        self.isolated = isolated
        self.gpu = gpu
        self._stack = ExitStack()
        self._server: PageServer | None = None
        self._chromium: Chromium | None = None
        self._asked = 0

    def __enter__(self) -> Self:
        obstacles = browser_obstacles()
        if obstacles:
            raise MissingExtraError(f"No browser to measure in: {'; '.join(obstacles)}")
        with ExitStack() as stack:
            server = PageServer(_files(self.model), isolated=self.isolated)
            self._server = stack.enter_context(server)
            self._chromium = stack.enter_context(Chromium(server.address, gpu=self.gpu))
            self._stack = stack.pop_all()
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        traceback: TracebackType | None,
    ) -> None:
        self._stack.close()
        self._server = self._chromium = None

    def ask(
        self,
        job: str,
        settings: Mapping[str, Any] | None = None,
        tensors: Mapping[str, NDArray[Any]] | None = None,
        *,
        timeout_s: float = 120.0,
    ) -> Answer:
        """Have the page do a job and return what it found.

        Args:
            job: One of `static/page.js`.
            settings: JSON-able.
            tensors: Arrays that go with it.
            timeout_s: Longest to wait for.

        Raises:
            UserError: The page failed, ended, or took too long; the message has its reason.
        """
        if self._server is None:
            raise RuntimeError("the page is asked outside of `with`")
        self._asked += 1
        asked = {"id": self._asked, "job": job, "settings": dict(settings or {})}
        self._server.jobs.put(pack(asked, tensors))
        content, found = self._next_answer(job, timeout_s)
        if content.get("id") != self._asked:
            raise UserError(f"{self._about}: it answered {content.get('id')}, not {self._asked}")
        if "error" in content:
            raise UserError(f"{self._about}: {content['error']}")
        return Answer(content["found"], found)

    def cpu_seconds(self) -> float:
        """CPU time that all of the browser's processes took so far."""
        return 0.0 if self._chromium is None else self._chromium.cpu_seconds()

    @property
    def served(self) -> Mapping[str, int]:
        """Bytes of each file that the page loaded, by its path."""
        return {} if self._server is None else dict(self._server.served)

    @property
    def _about(self) -> str:
        return f"{self.model or 'the page'} in Chromium"

    def _next_answer(self, job: str, timeout_s: float) -> tuple[Any, dict[str, NDArray[Any]]]:
        assert self._server is not None and self._chromium is not None
        until = time.monotonic() + timeout_s
        while True:
            try:
                return unpack(self._server.answers.get(timeout=_LOOK_S))
            except queue.Empty:
                if self._chromium.has_ended:
                    reason = self._chromium.last_words() or "it said nothing"
                    raise UserError(f"{self._about}: the browser ended.\n{reason}") from None
                if time.monotonic() > until:
                    raise UserError(
                        f"{self._about}: no answer to {job!r} after {timeout_s:g} s.\n"
                        f"{self._chromium.last_words()}"
                    ) from None


def browser_obstacles() -> tuple[str, ...]:
    """What keeps files from being run in a browser here, in words, and how to change it."""
    missing = (
        None
        if browser_runtime() is not None
        else f"onnxruntime-web {RUNTIME.version} is not in the cache: {ENABLE}"
    )
    return tuple(one for one in (missing, chromium_obstacle()) if one is not None)


def _files(model: Path | None) -> dict[str, Served]:
    runtime = browser_runtime()
    assert runtime is not None
    own = {one.name: Served.of(one) for one in _STATIC.iterdir() if one.is_file()}
    ort = {f"ort/{one.name}": Served.of(one) for one in runtime.iterdir() if one.is_file()}
    return {**own, **ort, **({} if model is None else {"model": Served.of(model)})}
