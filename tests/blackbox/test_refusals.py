"""What a session was not allowed to do is told to the person, the model and the log: docs/api.md, "What was
refused"."""
from __future__ import annotations

import json
from typing import Any

import pytest

from conftest import MakeDaemon
from support.client import GENERATION_1, GENERATION_2, LATEST, Client, Execution
from support.daemon import scale

NO_NETWORK = "network is disabled in this session; do not retry; ask for the data as a file\n"


def refusals(execution: Execution) -> list[dict[str, Any]]:
    found = execution.answer.json.get("sandpool", {}).get("refusals", [])
    for refusal in found:
        refusal.pop("$id", None)
    return found


def execute(client: Client, code: str, version: str = LATEST, **headers: str) -> dict[str, Any]:
    """The answer's JSON; with headers of the request."""
    body = {"code": code} if version >= GENERATION_2 else {"properties": {"code": code}}
    path = "/executions" if version >= GENERATION_2 else "/code/execute"
    answer = client.request("POST", client.target(path, version), json.dumps(body).encode(),
                            {"Content-Type": "application/json",
                             **{name.replace("_", "-"): value for name, value in headers.items()}})
    assert answer.status in (200, 202), answer.text
    return answer.json


# ---- the network ----

@pytest.mark.parametrize("code", [
    "import urllib.request\nurllib.request.urlopen('https://example.com/data.csv')",
    "import socket\nsocket.create_connection(('192.0.2.1', 443))",
    "import socket\nsocket.getaddrinfo('example.com', 443)",
    "import pandas\npandas.read_csv('http://example.com/data.csv')",
    "import asyncio\nawait asyncio.open_connection('example.com', 443)",
    "import http.client\nhttp.client.HTTPSConnection('example.com').request('GET', '/')",
    "try:\n    import socket; socket.create_connection(('192.0.2.1', 443))\n"
    "except OSError as error:\n    raise RuntimeError('no data') from error",
    "raise RuntimeError('could not translate host name \"db\": Temporary failure in name resolution')",
])
def test_code_that_failed_for_want_of_a_network_is_told_so_in_one_sentence(session: Client, code: str) -> None:
    execution = session.execute(code)
    assert not execution.succeeded
    assert execution.stderr.endswith("\n" + NO_NETWORK) and execution.stderr.count(NO_NETWORK) == 1


@pytest.mark.parametrize("code", [
    "import socket\nsocket.create_connection(('127.0.0.1', 1))", 
    "import urllib.request\nurllib.request.urlopen('http://localhost:1/')",
    "1 / 0",
    "import socket\ntry:\n    socket.create_connection(('192.0.2.1', 443))\nexcept OSError:\n    pass",
    "import sys; sys.exit(3)",
    "open('/etc/x', 'w')",
])
def test_other_failures_do_not_speak_of_the_network(session: Client, code: str) -> None:
    assert NO_NETWORK not in session.execute(code).stderr


@pytest.mark.parametrize("code", [
    "!curl -s https://example.com/data.csv",
    "!cd /tmp && wget -q -t 1 https://example.com/data.csv",
    "import subprocess\nsubprocess.run(['curl', '-s', 'https://example.com/'], check=True)",
    "import subprocess\nsubprocess.check_output('curl -s https://example.com/', shell=True)",
])
def test_a_program_that_was_to_fetch_something_is_told_so_too(session: Client, code: str) -> None:
    assert session.execute(code).stderr.endswith(NO_NETWORK)


@pytest.mark.parametrize("code", [
    "!curl -s http://127.0.0.1:1/", "!wget -q -t 1 http://localhost:1/", "!exit 6", "!echo curl the; exit 4",
])
def test_programs_that_fail_otherwise_do_not_speak_of_the_network(session: Client, code: str) -> None:
    assert NO_NETWORK not in session.execute(code).stderr


def test_an_attempt_to_reach_a_host_is_told_with_its_place(session: Client) -> None:
    execution = session.execute("import socket\ndef fetch():\n    socket.create_connection(('192.0.2.1', 443))\nfetch()")
    file = refusals(execution)[0]["file"]
    assert file.startswith("<cell ") and f'File "{file}", line 3' in execution.stderr
    assert refusals(execution) == [
        {"kind": "network", "host": "192.0.2.1", "port": 443, "file": file, "line": 3, "count": 2}]


