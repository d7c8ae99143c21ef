"""The server gives its page what it needs, and nobody else anything."""

import contextlib
import http.client
import threading
import time

import pytest

from export.browser import serve
from export.browser.serve import PageServer, Served


@pytest.fixture
def files(tmp_path):
    (tmp_path / "page.html").write_text("<!doctype html>")
    (tmp_path / "secret").write_text("secret")
    (tmp_path / "ort.wasm").write_bytes(b"\0asm")
    return {
        "page.html": Served.of(tmp_path / "page.html"),
        "ort/ort.wasm": Served.of(tmp_path / "ort.wasm"),
    }


@pytest.fixture
def server(files):
    with PageServer(files) as server:
        yield server


def request(server, path, method="GET", body=None, **headers):
    """Status, headers and body; the path as it is, which a browser would have cleaned up."""
    connection = http.client.HTTPConnection(server.host, timeout=10)
    try:
        connection.putrequest(method, path, skip_host="Host" in headers)
        for name, value in headers.items():
            connection.putheader(name, value)
        if body is not None and "Content-Length" not in headers:
            connection.putheader("Content-Length", str(len(body)))
        connection.endheaders(body)
        answer = connection.getresponse()
        return answer.status, dict(answer.getheaders()), answer.read()
    finally:
        connection.close()


def test_files_come_with_their_types_and_isolate_the_page(server):
    status, headers, body = request(server, f"/{server.token}/ort/ort.wasm")
    assert (status, body, headers["Content-Type"]) == (200, b"\0asm", "application/wasm")
    assert headers["Cross-Origin-Opener-Policy"] == "same-origin"
    assert headers["Cross-Origin-Embedder-Policy"] == "require-corp"
    assert headers["X-Content-Type-Options"] == "nosniff"
    assert "default-src 'none'" in headers["Content-Security-Policy"]
    assert server.served == {"ort/ort.wasm": 4}


def test_isolation_can_be_left_out(files):
    with PageServer(files, isolated=False) as server:
        _, headers, _ = request(server, f"/{server.token}/page.html")
    assert not [name for name in headers if name.startswith(("Cross-Origin-O", "Cross-Origin-E"))]


@pytest.mark.parametrize(
    "path",
    ["/page.html", "/wrong/page.html", "/{token}/", "/{token}", "/{token}/secret", "/", "//",
     "/{token}/../secret", "/{token}/ort/../page.html", "/{token}/%70age.html"],
)  # fmt: skip
def test_nothing_else_is_served(server, path):
    assert request(server, path.format(token=server.token))[0] == 404


def test_another_host_name_for_the_same_address_is_refused(server):
    path = f"/{server.token}/page.html"
    assert request(server, path)[0] == 200
    assert request(server, path, Host="evil.example")[0] == 404


def test_it_listens_on_loopback_alone(server):
    assert server.host.startswith("127.0.0.1:")
    assert server.address == f"http://{server.host}/{server.token}/page.html"


def test_tokens_are_never_the_same(files):
    assert PageServer(files).token != PageServer(files).token


def test_a_request_brings_the_last_answer_and_takes_the_next_job(server):
    server.jobs.put(b"job")
    status, _, body = request(server, f"/{server.token}/exchange", "POST", b"answer")
    assert (status, body) == (200, b"job")
    assert server.answers.get_nowait() == b"answer"


def test_a_request_waits_for_its_job(server):
    threading.Timer(0.1, lambda: server.jobs.put(b"late")).start()
    assert request(server, f"/{server.token}/exchange", "POST", b"")[2] == b"late"
    assert server.answers.empty()


def test_a_page_without_a_job_is_told_to_ask_again(server, monkeypatch):
    monkeypatch.setattr(serve, "WAIT_S", 0.05)
    assert request(server, f"/{server.token}/exchange", "POST", b"")[0] == 204


@pytest.mark.parametrize("path", ["/wrong/exchange", "/{token}/page.html", "/{token}/model"])
def test_answers_are_taken_in_one_place(server, path):
    assert request(server, path.format(token=server.token), "POST", b"x")[0] == 404
    assert server.answers.empty()


def test_an_answer_that_is_too_large_is_not_read(server):
    length = str(serve.LARGEST_ANSWER + 1)
    answer = request(server, f"/{server.token}/exchange", "POST", **{"Content-Length": length})
    assert answer[0] == 413
    assert server.answers.empty()


def test_leaving_does_not_wait_for_requests_that_wait(files):
    server = PageServer(files)
    with server:
        path = f"/{server.token}/exchange"

        def ask():
            with contextlib.suppress(OSError, http.client.HTTPException):
                request(server, path, "POST", b"")

        threading.Thread(target=ask, daemon=True).start()
        time.sleep(0.1)
        began = time.monotonic()
    assert time.monotonic() - began < serve.WAIT_S / 2
    with pytest.raises(RuntimeError, match="not running"):
        server.host  # noqa: B018
