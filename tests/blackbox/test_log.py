"""The log holds what happened and nothing of what was said: no token, no secret, no code, no file."""
from __future__ import annotations

import base64
import json
import socket
import subprocess
import uuid
from typing import Iterator

import pytest

from conftest import MakeDaemon
from support.client import GENERATION_1, LATEST, POOL_PATH, Answer, Client, multipart
from support.daemon import BUILD, Daemon, scale
from support.processes import wait_until

ARM = "/subscriptions/local/resourceGroups/local/providers/Microsoft.App/sessionPools"
JSON = {"Content-Type": "application/json"}
FORM = {"Content-Type": "application/x-www-form-urlencoded"}


class Markers:
    """Words that a request hides somewhere, and that no log may repeat."""

    def __init__(self) -> None:
        self.words: dict[str, str] = {}

    def __call__(self, what: str) -> str:
        return self.words.setdefault(what, "m" + uuid.uuid4().hex)

    def token(self, what: str) -> str:
        """Looks like a JWT; its claims and its signature are markers too."""
        def part(value: object) -> str:
            return base64.urlsafe_b64encode(json.dumps(value).encode()).decode().rstrip("=")
        claims = {"aud": "https://dynamicsessions.io", "oid": self(what + ": oid"), "exp": 4102444800}
        self.words[what] = part({"alg": "RS256"}) + "." + part(claims) + "." + self(what + ": signature")
        return self.words[what]


@pytest.fixture(params=["any", "jwt"])
def daemon(request: pytest.FixtureRequest, make_daemon: MakeDaemon) -> Daemon:
    return make_daemon(scale(4, 1), arguments=["--auth", request.param])


def run_sandboxd(daemon: Daemon, *arguments: str) -> str:
    return subprocess.run([str(BUILD / "bin/sandboxd"), *arguments, "--state-dir",
                           str(daemon.state_directory)], check=True, capture_output=True, text=True,
                          timeout=30).stdout.strip()


def issued(answer: Answer) -> Iterator[tuple[str, str]]:
    """What an answer says that is a secret."""
    if answer.status == 200 and answer.headers.get("content-type", "").startswith("application/json"):
        document = answer.json
        for name in ("apiKey", "access_token"):
            if isinstance(document, dict) and name in document:
                yield name, document[name]


def requests(mark: Markers) -> Iterator[tuple[str, str, bytes | None, dict[str, str]]]:
    """Of every kind: served and refused, with secrets where clients put them and where they err."""
    def data(path: str, version: str = LATEST, /, **query: str) -> str:
        more = "".join(f"&{name}={value}" for name, value in query.items())
        return f"{POOL_PATH}/{path}?identifier={mark('identifier')}&api-version={version}{more}"

    def code(text: str) -> bytes:
        return json.dumps({"code": f"# {mark('code')}\n{text}"}).encode()

    yield "POST", data("executions"), code(f"print('{mark('stdout')}'); '{mark('value')}'"), JSON
    yield "POST", data("executions"), code(f"raise ValueError('{mark('exception')}')"), JSON
    yield "POST", data("executions"), code(f"{mark('syntax error')} ("), JSON
    yield "POST", data("executions"), code(f"import os; os.write(2, b'{mark('stderr')}'); os._exit(3)"), JSON
    yield "POST", data("executions"), code(f"import os; os.execv('/bin/sh', ['{mark('argv')}'])"), JSON
    yield "POST", data("code/execute", GENERATION_1), b'{"properties":' + code("1") + b"}", JSON
    yield "POST", data("executions"), b'{"code": 5, "' + mark("member").encode() + b'": 1}', JSON
    yield "POST", data("executions"), b'{"codeInputType": "' + mark("input type").encode() + b'"}', JSON
    yield "POST", data("executions"), mark("no JSON").encode(), JSON
    yield "GET", data("executions/" + mark("execution")), None, {}
    yield "POST", data("python/execute"), b'{"properties":{"pythonCode":"' + mark("code").encode() + b'"}}', JSON

    body, content_type = multipart(mark("file name"), mark("content").encode())
    yield "POST", data("files"), body, {"Content-Type": content_type}
    yield "POST", data("files", path=mark("directory")), body, {"Content-Type": content_type}
    yield "POST", data("files"), body[:40], {"Content-Type": content_type}
    yield "GET", data(f"files/{mark('file name')}/content"), None, {}
    yield "GET", data(f"files/..%2f{mark('climbing name')}"), None, {}
    yield "DELETE", data("files/" + mark("missing file")), None, {}

    for name in ("token", "access_token", "sig", "code", "key"):
        yield "GET", data("files", **{name: mark("parameter " + name)}), None, {}
    yield "GET", f"{POOL_PATH}/files?identifier={mark('identifier')}&api-version={mark('version')}", None, {}
    yield "GET", f"{POOL_PATH}/files?identifier=%00{mark('bad identifier')}&api-version={LATEST}", None, {}
    yield "GET", f"/pools/{mark('pool')}/files?identifier=abcd&api-version={LATEST}", None, {}
    yield "GET", f"/{mark('path')}", None, {}
    yield "PUT", data("files"), mark("body of a wrong method").encode(), {}

    for header in ("X-IDENTITY-HEADER", "x-ms-apikey", "Cookie", "Proxy-Authorization", "IDENTIFIER",
                   "x-ms-client-request-id", "operation-id", "User-Agent", "Origin", "Traceparent"):
        yield "GET", data("files"), None, {header: mark("header " + header)}
    for header in (mark("identity header"), mark("identity-header")):
        yield "GET", "/msi/token?resource=https%3A%2F%2Fdynamicsessions.io", None, {"X-IDENTITY-HEADER": header}
    yield "GET", f"/msi/token?resource={mark('resource')}&client_id={mark('client')}", None, \
        {"X-IDENTITY-HEADER": mark("identity header")}
    for member in ("client_secret", "client_assertion"):
        form = f"grant_type=client_credentials&client_id={mark('application')}&{member}={mark(member)}"
        yield "POST", "/tenant/oauth2/v2.0/token", (form + "&scope=https://dynamicsessions.io/.default").encode(), FORM
        yield "POST", "/tenant/oauth2/v2.0/token", (form + f"&scope={mark('scope')}").encode(), FORM
    yield "POST", "/tenant/oauth2/v2.0/token", mark("no form").encode(), FORM

    pool = {"location": "local", "tags": {"a": mark("tag")}, "properties": {
        "containerType": "PythonLTS", "secrets": [{"name": "s", "value": mark("secret of a pool")}],
        "mcpServerSettings": {"isMCPServerEnabled": True},
        "scaleConfiguration": {"maxConcurrentSessions": 2, "readySessionInstances": 0}}}
    second = f"{ARM}/second"
    yield "PUT", f"{second}?api-version=2025-02-02-preview", json.dumps(pool).encode(), JSON
    yield "POST", f"{second}/regenerateCredentials?api-version=2025-02-02-preview", None, {}
    yield "POST", "/pools/second/mcp", b"{}", {**JSON, "x-ms-apikey": mark.words.get("apiKey", "none yet")}
    yield "DELETE", f"{second}?api-version=2025-02-02-preview", None, {}
    yield "PUT", f"{ARM}/p?api-version=2025-07-01", mark("no pool").encode(), JSON
    call = {"jsonrpc": "2.0", "id": 1, "method": "tools/call", "params": {
        "name": "runPythonCodeInRemoteEnvironment",
        "arguments": {"environmentId": mark("environment"), "pythonCode": mark("code of a tool")}}}
    yield "POST", f"{POOL_PATH}/mcp", json.dumps(call).encode(), {**JSON, "x-ms-apikey": mark("MCP key")}