def test_an_attempt_that_was_caught_is_told_too(session: Client) -> None:
    execution = session.execute("import socket\nfor _ in range(3):\n    try:\n        socket.getaddrinfo('example.com', 80)\n"
                                "    except OSError:\n        pass")
    assert execution.succeeded
    [refusal] = refusals(execution)
    assert (refusal["host"], refusal["port"], refusal["count"], refusal["line"]) == ("example.com", 80, 3, 4)


def test_loopback_is_nobodys_business(session: Client) -> None:
    execution = session.execute(
        "import socket\nserver = socket.create_server(('127.0.0.1', 0))\n"
        "socket.create_connection(('localhost', server.getsockname()[1])).close()\n"
        "socket.getaddrinfo(socket.gethostname(), 80)\n"
        "a, b = socket.socketpair(); a.sendmsg([b'x'])\n"
        "socket.getaddrinfo(None, 80, flags=socket.AI_PASSIVE)")
    assert execution.succeeded, execution.stderr
    assert "sandpool" not in execution.answer.json


def test_attempts_are_told_within_a_bound(session: Client) -> None:
    execution = session.execute(
        "import socket\ns = socket.socket(socket.AF_INET, socket.SOCK_DGRAM)\nfor i in range(500):\n"
        "    try:\n        s.sendto(b'x', ('192.0.2.1', 1 + i))\n    except OSError:\n        pass")
    assert len(refusals(execution)) == 32


# ---- files and processes ----

@pytest.mark.parametrize("code, path, error", [
    ("\nopen('/etc/x', 'w')", "/etc/x", "EROFS"),
    ("\nimport pathlib; pathlib.Path('/usr/lib/x').mkdir()", "/usr/lib/x", "EROFS"),
    ("open('own', 'w').close(); import os; os.chmod('own', 0)\nopen('own')", "own", "EACCES"),
    ("\nimport os; os.mkdir('/new\\tname')", "/new?name", "EROFS"),
])
def test_a_file_that_was_refused_is_told(session: Client, code: str, path: str, error: str) -> None:
    execution = session.execute(code)
    [refusal] = [one for one in refusals(execution) if one["kind"] == "file"]
    assert refusal["path"] == path and refusal["error"] == error and refusal["line"] == 2


def test_a_process_that_was_refused_is_told(session: Client) -> None:
    [refusal] = refusals(session.execute("import os\nos.kill(1, 9)"))
    assert (refusal["kind"], refusal["name"], refusal["error"], refusal["line"]) == ("process", "os.kill", "EPERM", 2)


# ---- who is told ----

def test_an_answer_without_refusals_has_no_such_member(session: Client) -> None:
    assert "sandpool" not in session.execute("1 + 1").answer.json


@pytest.mark.parametrize("version", [GENERATION_1, GENERATION_2, LATEST])
def test_every_version_tells_it_at_its_top(session: Client, version: str) -> None:
    assert execute(session, "open('/etc/x', 'w')", version)["sandpool"]["refusals"]


def test_who_wants_no_extension_gets_none(session: Client) -> None:
    assert "sandpool" not in execute(session, "open('/etc/x', 'w')", x_sandpool_extensions="none")


@pytest.mark.parametrize("api", [{"versions": "strict"}, {"refusals": False}])
def test_strict_clients_are_told_nothing(make_daemon: MakeDaemon, api: dict[str, Any]) -> None:
    with make_daemon(scale(2, 1), api).client() as client:
        assert "sandpool" not in execute(client, "open('/etc/x', 'w')")
        assert execute(client, "import socket; socket.getaddrinfo('example.com', 1)")["result"]["stderr"].endswith(NO_NETWORK)


# ---- forged ----

def test_a_guest_that_forges_them_ends_its_interpreter_at_most(session: Client) -> None:
    session.execute("import os, socket\nchannel = socket.socket(fileno=1000)\n"
                    "channel.send(b'SPL1' + bytes([6, 0, 0, 0]) + bytes(8) + b'network\\tforged\\n')")
    assert session.execute("1 + 1").value == 2


# ---- system calls ----

LIBC = "import ctypes, errno, os\nlibc = ctypes.CDLL(None, use_errno=True)\n"


