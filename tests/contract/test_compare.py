"""The comparison of any endpoint with the cases: what it prints, and what it fails for."""
from __future__ import annotations

import json
import os
import ssl
import subprocess
import threading
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import Any, Iterator

import pytest

from cases import all_cases
from conftest import MakeDaemon
from support.client import POOL_PATH
from support.daemon import BUILD, Daemon, scale

TREE = Path(__file__).parents[2]
TOKEN = "a-token-that-nothing-prints"
FINE = {"executionType": "synchronous", "status": "Succeeded", "result": {"stdout": "Hello world\n"}}


class Stub:
    """A pool below /some/prefix that answers every execution alike and keeps what it was asked."""

    def __init__(self, certificate: Path | None = None) -> None:
        self.status = 200
        self.document: dict[str, Any] = FINE
        self.busy = 0  # so many requests are told to come back
        self.seen: list[tuple[str, str, str]] = []
        stub = self

        class Handler(BaseHTTPRequestHandler):
            """Answers in the thread of its connection."""

            protocol_version = "HTTP/1.1"

            def answer(self) -> None:
                self.rfile.read(int(self.headers.get("Content-Length", 0)))
                stub.seen.append((self.command, self.path, self.headers.get("Authorization", "")))
                is_busy, stub.busy = stub.busy > 0, stub.busy - 1
                body = json.dumps(stub.document).encode()
                self.send_response(429 if is_busy else 204 if self.command == "DELETE"
                                   else stub.status)
                if is_busy:
                    self.send_header("Retry-After", "0")
                if self.command == "DELETE" and not is_busy:
                    body = b""
                self.send_header("Content-Length", str(len(body)))
                self.end_headers()
                self.wfile.write(body)

            do_GET = do_POST = do_PUT = do_DELETE = answer

            def log_message(self, *_: Any) -> None:
                pass

        self.server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
        self.server.daemon_threads = True
        if certificate is not None:
            context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
            context.load_cert_chain(certificate)
            self.server.socket = context.wrap_socket(self.server.socket, server_side=True)
        scheme = "http" if certificate is None else "https"
        self.url = f"{scheme}://127.0.0.1:{self.server.server_port}/some/prefix/"
        threading.Thread(target=self.server.serve_forever, args=(0.05,), daemon=True).start()

    def stop(self) -> None:
        self.server.shutdown()
        self.server.server_close()


@pytest.fixture
def stub() -> Iterator[Stub]:
    server = Stub()
    yield server
    server.stop()


def compare(url: str, *arguments: str, **environment: str) -> subprocess.CompletedProcess[str]:
    return subprocess.run([str(TREE / "scripts" / "test"), "contract", "--endpoint", url, *arguments],
                          env={**os.environ, "SANDPOOL_TOKEN": TOKEN, **environment}, text=True,
                          capture_output=True, timeout=300, check=False)


def counts(output: str) -> tuple[int, ...]:
    """The last line: equal, different, failed, not applicable."""
    return tuple(int(word) for word in output.splitlines()[-1].split() if word.isdigit())


def test_every_case_says_where_it_comes_from() -> None:
    assert [case.name for case in all_cases() if not case.marks] == []


def test_a_case_that_only_a_daemon_can_serve_says_so() -> None:
    for case in all_cases():
        targets = [step.request["target"] for step in case.steps({}) if "raw" not in step.request]
        is_local = case.wants_own_daemon \
            or any("raw" in step.request for step in case.steps({})) \
            or any(target.startswith(("/health", "/pools/", "/subscriptions/")) for target in targets)
        assert case.needs_daemon or not is_local, case.name


def test_marks_name_places_of_their_answers() -> None:
    for case in all_cases():
        for step in case.steps({}):
            inferred = step.expected.get("inferred", [])
            assert inferred is True or all(place.split(".")[0] in ("status", "headers", "body")
                                           for place in inferred), case.name


def test_our_own_daemon_is_equal_in_every_case_behind_its_full_path(shared_daemon: Daemon) -> None:
    done = compare(f"http://127.0.0.1:{shared_daemon.port}{POOL_PATH}", "--strict")
    assert done.returncode == 0, done.stdout + done.stderr
    equal, different, failed, not_applicable = counts(done.stdout)
    assert (different, failed) == (0, 0)
    assert equal + not_applicable == len(all_cases()) and equal > not_applicable


def test_our_own_daemon_is_equal_over_https_with_a_checked_token(make_daemon: MakeDaemon) -> None:
    daemon = make_daemon(scale(4, 1), arguments=["--auth", "jwt"])
    url = f"https://127.0.0.1:{daemon.https_port}{POOL_PATH}"
    names = ["execute-asynchronous", "execute-generation-1", "files-generation-2", "session-delete"]
    authority = str(daemon.state_directory / "ca.pem")
    token = subprocess.run([str(BUILD / "bin" / "sandboxd"), "token", "--state-dir",
                            str(daemon.state_directory)], text=True, capture_output=True, timeout=30,
                           check=True).stdout.strip()
    done = compare(url, "--strict", *names, SSL_CERT_FILE=authority, SANDPOOL_TOKEN=token)
    assert done.returncode == 0 and counts(done.stdout)[0] >= len(names), done.stdout + done.stderr
    done = compare(url, "execute-2025-10", SSL_CERT_FILE=authority)
    assert done.returncode == 1 and "401" in done.stdout and TOKEN not in done.stdout


