"""A small client for the pool API, and raw bytes for what no real client would send."""
from __future__ import annotations

import base64
import http.client
import json
import socket
import uuid
from dataclasses import dataclass, field
from typing import Any, Iterable, Mapping
from urllib.parse import quote

from support.patience import SLOWNESS
from support.processes import wait_until

POOL_PATH = "/subscriptions/local/resourceGroups/local/sessionPools/default"
GENERATION_1 = "2024-02-02-preview"
GENERATION_2 = "2024-10-02-preview"
LATEST = "2025-10-02-preview"
TOKEN = "Bearer local"
BOUNDARY = "a-boundary-of-the-tests"

# Longer than any answer of the tests should take.
TIMEOUT_S = 60 * SLOWNESS


@dataclass
class Answer:
    """A status, headers with lower-case names, and a body."""

    status: int
    headers: dict[str, str]
    body: bytes

    @property
    def json(self) -> Any:
        return json.loads(self.body)

    @property
    def text(self) -> str:
        return self.body.decode("utf-8", "replace")

    @property
    def error_code(self) -> str:
        return self.json["error"]["code"]


@dataclass
class Execution:
    """The answer to an execution, whichever generation it came from."""

    answer: Answer
    status: str
    stdout: str
    stderr: str
    value: Any

    @property
    def succeeded(self) -> bool:
        return self.status in ("Succeeded", "Success")


def new_identifier(prefix: str = "test") -> str:
    return f"{prefix}-{uuid.uuid4().hex[:16]}"


def multipart(filename: str | None, content: bytes, name: str = "file") -> tuple[bytes, str]:
    """One part as most clients send it; returns the body and its Content-Type."""
    disposition = f'form-data; name="{name}"'
    if filename is not None:
        escaped = filename.replace("\\", "\\\\").replace('"', "%22")
        disposition += f'; filename="{escaped}"'
    head = (f"--{BOUNDARY}\r\nContent-Disposition: {disposition}\r\n"
            "Content-Type: application/octet-stream\r\n\r\n").encode()
    return (head + content + f"\r\n--{BOUNDARY}--\r\n".encode(),
            f"multipart/form-data; boundary={BOUNDARY}")


def receive_answer(connection: socket.socket, method: str = "GET") -> Answer:
    response = http.client.HTTPResponse(connection, method=method)
    response.begin()
    body = response.read()
    headers = {name.lower(): value for name, value in response.getheaders()}
    return Answer(response.status, headers, body)


class Client:
    """Speaks to one daemon over one keep-alive connection, as one session identifier."""

    def __init__(self, port: int, identifier: str | None = None, base: str = "") -> None:
        self.port = port
        self.identifier = identifier or new_identifier()
        self.base = base
        self._connection: http.client.HTTPConnection | None = None

    def close(self) -> None:
        if self._connection is not None:
            self._connection.close()
            self._connection = None

    def __enter__(self) -> Client:
        return self

    def __exit__(self, *_: object) -> None:
        self.close()

    # ---- requests ----

    def request(self, method: str, target: str, body: bytes | Iterable[bytes] | None = None,
                headers: Mapping[str, str | None] | None = None, timeout_s: float = TIMEOUT_S) -> Answer:
        """One request, the target as given. A body that is an iterable goes out chunked; a header
        that is None is left out."""
        all_headers = {name: value for name, value in
                       {"Authorization": TOKEN, **(headers or {})}.items() if value is not None}
        for last_try in (False, True):
            reused = self._connection is not None
            if self._connection is None:
                self._connection = http.client.HTTPConnection("127.0.0.1", self.port,
                                                              timeout=timeout_s)
            try:
                self._connection.request(method, target, body=body, headers=all_headers)
                response = self._connection.getresponse()
                data = response.read()
            except (http.client.RemoteDisconnected, BrokenPipeError, ConnectionResetError):
                # A kept connection may have been closed meanwhile; a fresh one may not.
                self.close()
                if last_try or not reused or not isinstance(body, (bytes, type(None))):
                    raise
                continue
            except BaseException:
                self.close()
                raise
            return Answer(response.status,
                          {name.lower(): value for name, value in response.getheaders()}, data)
        raise AssertionError("not reached")

    def raw(self, data: bytes, method: str = "POST", timeout_s: float = 20 * SLOWNESS) -> Answer:
        """Exactly these bytes on a connection of their own, and the first answer to them."""
        with socket.create_connection(("127.0.0.1", self.port), timeout=timeout_s) as connection:
            connection.sendall(data)
            return receive_answer(connection, method)

    def target(self, path: str, version: str = LATEST, /, **query: str) -> str:
        parameters = {"identifier": self.identifier, "api-version": version, **query}
        joined = "&".join(f"{name}={quote(value, safe='')}" for name, value in parameters.items())
        return f"{self.base}/{path}?{joined}"

    # ---- operations ----

    def execute(self, code: str, version: str = LATEST, timeout_s: int | None = None) -> Execution:
        body: dict[str, Any] = {"codeInputType": "Inline", "executionType": "Synchronous",
                                "code": code}
        if timeout_s is not None:
            body["timeoutInSeconds"] = timeout_s
        path = "executions"
        if version <= "2024-08-02-preview":
            path, body = "code/execute", {"properties": body}
        patience_s = max(TIMEOUT_S, 30 + (timeout_s or 0))
        answer = self.request("POST", self.target(path, version), json.dumps(body).encode(),
                              {"Content-Type": "application/json"}, patience_s)
        assert answer.status in (200, 202), f"{answer.status}: {answer.text}"
        document = answer.json
        result = document["properties"] if path == "code/execute" else document["result"]
        status = result.get("status", document.get("status"))
        return Execution(answer, status, result["stdout"], result["stderr"],
                         result["executionResult"])

    def run(self, code: str, version: str = LATEST) -> str:
        """Runs code that must succeed; returns what it printed."""
        execution = self.execute(code, version)
        assert execution.succeeded, execution.stderr or execution.status
        return execution.stdout

    def eventually(self, code: str, value: Any, timeout_s: float = 10) -> bool:
        """True once the code gives that value, whatever it answers before."""
        def works() -> bool:
            try:
                return self.execute(code).value == value
            except (AssertionError, http.client.HTTPException, OSError):
                self.close()
                return False
        return wait_until(works, timeout_s)

    def upload(self, name: str, content: bytes, /, **query: str) -> Answer:
        body, content_type = multipart(name, content)
        return self.request("POST", self.target("files", **query), body,
                            {"Content-Type": content_type})

    def download(self, name: str, /, **query: str) -> Answer:
        return self.request("GET", self.target(f"files/{quote(name)}/content", **query))

    def file_names(self, **query: str) -> list[str]:
        answer = self.request("GET", self.target("files", **query))
        assert answer.status == 200, answer.text
        return [entry["name"] for entry in answer.json["value"]]

    def delete_file(self, name: str, /, **query: str) -> Answer:
        return self.request("DELETE", self.target(f"files/{quote(name)}", **query))

    def delete_session(self) -> Answer:
        return self.request("DELETE", self.target("session"))

    def another(self, identifier: str | None = None) -> Client:
        return Client(self.port, identifier, self.base)


@dataclass
class Figure:
    """The image object of a result."""

    format: str
    data: bytes = field(repr=False)

    @classmethod
    def of(cls, value: Any) -> Figure:
        assert isinstance(value, dict) and value.get("type") == "image", value
        return cls(value["format"], base64.b64decode(value["base64_data"], validate=True))