def test_a_refused_call_is_told_by_name_and_registers(session: Client) -> None:
    execution = session.execute(LIBC + "for i in range(3):\n    assert libc.syscall(165, i, 2, 3, 4, 5) == -1\n"
                                "    assert ctypes.get_errno() == errno.EPERM")
    assert execution.succeeded, execution.stderr
    [refusal] = refusals(execution)
    assert (refusal["kind"], refusal["name"], refusal["count"]) == ("syscall", "mount", 3)
    assert refusal["arguments"][:5] == ["0x0", "0x2", "0x3", "0x4", "0x5"]


def test_calls_of_children_are_told(session: Client) -> None:
    execution = session.execute("import subprocess\nsubprocess.run(['unshare', '--user', 'true'])")
    assert "unshare" in [refusal["name"] for refusal in refusals(execution)]


def test_calls_that_are_answered_otherwise_are_not_told(session: Client) -> None:
    """clone3 and newer calls: libraries ask for them all the time and have another way."""
    execution = session.execute(LIBC + "import threading\nthread = threading.Thread(target=print); thread.start(); thread.join()\n"
                                "assert libc.syscall(435, 0, 0) == -1 and ctypes.get_errno() == errno.ENOSYS")
    assert execution.succeeded and refusals(execution) == []


def test_what_programs_try_by_habit_is_not_told(session: Client) -> None:
    execution = session.execute("!cp /etc/passwd one && cp one two\nimport socket; socket.getaddrinfo('localhost', 80)")
    assert execution.succeeded and refusals(execution) == []


def test_each_execution_has_its_own(session: Client) -> None:
    for number, name in ((165, "mount"), (101, "ptrace"), (165, "mount")):
        [refusal] = refusals(session.execute(LIBC + f"libc.syscall({number}, 0, 0, 0, 0, 0)"))
        assert (refusal["name"], refusal["count"]) == (name, 1)
    assert refusals(session.execute("1 + 1")) == []


def test_a_fresh_interpreter_is_listened_to_as_well(session: Client) -> None:
    session.execute("import os; os._exit(1)")
    [refusal] = refusals(session.execute(LIBC + "libc.syscall(165, 0, 0, 0, 0, 0)"))
    assert refusal["name"] == "mount"


def test_without_the_audit_the_same_is_refused_and_nothing_told(make_daemon: MakeDaemon) -> None:
    with make_daemon(scale(2, 1), audit=False).client() as client:
        execution = client.execute(LIBC + "import socket\nassert libc.syscall(165, 0, 0, 0, 0, 0) == -1\n"
                                   "assert ctypes.get_errno() == errno.EPERM\nsocket.getaddrinfo('example.com', 80)")
        assert "gaierror" in execution.stderr and execution.stderr.endswith(NO_NETWORK)
        assert "sandpool" not in execution.answer.json


# ---- the log ----

def test_the_log_has_names_of_calls_and_numbers_only(make_daemon: MakeDaemon) -> None:
    daemon = make_daemon(scale(2, 1))
    with daemon.client() as client:
        client.execute(LIBC + "libc.syscall(165, 0x5ec2e7, 0, 0, 0, 0); libc.syscall(165, 0, 0, 0, 0, 0)\nlibc.syscall(101, 0, 0, 0, 0, 0)\n"
                       "import socket\ntry:\n    socket.getaddrinfo('marker-host.example', 80)\nexcept OSError:\n    pass\n"
                       "open('/etc/marker-file', 'w')")
    lines = [line for line in daemon.log_tail(200).splitlines() if "event=execution.refused" in line]
    assert len(lines) == 1 and lines[0].endswith("refused=3 calls=mount,ptrace network=1 files=1 processes=0")
    assert "marker" not in daemon.log_tail(200) and "5ec2e7" not in daemon.log_tail(200)


# ---- floods ----

def test_who_asks_for_refused_calls_without_end_holds_up_nobody_else(session: Client) -> None:
    started = session.execute(LIBC + "import threading\n"
                              "def ask():\n    while True: libc.syscall(165, 0, 0, 0, 0, 0)\n"
                              "for _ in range(30): threading.Thread(target=ask, daemon=True).start()")
    assert started.succeeded
    with session.another() as other:
        for number in range(20):
            assert other.execute(f"{number} + 1").value == number + 1
        [refusal] = refusals(other.execute(LIBC + "libc.syscall(101, 0, 0, 0, 0, 0)"))
        assert (refusal["name"], refusal["count"]) == ("ptrace", 1)
        other.delete_session()
    [refusal] = refusals(session.execute("import time; time.sleep(0.5)"))
    assert refusal["name"] == "mount" and refusal["count"] > 60