def test_a_documented_difference_fails_and_is_printed_by_field(stub: Stub) -> None:
    stub.document = {**FINE, "result": {"stdout": "another\n"}}
    done = compare(stub.url, "execute-2025-10")
    assert done.returncode == 1 and counts(done.stdout) == (0, 0, 1, 0)
    row, = [line for line in done.stdout.splitlines() if line.startswith("execute-2025-10 ")]
    assert row.split() == ["execute-2025-10", "1:", "body.result.stdout", r"'Hello", r"world\n'",
                           r"'another\n'", "D", "R"]


def test_an_inferred_difference_is_printed_and_does_not_fail_unless_asked(stub: Stub) -> None:
    done = compare(stub.url, "version-malformed")
    assert done.returncode == 0 and counts(done.stdout) == (0, 1, 0, 0)
    assert "1: status" in done.stdout and "1: headers.x-ms-error-code" in done.stdout
    assert compare(stub.url, "--strict", "version-malformed").returncode == 1


def test_one_answer_can_mix_both(stub: Stub) -> None:
    stub.document = {**FINE, "result": {"stdout": "fine\n"}}
    done = compare(stub.url, "bad-body-nan")
    assert done.returncode == 0 and counts(done.stdout) == (0, 1, 0, 0)
    stub.document = FINE
    done = compare(stub.url, "bad-body-nan")
    assert done.returncode == 1 and counts(done.stdout) == (0, 0, 1, 0)


def test_cases_for_a_daemon_are_listed_as_not_applicable(stub: Stub) -> None:
    done = compare(stub.url, "health", "http-1.0")
    assert done.returncode == 0 and counts(done.stdout) == (0, 0, 0, 2)
    assert "not applicable: health" in done.stdout and stub.seen == []


def test_requests_go_behind_the_path_with_the_token_and_sessions_are_deleted(stub: Stub) -> None:
    assert compare(stub.url, "execute-2025-10").returncode == 0
    (_, run, _), (method, deleted, _) = stub.seen
    assert all(authorization == f"Bearer {TOKEN}" for _, _, authorization in stub.seen)
    identifier = run.split("identifier=")[1].split("&")[0]
    assert run.startswith("/some/prefix/executions?")
    assert method == "DELETE" and deleted.startswith(f"/some/prefix/session?identifier={identifier}&")


def test_a_pool_that_is_busy_is_asked_again(stub: Stub) -> None:
    stub.busy = 2
    assert compare(stub.url, "execute-2025-10").returncode == 0
    assert [method for method, _, _ in stub.seen] == ["POST", "POST", "POST", "DELETE"]


def test_the_token_is_never_printed(stub: Stub) -> None:
    stub.document = {**FINE, "result": {"stdout": f"it was {TOKEN}"}}
    done = compare(stub.url, "execute-2025-10")
    assert "it was (token)" in done.stdout and TOKEN not in done.stdout + done.stderr


def test_a_pool_that_is_not_there_fails_what_is_documented() -> None:
    done = compare("http://127.0.0.1:1/pool", "execute-2025-10", "version-malformed")
    assert done.returncode == 1 and counts(done.stdout) == (0, 1, 1, 0)
    assert "ConnectionRefusedError" in done.stdout


def test_https_is_checked_against_the_authorities_of_the_environment(tmp_path: Path) -> None:
    subprocess.run(["openssl", "req", "-x509", "-newkey", "rsa:2048", "-nodes", "-keyout",
                    tmp_path / "key", "-out", tmp_path / "certificate", "-subj", "/CN=127.0.0.1",
                    "-addext", "subjectAltName=IP:127.0.0.1"], check=True, capture_output=True)
    both = tmp_path / "both"
    both.write_text((tmp_path / "key").read_text() + (tmp_path / "certificate").read_text())
    server = Stub(both)
    try:
        trusting = compare(server.url, "execute-2025-10", SSL_CERT_FILE=str(tmp_path / "certificate"))
        assert trusting.returncode == 0, trusting.stdout + trusting.stderr
        done = compare(server.url, "execute-2025-10")
        assert done.returncode == 1 and "SSLCertVerificationError" in done.stdout
    finally:
        server.stop()


@pytest.mark.parametrize("url, why", [
    ("ftp://127.0.0.1/", "is no pool management endpoint"),
    ("http:///pool", "is no pool management endpoint"),
    ("http://user:word@127.0.0.1/", "SANDPOOL_TOKEN"),
    ("http://127.0.0.1/?a=b", "SANDPOOL_TOKEN"),
])
def test_what_is_no_endpoint_is_refused_with_the_remedy(url: str, why: str) -> None:
    done = compare(url)
    assert done.returncode == 2 and why in done.stderr


def test_another_machines_pool_wants_a_token() -> None:
    done = compare("https://pool.example/", SANDPOOL_TOKEN="")
    assert done.returncode == 2 and "set SANDPOOL_TOKEN" in done.stderr
