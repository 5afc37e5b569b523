"""Pools with "start": "exec": each interpreter from a process of its own, and everything else as elsewhere."""
from __future__ import annotations

import os
import signal
from concurrent.futures import ThreadPoolExecutor

from conftest import MakeDaemon
from support.client import Client
from support.daemon import Daemon, scale
from support.processes import wait_until

RECOVERY_S = 60  # imports on a busy machine
BARE = {"start": "exec", "preload": False}


def only_the_shared_zygote_is_left(daemon: Daemon) -> bool:
    return wait_until(lambda: len(daemon.zygotes()) == 1, RECOVERY_S)


def test_modules_are_imported_ahead_or_not(make_daemon: MakeDaemon) -> None:
    exec_pool = {"name": "warm", "sandpool": {"start": "exec"}, "properties": scale(3, 0)}
    bare_pool = {"name": "bare", "sandpool": BARE, "properties": scale(3, 0)}
    daemon = make_daemon(document={"pools": [{"name": "default", "properties": scale(3, 0)}, exec_pool, bare_pool]})
    loaded = "import sys; 'pandas' in sys.modules"
    for pool, value in (("default", "True"), ("warm", "True"), ("bare", "False")):
        base = f"/subscriptions/local/resourceGroups/local/sessionPools/{pool}"
        with Client(daemon.port, base=base) as client:
            assert client.execute(loaded).value == value, pool
            assert client.execute("import pandas; int(pandas.Series([6]).mul(7)[0])").value == 42
    assert only_the_shared_zygote_is_left(daemon)


def test_another_process_for_another_interpreter_of_a_session(make_daemon: MakeDaemon) -> None:
    daemon = make_daemon(scale(3, 0), **BARE)
    with daemon.client() as client:
        client.upload("f", b"kept")
        seed = client.execute("kept = hash('a')\nkept").value
        assert "Execution aborted" in client.execute("import os; os._exit(1)").stderr
        assert client.execute("hash('a')").value != seed
        assert client.download("f").body == b"kept"
    assert only_the_shared_zygote_is_left(daemon)


def test_a_process_that_dies_before_its_fork_costs_no_session(make_daemon: MakeDaemon) -> None:
    daemon = make_daemon(scale(3, 0), **BARE)
    assert only_the_shared_zygote_is_left(daemon)
    shared, = daemon.zygotes()
    with daemon.client() as client, ThreadPoolExecutor() as threads:
        first = threads.submit(client.execute, "1 + 1")
        assert wait_until(lambda: len(daemon.zygotes()) == 2)
        os.kill(next(found.pid for found in daemon.zygotes() if found != shared), signal.SIGKILL)
        assert first.result().value == 2
    assert daemon.zygotes() == [shared]


def test_more_sessions_at_once_than_may_warm_up_at_once(make_daemon: MakeDaemon) -> None:
    daemon = make_daemon(scale(20, 0), **BARE)
    most = 2 * (os.cpu_count() or 1)

    def run(number: int) -> bool:
        with daemon.client() as client:
            return client.execute(str(number)).value == number

    with ThreadPoolExecutor(most + 4) as threads:
        answers = [threads.submit(run, number) for number in range(most + 4)]
        seen = 0

        def all_answered() -> bool:
            nonlocal seen
            seen = max(seen, len(daemon.zygotes()))
            return all(answer.done() for answer in answers)
        assert wait_until(all_answered, 2 * RECOVERY_S)
        assert all(answer.result() for answer in answers)
    # One that has just been forked may not have been reaped when the next one starts.
    assert 1 < seen <= 1 + 2 * most
    assert only_the_shared_zygote_is_left(daemon)


def test_a_session_that_is_removed_while_it_starts_leaves_nothing(make_daemon: MakeDaemon) -> None:
    daemon = make_daemon(scale(3, 3), **BARE)
    assert wait_until(lambda: len(daemon.interpreters()) == 3, RECOVERY_S)
    with daemon.client() as client:
        client.run("pass")
        os.kill(daemon.interpreters()[0].pid, signal.SIGKILL)
        client.delete_session()
    assert wait_until(lambda: len(daemon.named("sandboxd-session")) == 3 and len(daemon.interpreters()) == 3, RECOVERY_S)
    assert only_the_shared_zygote_is_left(daemon)


def test_a_new_front_finds_the_sessions(make_daemon: MakeDaemon) -> None:
    daemon = make_daemon(scale(3, 0), **BARE)
    with daemon.client() as client:
        client.run("kept = 7")
        front, = daemon.named("sandboxd-front")
        os.kill(front.pid, signal.SIGKILL)
        assert client.eventually("kept", 7, RECOVERY_S)
        assert "Execution aborted" in client.execute("import os; os._exit(1)").stderr
        assert client.execute("1 + 1").value == 2
