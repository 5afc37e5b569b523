"""Policies as a pool chooses them: what they let a session do, and what is said of a wrong one."""
from __future__ import annotations

import json
import subprocess
from pathlib import Path
from typing import Any, Iterator, Sequence

import pytest

from support.client import Client
from support.daemon import BUILD, Daemon, free_port, require_daemon

ENDPOINT = "/subscriptions/s/resourceGroups/g/sessionPools/"
SCALE = {"scaleConfiguration": {"maxConcurrentSessions": 5, "readySessionInstances": 1}}


def pools(**policies: str | None) -> dict[str, Any]:
    """A pool for each name, with that policy."""
    return {"pools": [{"name": name, "properties": SCALE,
                       "sandpool": {"policy": policy} if policy else {}}
                      for name, policy in policies.items()]}


def own_directory(path: Path, **documents: dict[str, Any] | str) -> Path:
    """Policies of a user's own, which the daemon's id can read."""
    directory = path / "policies"
    directory.mkdir(mode=0o755)
    for name, document in documents.items():
        text = document if isinstance(document, str) else json.dumps({"name": name, **document})
        (directory / f"{name}.json").write_text(text)
    return directory


def learned(code: str) -> str:
    """The smallest policy for a program."""
    require_daemon()
    return subprocess.run([BUILD / "bin" / "sandboxd", "policy", "learn", "--", "/usr/bin/python3", "-c", code],
                          capture_output=True, text=True, timeout=60, check=True).stdout


def refusal(path: Path, document: dict[str, Any], arguments: Sequence[str] = ()) -> str:
    """What a daemon says that must not start."""
    require_daemon()
    configuration = path / "config.json"
    configuration.write_text(json.dumps(document))
    result = subprocess.run(
        [BUILD / "bin" / "sandboxd", "--listen", f"127.0.0.1:{free_port()}", "--listen-https", "none",
         "--state-dir", path / "state", "--config", configuration, *arguments],
        capture_output=True, text=True, timeout=60)
    assert result.returncode != 0
    return result.stderr


def client_of(daemon: Daemon, pool: str) -> Client:
    return Client(daemon.port, base=ENDPOINT + pool)


ATTEMPTS = """
import ctypes, errno, json, os, socket, subprocess, threading
def attempt(act):
    try:
        act()
        return "works"
    except OSError as error:
        return errno.errorcode[error.errno]
    except RuntimeError:
        return "refused"
def thread():
    t = threading.Thread(target=int); t.start(); t.join()
print(json.dumps({"fork": attempt(lambda: os.fork() or os._exit(0)), "program": attempt(lambda: subprocess.run(["true"])),
 "thread": attempt(thread), "network": attempt(lambda: socket.create_connection(("127.0.0.1", 9))),
 "pair": attempt(socket.socketpair), "semaphore": ctypes.CDLL(None, use_errno=True).semget(0, 1, 0o600) >= 0}))
"""


def attempts(client: Client) -> dict[str, Any]:
    return json.loads(client.run(ATTEMPTS))


@pytest.fixture(scope="module")
def daemon(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Daemon]:
    """Pools of three policies, one of them the user's own."""
    require_daemon()
    path = tmp_path_factory.mktemp("policies")
    directory = own_directory(path, quiet={
        "extends": "python",
        "calls": [{"refuse": ["mkdir"], "error": "EACCES", "why": "a test"}],
        "environment": [{"variable": "EXTRA", "value": "a=b", "why": "a test"},
                        {"variable": "LANG", "value": None, "why": "a test"}]},
        learned=learned("import os, socket; open('/dev/null').read(); socket.socketpair()"))
    daemon = Daemon(path, pools(loose=None, tight="strict", mine="quiet", large="data-science", small="learned"),
                    ["--policy-dir", str(directory)])
    yield daemon
    daemon.stop()


def test_pools_of_one_daemon_have_the_policies_they_chose(daemon: Daemon) -> None:
    with client_of(daemon, "loose") as loose, client_of(daemon, "tight") as tight:
        assert attempts(loose) == {
            "fork": "works", "program": "works", "thread": "works", "network": "ECONNREFUSED",
            "pair": "works", "semaphore": True}
        assert attempts(tight) == {
            "fork": "EPERM", "program": "EPERM", "thread": "refused", "network": "EACCES",
            "pair": "works", "semaphore": False}


def test_loopback_is_up_only_where_a_policy_lets_a_socket_use_it(daemon: Daemon) -> None:
    code = "print('127.0.0.1' in open('/proc/self/net/fib_trie').read())"
    found = {}
    for pool in ("loose", "mine", "tight", "small"):
        with client_of(daemon, pool) as client:
            found[pool] = client.run(code).strip()
    assert found == {"loose": "True", "mine": "True", "tight": "False", "small": "False"}


def test_a_strict_session_computes_draws_and_keeps_files(daemon: Daemon) -> None:
    with client_of(daemon, "tight") as client:
        client.run("import numpy as np; np.linalg.solve(np.eye(200) * 2, np.ones(200)).sum()")
        execution = client.execute(
            "import asyncio, pandas as pd, sqlite3, tempfile\n"
            "import matplotlib.pyplot as plt\n"
            "frame = pd.DataFrame({'a': range(10)}); frame.to_csv('/mnt/data/a.csv')\n"
            "sqlite3.connect('/mnt/data/a.db').execute('create table t (x)')\n"
            "tempfile.TemporaryFile().write(b'x')\n"
            "asyncio.run(asyncio.sleep(0))\n"
            "plt.plot(frame.a); plt.savefig('/mnt/data/a.png'); plt.show()")
        assert execution.succeeded and execution.value["type"] == "image"
        assert {"a.csv", "a.png", "a.db"} <= set(client.file_names())


