"""The daemon as a whole: start, stop, sudden deaths of its parts, bad settings, hostile connections."""
from __future__ import annotations

import json
import os
import signal
import socket
import subprocess
import time
from pathlib import Path

import pytest

from conftest import MakeDaemon
from support.daemon import BUILD, free_port, require_daemon, scale
from support.processes import abandoned_cgroups, wait_until


# ---- start and stop ----

def test_several_daemons_side_by_side(make_daemon: MakeDaemon) -> None:
    first, second = make_daemon(scale(3, 0)), make_daemon(scale(3, 0))
    with first.client("same-name") as one, second.client("same-name") as two:
        one.run("x = 1")
        two.run("x = 2")
        assert (one.execute("x").value, two.execute("x").value) == (1, 2)


def test_sigterm_leaves_nothing(make_daemon: MakeDaemon) -> None:
    daemon = make_daemon(scale(5, 2))
    for _ in range(3):
        daemon.client().run("import subprocess\nsubprocess.Popen(['sleep', '1000'])")
    daemon.stop()  # checks processes, cgroups and mounts


def test_sigterm_during_an_execution_and_an_upload(make_daemon: MakeDaemon) -> None:
    daemon = make_daemon(scale(5, 0))
    with daemon.client() as client:
        client.run("pass")
        with socket.create_connection(("127.0.0.1", daemon.port)) as busy:
            body = b'{"code":"import time; time.sleep(100)"}'
            busy.sendall(f"POST {client.target('executions')} HTTP/1.1\r\nHost: localhost\r\nAuthorization: Bearer local\r\nContent-Length: {len(body)}\r\n\r\n".encode() + body)
            time.sleep(0.3)
            daemon.stop()


def test_the_port_is_free_again_after_a_stop(make_daemon: MakeDaemon) -> None:
    daemon = make_daemon(scale(2, 0))
    port = daemon.port
    daemon.stop()
    with socket.socket() as probe:
        probe.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        probe.bind(("127.0.0.1", port))


def test_kill_9_of_the_daemon_leaves_nothing(make_daemon: MakeDaemon) -> None:
    daemon = make_daemon(scale(5, 1))
    daemon.client().run("import subprocess\nsubprocess.Popen(['sleep', '1000'])")
    daemon.end(signal.SIGKILL)
    daemon.start()  # with the same state directory
    assert daemon.client().execute("1 + 1").value == 2


# ---- deaths of the parts ----

def test_kill_9_of_the_front_loses_no_session(make_daemon: MakeDaemon) -> None:
    daemon = make_daemon(scale(5, 1))
    with daemon.client() as client:
        client.run("kept = 7")
        client.upload("f", b"kept")
        front, = daemon.named("sandboxd-front")
        os.kill(front.pid, signal.SIGKILL)
        client.close()
        assert client.eventually("kept", 7)
        assert client.download("f").body == b"kept"


def test_front_after_front_loses_no_session(make_daemon: MakeDaemon) -> None:
    """A later front has nothing to ask of the broker, and must not be taken for one that failed to start."""
    daemon = make_daemon(scale(5, 0))
    with daemon.client() as client:
        client.run("kept = 7")
        for _ in range(3):
            front, = daemon.named("sandboxd-front")
            os.kill(front.pid, signal.SIGKILL)
            client.close()
            assert client.eventually("kept", 7)


def test_a_talkative_program_that_outlived_its_front_finishes(make_daemon: MakeDaemon) -> None:
    daemon = make_daemon(scale(5, 0))
    with daemon.client() as client:
        client.run("kept = 7")
        body = b'{"code":"import time; time.sleep(1); print(\\"x\\" * 1000000); kept = 8"}'
        with socket.create_connection(("127.0.0.1", daemon.port)) as connection:
            connection.sendall(f"POST {client.target('executions')} HTTP/1.1\r\nHost: localhost\r\nAuthorization: Bearer local\r\n"
                               f"Content-Length: {len(body)}\r\n\r\n".encode() + body)
            time.sleep(0.3)
            front, = daemon.named("sandboxd-front")
            os.kill(front.pid, signal.SIGKILL)
        client.close()
        assert client.eventually("kept", 8, 20)


def test_a_program_that_outlived_its_front_does_not_block_the_session(make_daemon: MakeDaemon) -> None:
    daemon = make_daemon(scale(5, 0), executionTimeoutSeconds=3)
    with daemon.client() as client, daemon.client(client.identifier) as endless:
        client.upload("f", b"kept")
        body = b'{"code":"while True: pass"}'
        with socket.create_connection(("127.0.0.1", daemon.port)) as connection:
            connection.sendall(f"POST {endless.target('executions')} HTTP/1.1\r\nHost: localhost\r\nAuthorization: Bearer local\r\n"
                               f"Content-Length: {len(body)}\r\n\r\n".encode() + body)
            time.sleep(0.5)
            front, = daemon.named("sandboxd-front")
            os.kill(front.pid, signal.SIGKILL)
        client.close()
        assert client.eventually("1 + 1", 2, 20)
        assert client.download("f").body == b"kept"


