"""Serving one page, one model and their jobs on loopback.

The page asks over one address, `exchange`: a request brings the last answer and waits for the next
job. All addresses begin with a random token, so that no other page can guess them, and only what
the page needs is served.
"""

import queue
import secrets
import threading
from collections.abc import Mapping
from dataclasses import dataclass
from http import HTTPStatus
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from types import TracebackType
from typing import Any, ClassVar, Self

LARGEST_ANSWER = 1 << 28
"""Bytes of one answer: more is refused unread."""
WAIT_S = 10.0
"""How long a request waits for a job; then it is told to ask again."""
_STALLED_S = 60.0
"""A connection that says nothing for so long is closed; longer than any wait for a job."""

MIME = {
    ".html": "text/html; charset=utf-8",
    ".js": "text/javascript; charset=utf-8",
    ".mjs": "text/javascript; charset=utf-8",
    ".wasm": "application/wasm",
}
_SECURITY = {
    "Content-Security-Policy": "default-src 'none'; script-src 'self' 'wasm-unsafe-eval'; "
    "connect-src 'self'; worker-src 'self'; base-uri 'none'; form-action 'none'",
    "Cross-Origin-Resource-Policy": "same-origin",
    "X-Content-Type-Options": "nosniff",
    "Referrer-Policy": "no-referrer",
    "Cache-Control": "no-store",
}
ISOLATION = {
    "Cross-Origin-Opener-Policy": "same-origin",
    "Cross-Origin-Embedder-Policy": "require-corp",
}
"""With these headers a page is `crossOriginIsolated`: shared memory, hence threads, and a clock of
5 microseconds (HTML standard, "cross-origin isolation")."""


@dataclass(frozen=True)
class Served:
    """One file and how it is called."""

    file: Path
    mime: str

    @classmethod
    def of(cls, file: Path) -> Self:
        """Return a file with the MIME type of its name."""
        return cls(file, MIME.get(file.suffix, "application/octet-stream"))


class PageServer:
    """A server that a page gets its files and jobs from, as a context manager."""

    def __init__(self, files: Mapping[str, Served], *, isolated: bool = True) -> None:
        """Say what is served; nothing listens before `with`.

        Args:
            files: By their path below the token; `page.html` among them.
            isolated: Whether the page is cross-origin isolated.
        """
        self.files = dict(files)
        self.token = secrets.token_urlsafe(24)
        self.headers = _SECURITY | (ISOLATION if isolated else {})
        self.served: dict[str, int] = {}
        """Bytes of each file that was asked for."""
        self.jobs: queue.Queue[bytes] = queue.Queue()
        self.answers: queue.Queue[bytes] = queue.Queue()
        self._server: ThreadingHTTPServer | None = None
        self._thread: threading.Thread | None = None

    def __enter__(self) -> Self:
        handler = type("PageHandler", (_Handler,), {"page": self})
        self._server = server = ThreadingHTTPServer(("127.0.0.1", 0), handler)
        server.daemon_threads = True
        # A request that still waits for a job must not keep the program from ending.
        server.block_on_close = False
        self._thread = threading.Thread(
            target=server.serve_forever, kwargs={"poll_interval": 0.05}, daemon=True
        )
        self._thread.start()
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        traceback: TracebackType | None,
    ) -> None:
        if self._server is not None and self._thread is not None:
            self._server.shutdown()
            self._thread.join()
            self._server.server_close()
            self._server = self._thread = None

    @property
    def host(self) -> str:
        """What requests must name as their host: another name was rebound to this address."""
        if self._server is None:
            raise RuntimeError("the server is not running")
        return f"127.0.0.1:{self._server.server_address[1]}"

    @property
    def address(self) -> str:
        """Of the page."""
        return f"http://{self.host}/{self.token}/page.html"


class _Handler(BaseHTTPRequestHandler):
    """Answers one connection."""

    page: ClassVar[PageServer]
    protocol_version = "HTTP/1.1"
    disable_nagle_algorithm = True
    wbufsize = -1  # Headers and body leave together.
    timeout = _STALLED_S

    def do_GET(self) -> None:
        path = self._asked_for()
        found = None if path is None else self.page.files.get(path)
        if path is None or found is None:
            self._answer(HTTPStatus.NOT_FOUND)
            return
        body = found.file.read_bytes()
        self.page.served[path] = len(body)
        self._answer(HTTPStatus.OK, body, found.mime)

    def do_POST(self) -> None:
        length = self.headers.get("Content-Length", "")
        if self._asked_for() != "exchange" or not length.isdecimal():
            self.close_connection = True
            self._answer(HTTPStatus.NOT_FOUND)
            return
        if int(length) > LARGEST_ANSWER:
            self.close_connection = True
            self._answer(HTTPStatus.REQUEST_ENTITY_TOO_LARGE)
            return
        body = self.rfile.read(int(length))
        if len(body) != int(length):
            self.close_connection = True
            return
        if body:
            self.page.answers.put(body)
        try:
            job = self.page.jobs.get(timeout=WAIT_S)
        except queue.Empty:
            self._answer(HTTPStatus.NO_CONTENT)
        else:
            self._answer(HTTPStatus.OK, job)

    def log_message(self, format: str, *args: Any) -> None:
        """Say nothing: what matters comes back as an answer."""

    def _asked_for(self) -> str | None:
        """Return the path below the token; None where host or token are not ours."""
        path = self.path.partition("?")[0].removeprefix("/")
        token, _, rest = path.partition("/")
        is_ours = secrets.compare_digest(token.encode(), self.page.token.encode())
        return rest if is_ours and self.headers.get("Host") == self.page.host else None

    def _answer(self, status: HTTPStatus, body: bytes = b"", mime: str = "") -> None:
        self.send_response(status)
        for name, value in self.page.headers.items():
            self.send_header(name, value)
        if status != HTTPStatus.NO_CONTENT:
            self.send_header("Content-Type", mime or "application/octet-stream")
            self.send_header("Content-Length", str(len(body)))
        self.end_headers()
        self.wfile.write(body)
