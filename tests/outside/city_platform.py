"""Somebody else's platform: a real HTTP server on loopback that keeps what it got and fails in every way."""

import json
import socket
import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any

TAKEN = b'{"code": 0, "msg": "ok"}'
DUPLICATE = json.dumps({"code": 1, "msg": "该办件已评价,无需重复评价"}, ensure_ascii=False).encode()


@dataclass(frozen=True, slots=True)
class Got:
    """One request as it came."""

    path: str
    headers: dict[str, str]
    body: bytes

    @property
    def id(self) -> str:
        return self.headers["Idempotency-Key"]

    @property
    def record(self) -> dict[str, Any]:
        found = json.loads(self.body)
        assert isinstance(found, dict)
        return found


Way = Callable[[BaseHTTPRequestHandler], None]


def answers(body: bytes = TAKEN, status: int = 200, **headers: str) -> Way:
    def way(handler: BaseHTTPRequestHandler) -> None:
        handler.send_response(status)
        for name, value in headers.items():
            handler.send_header(name.replace("_", "-"), value)
        handler.send_header("Content-Length", str(len(body)))
        handler.end_headers()
        handler.wfile.write(body)

    return way


def half(handler: BaseHTTPRequestHandler) -> None:
    """Promises more than it sends."""
    handler.send_response(200)
    handler.send_header("Content-Length", "500")
    handler.end_headers()
    handler.wfile.write(TAKEN)
    handler.close_connection = True


def resets(handler: BaseHTTPRequestHandler) -> None:
    """Takes the message and cuts the line without a word."""
    handler.connection.shutdown(socket.SHUT_RDWR)
    handler.close_connection = True


def nonsense(handler: BaseHTTPRequestHandler) -> None:
    """Speaks no HTTP."""
    handler.wfile.write(b"220 mail.example ESMTP\r\n")
    handler.close_connection = True


@dataclass(slots=True)
class Platform:
    """What it got, what it holds (by id, once), and how it answers next."""

    url: str = ""
    got: list[Got] = field(default_factory=list)
    held: dict[str, dict[str, Any]] = field(default_factory=dict)
    ways: list[Way] = field(default_factory=list)  # used up one a request; then it takes, or says it has it
    released: threading.Event = field(default_factory=threading.Event)

    def hangs(self, handler: BaseHTTPRequestHandler) -> None:
        """Says nothing until the test is over."""
        self.released.wait(30)
        handler.close_connection = True

    def drips(self, handler: BaseHTTPRequestHandler) -> None:
        """Answers a byte at a time, each within any time-out, without ever coming to the end."""
        handler.send_response(200)
        handler.send_header("Content-Length", "100000")
        handler.end_headers()
        while not self.released.wait(0.05):
            handler.wfile.write(b" ")
            handler.wfile.flush()

    def takes(self, handler: BaseHTTPRequestHandler) -> None:
        """Keeps a message once, however often it comes."""
        last = self.got[-1]
        known = last.id in self.held
        self.held.setdefault(last.id, last.record)
        answers(DUPLICATE if known else TAKEN)(handler)


@contextmanager
def platform() -> Iterator[Platform]:
    """Run one until the end of the block."""
    place = Platform()

    class Handler(BaseHTTPRequestHandler):
        protocol_version = "HTTP/1.1"

        def do_POST(self) -> None:
            body = self.rfile.read(int(self.headers["Content-Length"]))
            place.got.append(Got(self.path, dict(self.headers.items()), body))
            way = place.ways.pop(0) if place.ways else place.takes
            try:
                way(self)
            except OSError:  # whoever sent has gone: that is what some of these ways are for
                self.close_connection = True

        def log_message(self, *_: object) -> None:
            """Say nothing."""

    server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
    server.daemon_threads = True
    place.url = f"http://127.0.0.1:{server.server_port}/evaluations"
    thread = threading.Thread(target=server.serve_forever, args=(0.02,))
    thread.start()
    try:
        yield place
    finally:
        place.released.set()
        server.shutdown()
        thread.join()
        server.server_close()