def test_kill_9_of_an_interpreter(make_daemon: MakeDaemon) -> None:
    daemon = make_daemon(scale(5, 0))
    with daemon.client() as client:
        client.upload("f", b"kept")
        client.run("pass")
        interpreter, = daemon.interpreters()
        os.kill(interpreter.pid, signal.SIGKILL)
        assert client.eventually("1 + 1", 2)
        assert client.download("f").body == b"kept"


def test_kill_9_of_a_shell_ends_its_session_only(make_daemon: MakeDaemon) -> None:
    daemon = make_daemon(scale(5, 0))
    with daemon.client() as client, daemon.client() as other:
        client.run("x = 1")
        shell, = daemon.named("sandboxd-session")
        other.run("kept = 7")
        os.kill(shell.pid, signal.SIGKILL)
        assert client.eventually("1 + 1", 2)
        assert client.file_names() == []
        assert other.execute("kept").value == 7


# ---- settings ----

def test_a_start_that_fails_leaves_no_cgroup(make_daemon: MakeDaemon, tmp_path: Path) -> None:
    daemon = make_daemon(scale(5, 0))
    before = abandoned_cgroups()
    result = run_to_end("--listen", f"127.0.0.1:{free_port()}", "--state-dir",
                        str(daemon.state_directory))
    assert result.returncode == 1
    assert "in use by another sandboxd" in result.stderr
    assert wait_until(lambda: abandoned_cgroups() <= before)


def test_a_directory_that_holds_other_things_is_not_taken(tmp_path: Path) -> None:
    (tmp_path / "precious").touch()
    result = run_to_end("--listen", f"127.0.0.1:{free_port()}", "--state-dir", str(tmp_path))
    assert result.returncode == 1
    assert "holds other things" in result.stderr
    assert tmp_path.stat().st_uid == os.getuid()


def run_to_end(*arguments: str, user: int | None = None) -> subprocess.CompletedProcess[str]:
    def become() -> None:
        if user is not None:
            os.setgroups([])
            os.setgid(user)
            os.setuid(user)
    return subprocess.run([str(BUILD / "bin/sandboxd"), "--listen-https", "none", *arguments], capture_output=True, text=True,
                          timeout=15, preexec_fn=become)


@pytest.mark.parametrize("document, named", [
    ('{"pools":[{"name":"default","sandpool":{"colour":"red"}}]}', "colour"),
    ('{"pools":[{"name":"default","sandpool":{"executionTimeoutSeconds":"soon"}}]}', "executionTimeoutSeconds"),
    ('{"pools":[{"name":"default","sandpool":{"executionTimeoutSeconds":0}}]}', "executionTimeoutSeconds"),
    ('{"pools":[{"name":"default","sandpool":{"image":"../../etc"}}]}', "image"),
    ('{"pools":[{"name":"default","properties":{"dynamicPoolConfiguration":{"executionType":"Timed","cooldownPeriodInSeconds":20}}}]}', "cooldownPeriodInSeconds"),
    ('{"pools":[{"name":"default","properties":{"scaleConfiguration":{"maxConcurrentSessions":-1}}}]}', "maxConcurrentSessions"),
    ('{"pools":[{"name":"default"},{"name":"default"}]}', "default"),
    ('{"pools":"none"}', "pools"), ('{"pools":[', "config"), ("[]", "config"),
])
def test_a_bad_configuration_is_refused_by_name(tmp_path: Path, document: str, named: str) -> None:
    require_daemon()
    path = tmp_path / "config.json"
    path.write_text(document)
    result = run_to_end("--listen", f"127.0.0.1:{free_port()}", "--state-dir", str(tmp_path / "state"),
                        "--config", str(path))
    assert result.returncode != 0 and named in result.stderr, result.stderr


def test_without_pools_there_is_the_default_one(make_daemon: MakeDaemon) -> None:
    with make_daemon(document={"api": {"ids": False}}).client() as client:
        answer = client.execute("1 + 1").answer
    assert answer.json["result"]["executionResult"] == 2 and "$id" not in answer.json