def test_a_policy_of_ones_own_changes_one_of_ours(daemon: Daemon) -> None:
    with client_of(daemon, "mine") as client:
        execution = client.execute("import os\nos.mkdir('/mnt/data/x')")
        assert not execution.succeeded and "PermissionError: [Errno 13]" in execution.stderr


SURROUNDINGS = """
import errno, json, os, resource, shutil, subprocess
def attempt(act):
    try:
        act()
        return "works"
    except OSError as error:
        return errno.errorcode[error.errno]
size = lambda path: os.statvfs(path).f_blocks * os.statvfs(path).f_frsize >> 20
files = lambda path: os.statvfs(path).f_files
shutil.copy("/bin/true", "/tmp/true")
print(json.dumps({
    "descriptors": resource.getrlimit(resource.RLIMIT_NOFILE), "stack": resource.getrlimit(resource.RLIMIT_STACK)[0],
    "tmp": [size("/tmp"), files("/tmp")], "shm": size("/dev/shm"), "home": size("/home/session"),
    "noexec": bool(os.statvfs("/tmp").f_flag & os.ST_NOEXEC),
    "devices": [attempt(lambda: open("/dev/" + name)) for name in ("null", "zero", "full", "random", "urandom")]}))
"""


def test_limits_mounts_and_devices_are_those_of_the_policy(daemon: Daemon) -> None:
    found = {}
    for pool in ("loose", "tight", "large"):
        with client_of(daemon, pool) as client:
            found[pool] = json.loads(client.run(SURROUNDINGS))
    usual = {"descriptors": [1024, 1024], "stack": 8 << 20, "tmp": [128, 4096], "shm": 64, "home": 32,
             "noexec": False, "devices": ["works"] * 5}
    assert found["loose"] == usual
    assert found["large"] == {**usual, "descriptors": [8192, 8192], "stack": 64 << 20,
                              "tmp": [1024, 65536], "shm": 512}
    assert found["tight"] == {**usual, "descriptors": [256, 256], "noexec": True,
                              "devices": ["works", "works", "EACCES", "works", "works"]}


def test_the_environment_is_that_of_the_policy(daemon: Daemon) -> None:
    code = ("import json, os, subprocess\n"
            "child = subprocess.run(['env'], capture_output=True, text=True).stdout.split()\n"
            "print(json.dumps([[os.environ.get('EXTRA'), os.environ.get('LANG'), os.environ['HOME']],\n"
            "                  ['EXTRA=a=b' in child, 'LANG=C.UTF-8' in child, len(child) == len(os.environ)]]))")
    with client_of(daemon, "mine") as mine, client_of(daemon, "loose") as loose:
        assert json.loads(mine.run(code)) == [["a=b", None, "/home/session"], [True, False, True]]
        assert json.loads(loose.run(code)) == [[None, "C.UTF-8", "/home/session"], [False, True, True]]


def test_a_policy_that_was_learned_holds_a_session(daemon: Daemon) -> None:
    with client_of(daemon, "small") as client:
        assert client.run("import socket\nsocket.socketpair()\nprint(6 * 7)") == "42\n"
        for code in ("os.mkdir('/mnt/data/x')", "os.fork()", "socket.socket()"):
            execution = client.execute("import os, socket\n" + code)
            assert not execution.succeeded and "PermissionError: [Errno 1]" in execution.stderr


def test_another_interpreter_of_a_session_has_its_policy_too(daemon: Daemon) -> None:
    with client_of(daemon, "tight") as client:
        client.execute("import os\nos._exit(3)")
        assert attempts(client)["fork"] == "EPERM"


def test_a_pool_with_an_unknown_policy_stops_the_start_and_is_told_which_there_are(tmp_path: Path) -> None:
    text = refusal(tmp_path, pools(mine="lax"))
    assert 'pools[0].sandpool.policy: there is no policy "lax"; there are: python' in text
    assert "strict" in text


@pytest.mark.parametrize(("document", "message"), [
    ('{"name": "mine",\n "extends": "python",\n "calls": [{"allow": ["opne"], "why": "x"}]}',
     'mine.json:3: calls[0].allow[0]: unknown system call \\"opne\\"; did you mean \\"open\\"?'),
    ('{"name": "mine",\n "extends": "mine"}', "mine.json:2: extends: mine -> mine: a policy cannot extend itself"),
    ('{"name": "mine", "extends": "python", "calls": [{"allow": ["ptrace"], "why": "x"}]}',
     'mine.json:1: calls[0]: \\"ptrace\\" may not be allowed'),
    ('{"name": "mine"', "mine.json:1:15: "),
], ids=["unknown call", "circle", "below the floor", "no JSON"])
def test_a_policy_that_is_wrong_stops_the_start_with_one_message(document: str, message: str,
                                                                tmp_path: Path) -> None:
    directory = own_directory(tmp_path, mine=document)
    text = refusal(tmp_path, pools(default=None), ["--policy-dir", str(directory)])
    assert message in text or message.replace('\\"', '"') in text, text
    assert len(text.strip().splitlines()) == 1


def test_more_policies_than_a_daemon_may_have_are_refused(tmp_path: Path) -> None:
    directory = own_directory(tmp_path, **{f"p{i}": {"extends": "python"} for i in range(8)})
    text = refusal(tmp_path, pools(default=None), ["--policy-dir", str(directory)])
    assert "more than 8 policies for sessions" in text
