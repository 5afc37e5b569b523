"""Allocation, ready instances, cooldown and removal of sessions."""
from __future__ import annotations

import threading
import time

import pytest

from conftest import MakeDaemon
from support.daemon import Daemon, scale
from support.client import Client
from support.processes import descriptor_count, wait_until


def shells(daemon: Daemon) -> int:
    return len(daemon.named("sandboxd-session"))


@pytest.mark.front
def test_a_full_pool_answers_429(make_daemon: MakeDaemon) -> None:
    daemon = make_daemon(scale(2, 0))
    first, second, third = daemon.client(), daemon.client(), daemon.client()
    assert first.execute("1").succeeded and second.execute("1").succeeded
    answer = third.request("POST", third.target("executions"), b'{"code":"1"}')
    assert answer.status == 429 and answer.error_code == "SessionPoolMaxConcurrentSessionsReached"
    assert int(answer.headers["retry-after"]) > 0
    assert third.request("GET", third.target("files")).status == 429
    assert first.execute("2").value == 2, "a session that exists is not affected"

    first.delete_session()
    assert wait_until(lambda: third.request("POST", third.target("executions"), b'{"code":"1"}').status == 200)


@pytest.mark.front
def test_ready_instances_are_made_ahead_and_again(make_daemon: MakeDaemon) -> None:
    daemon = make_daemon(scale(10, 2))
    assert wait_until(lambda: shells(daemon) == 2)
    with daemon.client() as client:
        client.run("pass")
        assert wait_until(lambda: shells(daemon) == 3)
        client.delete_session()
        assert wait_until(lambda: shells(daemon) == 2)


@pytest.mark.front
def test_an_idle_session_is_removed_after_its_cooldown(make_daemon: MakeDaemon) -> None:
    daemon = make_daemon(scale(5, 0), cooldownSeconds=1)
    with daemon.client() as client:
        client.run("open('/mnt/data/f', 'w').close()")
        assert shells(daemon) == 1
        assert wait_until(lambda: shells(daemon) == 0)
        assert client.file_names() == [], "a new, empty session"


@pytest.mark.front
def test_use_restarts_the_cooldown(make_daemon: MakeDaemon) -> None:
    daemon = make_daemon(scale(5, 0), cooldownSeconds=2)
    with daemon.client() as client:
        client.run("kept = 1")
        for _ in range(5):
            time.sleep(0.8)
            assert client.execute("kept").value == 1
        client.run("import time; time.sleep(3)")
        assert client.execute("kept").value == 1, "an execution is not idleness"


@pytest.mark.front
def test_executions_of_one_session_take_turns(session: Client) -> None:
    session.run("log = []")
    threads = []
    for number in range(5):
        def run(number: int = number) -> None:
            with session.another(session.identifier) as client:
                client.run(f"import time\nlog.append(('in', {number}))\ntime.sleep(0.05)\nlog.append(('out', {number}))")
        threads.append(threading.Thread(target=run))
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    log = eval(session.run("print(log)"))
    assert len(log) == 10
    assert all(log[i][0] == "in" and log[i + 1] == ("out", log[i][1]) for i in range(0, 10, 2))


def test_files_can_be_read_while_code_runs(session: Client) -> None:
    session.upload("a.txt", b"here")
    runner = threading.Thread(target=lambda: session.another(session.identifier).run("import time; time.sleep(3)"))
    runner.start()
    time.sleep(0.2)
    started = time.monotonic()
    assert session.download("a.txt").body == b"here"
    assert time.monotonic() - started < 2
    runner.join()


def test_a_client_that_hangs_up_does_not_stop_its_program(session: Client) -> None:
    session.run("done = False")
    impatient = session.another(session.identifier)
    try:
        impatient.request("POST", impatient.target("executions"),
                          b'{"code":"import time; time.sleep(1); done = True"}', timeout_s=0.2)
    except OSError:
        pass
    impatient.close()
    assert session.execute("done").value == "True"


def test_deleting_a_session_ends_its_running_program(session: Client) -> None:
    answers = []
    runner = threading.Thread(target=lambda: answers.append(
        session.another(session.identifier).request("POST", session.target("executions"),
                                                    b'{"code":"import time; time.sleep(100)"}')))
    runner.start()
    time.sleep(0.5)
    started = time.monotonic()
    assert session.delete_session().status == 204
    runner.join(10)
    assert not runner.is_alive() and time.monotonic() - started < 10
    assert answers, "the parked request got no answer"
    assert session.file_names() == []


def test_two_hundred_sessions_leave_nothing(make_daemon: MakeDaemon) -> None:
    daemon = make_daemon(scale(20, 0))

    def cycle() -> None:
        with daemon.client() as client:
            client.upload("f", b"x")
            client.run("import subprocess\nsubprocess.run('true')\nopen('/tmp/x', 'w').close()")
            assert client.delete_session().status == 204

    def state() -> tuple[list[str], dict[str, int | None]]:
        processes = daemon.processes()
        return (sorted(process.name for process in processes),
                {f"{process.name} {process.pid}": descriptor_count(process.pid) for process in processes})

    for _ in range(20):
        cycle()
    assert wait_until(lambda: shells(daemon) == 0)
    time.sleep(0.5)
    before = state()
    for _ in range(200):
        cycle()
    assert wait_until(lambda: state() == before, 15), f"before: {before}\nafter: {state()}"
