"""Where interpreters come from: what a zygote that is worn, dead or silent means for sessions."""
from __future__ import annotations

import os
import signal

from conftest import MakeDaemon
from support.daemon import Daemon, scale
from support.processes import Process, wait_until

RECOVERY_S = 60  # a deadline of the daemon's, and the imports of another zygote on a busy machine


def the_zygote(daemon: Daemon, but: Process | None = None) -> Process:
    """The only one, once there is only one and it is another than that."""
    def is_alone() -> bool:
        found = daemon.zygotes()
        return len(found) == 1 and found[0] != but
    assert wait_until(is_alone, RECOVERY_S), f"zygotes: {daemon.zygotes()}\n{daemon.log_tail()}"
    return daemon.zygotes()[0]


def stop(process: Process) -> None:
    os.kill(process.pid, signal.SIGSTOP)


def test_kill_9_of_the_zygote(make_daemon: MakeDaemon) -> None:
    daemon = make_daemon(scale(5, 0), start="fork")
    with daemon.client() as client, daemon.client() as other:
        client.run("kept = 7")
        os.kill(the_zygote(daemon).pid, signal.SIGKILL)
        assert client.execute("kept").value == 7
        assert other.eventually("1 + 1", 2, RECOVERY_S)


def test_a_zygote_that_dies_unnoticed_does_not_end_the_daemon(make_daemon: MakeDaemon) -> None:
    """The broker finds out by asking it for a session."""
    daemon = make_daemon(scale(5, 1), start="fork")
    zygote = None
    with daemon.client() as client, daemon.client() as other:
        client.run("kept = 7")
        for _ in range(2):
            # A ready session may have answered before the next zygote has even been executed.
            zygote = the_zygote(daemon, but=zygote)
            os.kill(daemon.pid, signal.SIGSTOP)
            os.kill(zygote.pid, signal.SIGKILL)
            os.kill(daemon.pid, signal.SIGCONT)
            assert other.eventually("1 + 1", 2, RECOVERY_S)
            other.delete_session()
        assert client.execute("kept").value == 7


def test_a_zygote_that_was_forked_often_is_replaced(make_daemon: MakeDaemon) -> None:
    daemon = make_daemon(scale(10, 0), start="fork", arguments=["--zygote-sessions", "3"])
    first = the_zygote(daemon)
    with daemon.client() as early, daemon.client() as later:
        early.run("kept = 7")
        for _ in range(3):
            with daemon.client() as client:
                client.run("pass")
                client.delete_session()
        second = the_zygote(daemon, but=first)
        later.run("kept = 8")
        assert (early.execute("kept").value, later.execute("kept").value) == (7, 8)
        assert the_zygote(daemon) == second


def test_sessions_start_while_zygotes_are_replaced(make_daemon: MakeDaemon) -> None:
    """Each of these finds one that is worn, and none waits for the next."""
    daemon = make_daemon(scale(10, 0), start="fork", arguments=["--zygote-sessions", "1"])
    for number in range(20):
        with daemon.client() as client:
            assert client.execute(f"{number}").value == number
            client.delete_session()
    the_zygote(daemon)


def test_a_zygote_that_does_not_answer_is_replaced(make_daemon: MakeDaemon) -> None:
    daemon = make_daemon(scale(5, 0), start="fork")
    with daemon.client() as client, daemon.client() as other:
        client.run("kept = 7")
        silent = the_zygote(daemon)
        stop(silent)
        assert other.execute("1 + 1").value == 2
        assert client.execute("kept").value == 7
        assert the_zygote(daemon) != silent


def test_a_shell_that_does_not_answer_holds_up_no_new_front(make_daemon: MakeDaemon) -> None:
    daemon = make_daemon(scale(5, 0), start="fork")
    with daemon.client() as silent, daemon.client() as other:
        silent.run("kept = 6")
        shell, = daemon.named("sandboxd-session")
        other.run("kept = 7")
        stop(shell)
        front, = daemon.named("sandboxd-front")
        os.kill(front.pid, signal.SIGKILL)
        assert other.eventually("kept", 7, RECOVERY_S)
        assert silent.eventually("'kept' in globals()", "False", RECOVERY_S)
        assert not shell.is_alive()


def test_a_shell_that_does_not_answer_about_files_is_ended_with_its_session(make_daemon: MakeDaemon) -> None:
    daemon = make_daemon(scale(5, 0), start="fork")
    with daemon.client() as client, daemon.client() as other:
        client.run("kept = 6")
        shell, = daemon.named("sandboxd-session")
        other.run("kept = 7")
        stop(shell)
        answer = client.request("GET", client.target("files"))
        assert answer.status == 503 and answer.json["error"]["code"] == "ServiceUnavailable"
        assert "did not answer in time and was removed" in answer.json["error"]["message"]
        assert wait_until(lambda: not shell.is_alive(), RECOVERY_S)
        assert client.execute("'kept' in globals()").value == "False"
        assert other.execute("kept").value == 7 and other.file_names() == []


def test_a_shell_that_does_not_kill_is_ended_with_its_session(make_daemon: MakeDaemon) -> None:
    daemon = make_daemon(scale(5, 0), start="fork")
    with daemon.client() as client, daemon.client() as other:
        other.run("kept = 7")
        earlier = daemon.named("sandboxd-session")
        client.run("kept = 6")
        shell, = (found for found in daemon.named("sandboxd-session") if found not in earlier)
        stop(shell)
        execution = client.execute("import os; os._exit(1)", timeout_s=30)
        assert not execution.succeeded
        assert client.eventually("'kept' in globals()", "False", RECOVERY_S)
        assert not shell.is_alive()
        assert other.execute("kept").value == 7