@pytest.mark.parametrize("properties", [
    {"dynamicPoolConfiguration": {"executionType": "Timed", "cooldownPeriodInSeconds": 300}},
    {"dynamicPoolConfiguration": {"executionType": "Timed", "coolDownPeriodInSeconds": "300"}},
    {"dynamicPoolConfiguration": {"lifecycleConfiguration": {"lifecycleType": "Timed", "cooldownPeriodInSeconds": 3600,
                                                             "maxAlivePeriodInSeconds": None}}},
])
def test_both_forms_of_the_lifecycle(make_daemon: MakeDaemon, properties: dict[str, Any]) -> None:
    with make_daemon({**properties, **scale(2, 0)}).client() as client:
        assert client.execute("1 + 1").value == 2


def test_a_port_in_use_is_said(tmp_path: Path, shared_daemon: Daemon) -> None:
    result = run_to_end("--listen", f"127.0.0.1:{shared_daemon.port}", "--state-dir", str(tmp_path / "state"))
    assert result.returncode != 0 and str(shared_daemon.port) in result.stderr


@pytest.mark.parametrize("arguments", [["--listen", "nonsense"], ["--listen", "127.0.0.1:99999"], ["--unknown"]])
def test_bad_arguments(arguments: list[str]) -> None:
    require_daemon()
    result = run_to_end(*arguments)
    assert result.returncode != 0 and result.stderr


# ---- hostile connections ----

def test_idle_connections_do_not_stop_others(shared_daemon: Daemon) -> None:
    idle = [socket.create_connection(("127.0.0.1", shared_daemon.port)) for _ in range(200)]
    for connection in idle[:100]:
        connection.sendall(b"POST /executions HTTP/1.1\r\nHost: ")
    with shared_daemon.client() as client:
        assert client.execute("1 + 1").value == 2
        client.delete_session()
    for connection in idle:
        connection.close()


EXECUTE = b"POST /executions?identifier=abcd&api-version=2025-10-02-preview HTTP/1.1\r\nHost: localhost\r\nAuthorization: Bearer local\r\n"
NOT_HTTP = {
    "nothing": b"",
    "empty lines": b"\r\n" * 100,
    "TLS": b"\x16\x03\x01\x02\x00\x01\x00\x01\xfc\x03\x03",
    "no target": b"GET\r\n\r\n",
    "zeros": b"\x00" * 1000,
    "another version": b"GET / HTTP/9.9\r\n\r\n",
    "HTTP/2": b"PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n",
    "a chunk size that is no number": EXECUTE + b"Transfer-Encoding: chunked\r\n\r\nzz\r\n",
    "a chunk size beyond 64 bits": EXECUTE + b"Transfer-Encoding: chunked\r\n\r\nfffffffffffffffff\r\n",
    "a space before the colon": b"GET /health HTTP/1.1\r\nHost : x\r\n\r\n",
    "a folded header": b"GET /health HTTP/1.1\r\nHost: localhost\r\nAuthorization: Bearer local\r\n folded: y\r\n\r\n",
}


@pytest.mark.parametrize("name", NOT_HTTP)
def test_bytes_that_are_not_http(shared_daemon: Daemon, name: str) -> None:
    with socket.create_connection(("127.0.0.1", shared_daemon.port), timeout=20) as connection:
        connection.sendall(NOT_HTTP[name])
        connection.shutdown(socket.SHUT_WR)
        connection.settimeout(20)
        try:
            while connection.recv(65536):
                pass
        except ConnectionResetError:
            pass
    with shared_daemon.client() as client:
        assert client.request("GET", "/health").status == 200


def test_pipelined_requests_are_answered_in_order(shared_daemon: Daemon) -> None:
    with shared_daemon.client() as client, socket.create_connection(("127.0.0.1", shared_daemon.port), timeout=30) as connection:
        client.run("pass")
        for number in range(3):
            body = json.dumps({"code": f"print({number})"}).encode()
            connection.sendall(f"POST {client.target('executions')} HTTP/1.1\r\nHost: localhost\r\nAuthorization: Bearer local\r\nContent-Length: {len(body)}\r\n\r\n".encode() + body)
        received = b""
        while received.count(b'"stdout"') < 3:
            piece = connection.recv(65536)
            assert piece, received
            received += piece
        assert [received.index(f'"{n}\\n"'.encode()) for n in range(3)] == sorted(received.index(f'"{n}\\n"'.encode()) for n in range(3))
        client.delete_session()


def test_tokens_and_code_stay_out_of_the_log(make_daemon: MakeDaemon) -> None:
    daemon = make_daemon(scale(2, 0))
    with daemon.client() as client:
        marker = "marker5f1c"
        body = json.dumps({"code": f"print('{marker}')\n1/0"}).encode()
        client.request("POST", client.target("executions"), body, {"Authorization": f"Bearer {marker}"})
        client.upload(f"{marker}.txt", marker.encode())
    daemon.stop()
    assert marker not in daemon.log_path.read_text()