def raw_requests(mark: Markers) -> Iterator[str]:
    """What the library or the guard refuses before there is a request."""
    head = f"Host: localhost\r\nAuthorization: Bearer {mark('refused token')}\r\n"
    yield f"{mark('method')} / HTTP/1.1\r\n{head}\r\n"
    yield f"GET /{mark('refused target')} HTTP/1.1\n{head}\r\n"
    yield f"GET / HTTP/1.1\r\n{head}A B: {mark('refused header')}\r\n\r\n"
    yield f"POST / HTTP/1.1\r\n{head}Content-Length: {mark('length')}\r\n\r\n"
    yield f"POST / HTTP/1.1\r\n{head}Content-Length: 1\r\nTransfer-Encoding: {mark('encoding')}\r\n\r\n"
    yield f"GET / HTTP/{mark('protocol')}\r\n{head}\r\n"
    yield f"GET / HTTP/1.1\r\n{head}A: {mark('long header')}{'x' * 40000}\r\n\r\n"
    yield f"Authorization: Bearer {mark('token where a request line is')}\r\n\r\n"
    yield mark("no HTTP") + "\r\n\r\n"


def authorizations(daemon: Daemon, mark: Markers) -> list[str]:
    """Right and wrong ones; the right ones are secrets as well."""
    mark.words["issued token"] = run_sandboxd(daemon, "token")
    mark.words["token for ARM"] = run_sandboxd(daemon, "token", "--resource", "https://management.azure.com")
    return [f"Bearer {mark.words['issued token']}", f"Bearer {mark.words['token for ARM']}",
            f"Bearer {mark('opaque token')}", f"Bearer {mark.token('forged token')}",
            f"Bearer {mark.words['issued token'][:-8]}{mark('tail')}",
            f"Basic {mark('basic credentials')}", mark("scheme"),
            f"Bearer {mark('long token') * 400}"]


def test_no_secret_and_no_content_is_in_the_log(daemon: Daemon) -> None:
    mark = Markers()
    for name in ("identity-header", "issuer.key", "server.key", "ca.key"):
        path = daemon.state_directory / name
        if path.exists():
            lines = [line for line in path.read_text().splitlines() if not line.startswith("-----")]
            mark.words[name] = lines[len(lines) // 2]

    sent = 0
    for authorization in authorizations(daemon, mark):
        with Client(daemon.port, mark("identifier")) as client:
            for method, target, body, headers in requests(mark):
                answer = client.request(method, target, body, {"Authorization": authorization, **headers})
                mark.words.update(issued(answer))
                sent += 1
    for text in raw_requests(mark):
        with socket.create_connection(("127.0.0.1", daemon.port), timeout=5) as connection:
            connection.sendall(text.encode())
            try:
                while connection.recv(65536):
                    pass
            except (TimeoutError, ConnectionResetError):
                pass

    log = daemon.log_path.read_text
    assert wait_until(lambda: log(errors="replace").count("event=request.finished") >= sent)
    daemon.stop()
    assert "apiKey" in mark.words and "access_token" in mark.words
    written = log(errors="replace").lower()
    assert [what for what, word in mark.words.items() if word[:32].lower() in written] == []
