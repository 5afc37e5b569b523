"""A pool that answers what a test wrote down, and remembers what it was asked."""
from __future__ import annotations

import json
import ssl
import threading
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any
from urllib.parse import parse_qs, urlsplit


@dataclass
class Answer:
    status: int = 200
    body: bytes = b""
    headers: dict[str, str] = field(default_factory=dict)
    promised_bytes: int | None = None  # Content-Length, when it is a lie
    waits: bool = False  # for StubPool.close


@dataclass
class Asked:
    method: str
    path: str
    query: dict[str, list[str]]
    headers: dict[str, str]
    body: bytes


def execution(stdout: str = "", stderr: str = "", value: Any = "", status: str = "Succeeded") -> Answer:
    result = {"stdout": stdout, "stderr": stderr, "executionResult": value,
              "executionTimeInMilliseconds": 1}
    return Answer(body=json.dumps({"id": "1", "identifier": "i", "executionType": "Synchronous",
                                   "status": status, "result": result}).encode())


def refusal(status: int, code: str, message: str, **headers: str) -> Answer:
    body = json.dumps({"error": {"code": code, "message": message}}).encode()
    return Answer(status, body, {name.replace("_", "-"): value for name, value in headers.items()})


class StubPool:
    """Routes are "METHOD /path"; what has none is a 404, and DELETE /session is a 204."""

    def __init__(self, routes: dict[str, Answer], tls: ssl.SSLContext | None = None) -> None:
        self.routes = {"DELETE /session": Answer(204)} | routes
        self.asked: list[Asked] = []
        self.arrived = threading.Event()
        self.closing = threading.Event()
        pool = self

        class Handler(BaseHTTPRequestHandler):
            protocol_version = "HTTP/1.1"

            def handle_any(self) -> None:
                pool.answer(self)

            do_GET = do_POST = do_DELETE = handle_any

            def log_message(self, *arguments: Any) -> None:
                pass

        class Server(ThreadingHTTPServer):
            daemon_threads = True

            def handle_error(self, request: Any, client_address: Any) -> None:
                pass  # clients of these tests do hang up

        self.server = Server(("127.0.0.1", 0), Handler)
        scheme = "http"
        if tls is not None:
            scheme = "https"
            self.server.socket = tls.wrap_socket(self.server.socket, server_side=True,
                                                 do_handshake_on_connect=False)
        self.endpoint = f"{scheme}://127.0.0.1:{self.server.server_port}"
        threading.Thread(target=self.server.serve_forever, args=(0.02,), daemon=True).start()

    def answer(self, handler: BaseHTTPRequestHandler) -> None:
        target = urlsplit(handler.path)
        body = handler.rfile.read(int(handler.headers.get("Content-Length", 0)))
        self.asked.append(Asked(handler.command, target.path, parse_qs(target.query),
                                dict(handler.headers), body))
        self.arrived.set()
        answer = self.routes.get(f"{handler.command} {target.path}",
                                 refusal(404, "ResourceNotFound", "no such route"))
        if answer.waits:
            self.closing.wait()
        handler.send_response(answer.status)
        for name, value in answer.headers.items():
            handler.send_header(name, value)
        promised = answer.promised_bytes
        if answer.status != 204:
            handler.send_header("Content-Length",
                                str(len(answer.body) if promised is None else promised))
        handler.end_headers()
        handler.wfile.write(answer.body)
        handler.close_connection = promised is not None

    def requests(self, method: str) -> list[Asked]:
        return [asked for asked in self.asked if asked.method == method]

    def close(self) -> None:
        self.closing.set()
        self.server.shutdown()
        self.server.server_close()
