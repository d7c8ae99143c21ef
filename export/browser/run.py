"""Running an ONNX or ORT file with onnxruntime-web in headless Chromium."""

from collections.abc import Mapping, Sequence
from contextlib import ExitStack
from pathlib import Path
from types import TracebackType
from typing import Any, Self

from numpy.typing import NDArray

from compress.errors import UserError
from export.browser.install import RUNTIME
from export.browser.messages import TYPES
from export.browser.page import MODULES, Backend, BrowserPage
from export.onnx.session import needs_text_operators


class BrowserRunner:
    """A session of onnxruntime-web as a `Runner`: each call goes to the page and back."""

    def __init__(self, path: str | Path, threads: int = 1, backend: Backend = "wasm") -> None:
        """Say which file to load; nothing is loaded before `with`.

        Args:
            path: The file, ONNX or ORT.
            threads: Of WebAssembly.
            backend: What computes.
        """
        self.path = Path(path)
        self.threads = threads
        self.backend: Backend = backend
        self._stack = ExitStack()
        self._page: BrowserPage | None = None
        self._inputs: tuple[str, ...] = ()

    def __enter__(self) -> Self:
        check_file(self.path)
        with ExitStack() as stack:
            page = stack.enter_context(BrowserPage(self.path, gpu=self.backend == "webgpu"))
            opened = page.ask("open", open_settings(self.backend, self.threads)).content
            self._inputs = input_names(self.path, opened["inputs"])
            self._page, self._stack = page, stack.pop_all()
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        traceback: TracebackType | None,
    ) -> None:
        self._page = None
        self._stack.close()

    def __call__(self, inputs: dict[str, NDArray[Any]]) -> dict[str, NDArray[Any]]:
        """See `export.runner.Runner`."""
        if self._page is None:
            raise RuntimeError("a runner is called inside of `with`")
        return self._page.ask("ask", tensors=taken(self.path, self._inputs, inputs)).tensors

    @property
    def checked_with(self) -> str:
        """What answers."""
        return f"onnxruntime-web {RUNTIME.version} in Chromium"


def open_settings(backend: Backend, threads: int, *, timed: bool = False) -> dict[str, Any]:
    """Return what the page must know to load its model.

    Args:
        backend: What computes.
        threads: Of WebAssembly.
        timed: Ask the tensors that come along once and load again, and say how long both took.
    """
    return {
        "module": MODULES[backend],
        "backend": backend,
        "threads": threads,
        "timed": timed,
    }


def check_file(path: Path) -> None:
    """See before a browser is started that the page can load the file at all.

    Raises:
        UserError: There is no such file, or it tokenizes in its graph.
    """
    if not path.is_file():
        raise UserError(f"{path}: there is no such file")
    if needs_text_operators(path):
        raise UserError(_no_texts(path))


def input_names(path: Path, inputs: Sequence[Mapping[str, str]]) -> tuple[str, ...]:
    """Return the names of a file's inputs.

    Args:
        path: Of the file.
        inputs: `name` and `type` of each, as the page found them.

    Raises:
        UserError: It takes texts, or a type that is not sent to pages.
    """
    for one in inputs:
        if one["type"] == "string":
            raise UserError(_no_texts(path))
        if one["type"] not in TYPES:
            raise UserError(
                f"{path}: its input {one['name']} is {one['type']}, and pages are sent "
                f"{', '.join(TYPES)}"
            )
    return tuple(one["name"] for one in inputs)


def taken(
    path: Path, names: Sequence[str], inputs: Mapping[str, NDArray[Any]]
) -> dict[str, NDArray[Any]]:
    """Return the arrays that a file takes, by its names, and leave out the others.

    Raises:
        UserError: One is missing.
    """
    missing = [name for name in names if name not in inputs]
    if missing:
        raise UserError(f"{path} takes {', '.join(names)}, and was given {', '.join(inputs)}")
    return {name: inputs[name] for name in names}


def _no_texts(path: Path) -> str:
    return (
        f"{path} tokenizes inside its graph, and onnxruntime-web lacks the operators for that. "
        "Run the file that takes word pieces in the browser, with a tokenizer in JavaScript."
    )
