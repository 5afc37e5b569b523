"""Which processes of a running daemon are behind system-call filters, from the kernel's own answers. What the
filters refuse: tests/unit/test_filters.c."""
from __future__ import annotations

from pathlib import Path

from support.client import Client
from support.daemon import Daemon
from support.processes import Process


def require_filters(process: Process, count: int) -> None:
    lines = Path(f"/proc/{process.pid}/status").read_text().splitlines()
    status = {name: value.strip() for name, _, value in (line.partition(":") for line in lines)}
    found = (status["Seccomp"], status["Seccomp_filters"], status["NoNewPrivs"])
    assert found == ("2", str(count), "1"), process.name


def test_the_front_has_a_filter_of_its_own(shared_daemon: Daemon) -> None:
    front, = shared_daemon.named("sandboxd-front")
    require_filters(front, 1)


def test_pid_1_of_each_session_has_a_filter_of_its_own(shared_daemon: Daemon, session: Client) -> None:
    session.run("pass")
    shells = shared_daemon.named("sandboxd-session")
    assert shells
    for shell in shells:
        require_filters(shell, 1)


def test_every_interpreter_has_the_filter_of_its_policy(shared_daemon: Daemon, session: Client) -> None:
    session.run("pass")
    interpreters = shared_daemon.interpreters()
    assert interpreters
    for interpreter in interpreters:
        require_filters(interpreter, 1)
