"""Which processes of a running daemon are behind system-call filters, from the kernel's own answers. What the
filters refuse: tests/unit/test_filters.c."""
from __future__ import annotations

from pathlib import Path

from support.client import Client
from support.daemon import Daemon
from support.processes import Process, wait_until


def filters_of(process: Process) -> tuple[str, str, str] | None:
    """Mode, number and no_new_privs; None when it has ended."""
    try:
        lines = Path(f"/proc/{process.pid}/status").read_text().splitlines()
    except (FileNotFoundError, ProcessLookupError):
        return None
    status = {name: value.strip() for name, _, value in (line.partition(":") for line in lines)}
    return status["Seccomp"], status["Seccomp_filters"], status["NoNewPrivs"]


def require_filters(process: Process, count: int) -> None:
    """Ready instances are made all the time: one of them may not have got so far."""
    assert wait_until(lambda: filters_of(process) in (None, ("2", str(count), "1"))), \
        f"{process.name}: {filters_of(process)}"


def test_every_process_from_the_broker_down_has_the_filter_of_the_broker(shared_daemon: Daemon, session: Client) -> None:
    """And another of its own. The janitor is beside the broker, with one of its own; a zygote has no other."""
    session.run("import subprocess; child = subprocess.Popen(['sleep', '20'])")
    zygotes, processes = shared_daemon.zygotes(), shared_daemon.processes()
    for process in processes:
        alone = process in zygotes or process.pid == shared_daemon.pid or process.name == "sandboxd-janito"
        require_filters(process, 1 if alone else 2)
    session.run("child.kill()")
    assert {"sandboxd-janito", "sandboxd-front", "sandboxd-sessio", "sandboxd-worker", "sleep"} <= \
        {process.name for process in processes}


def test_pid_1_of_each_session_has_a_filter_of_its_own(shared_daemon: Daemon, session: Client) -> None:
    session.run("pass")
    shells = shared_daemon.named("sandboxd-session")
    assert shells
    for shell in shells:
        require_filters(shell, 2)
