"""What each process of a running daemon still holds, read from outside."""
from __future__ import annotations

import os
import subprocess
import sys
import threading
from pathlib import Path

import pytest

from conftest import MakeDaemon
from support.daemon import Daemon
from support.client import Client
from support.processes import Process, wait_until

CAP_DAC_OVERRIDE = 1 << 1
CAP_KILL, CAP_SETGID, CAP_SETUID, CAP_SETPCAP = 1 << 5, 1 << 6, 1 << 7, 1 << 8
CAPABILITY_SETS = ("CapInh", "CapPrm", "CapEff", "CapBnd", "CapAmb")
NEIGHBOUR = Path(__file__).parents[1] / "support" / "neighbour.py"
# Becomes the daemon, with things that are its starter's own.
STARTER = ["setpriv", "--groups", "4711", "bash", "-c",
           'exec 40</etc/passwd; export SANDPOOL_TEST_WORD=starter; exec "$@"', "bash"]


def status_of(pid: int) -> dict[str, str]:
    lines = Path(f"/proc/{pid}/status").read_text().splitlines()
    return {name: value.strip() for name, _, value in (line.partition(":") for line in lines)}


def namespace_of(process: Process, kind: str) -> str | None:
    """None for a process that has just ended."""
    try:
        return os.readlink(f"/proc/{process.pid}/ns/{kind}")
    except (FileNotFoundError, ProcessLookupError):
        return None


def test_only_the_janitor_is_root_on_the_machine(shared_daemon: Daemon, session: Client) -> None:
    """Every other process has ids of the daemon's own range and power over its own namespaces only."""
    session.run("pass")
    outside = os.readlink("/proc/self/ns/user")
    for process in shared_daemon.processes():
        try:
            status = status_of(process.pid)
        except (FileNotFoundError, ProcessLookupError):
            continue
        if "0" in status["Uid"].split():
            assert process.name == "sandboxd-janito"
            assert int(status["CapEff"], 16) == int(status["CapBnd"], 16) | CAP_DAC_OVERRIDE == CAP_DAC_OVERRIDE
            assert status["Seccomp"] == "2" and status["NoNewPrivs"] == "1"
        elif int(status["CapEff"], 16):
            assert namespace_of(process, "user") != outside, f"{process.name} has power over the machine"


def test_the_front_holds_nothing(shared_daemon: Daemon) -> None:
    front, = shared_daemon.named("sandboxd-front")
    status = status_of(front.pid)
    for name in CAPABILITY_SETS:
        assert int(status[name], 16) == 0, name
    assert status["NoNewPrivs"] == "1" and "0" not in status["Uid"].split()
    listing = os.listdir(f"/proc/{front.pid}/root")
    assert not {"etc", "usr", "root", "home"} & set(listing), listing


def test_the_front_has_an_id_and_namespaces_of_its_own(shared_daemon: Daemon) -> None:
    front, = shared_daemon.named("sandboxd-front")
    broker = status_of(shared_daemon.pid)
    assert not set(status_of(front.pid)["Uid"].split()) & set(broker["Uid"].split())
    for kind in ("mnt", "net", "ipc"):
        assert namespace_of(front, kind) not in (os.readlink(f"/proc/self/ns/{kind}"),
                                                 os.readlink(f"/proc/{shared_daemon.pid}/ns/{kind}")), kind


def test_pid_1_of_a_session_keeps_what_it_needs_for_its_guests_only(shared_daemon: Daemon, session: Client) -> None:
    session.run("pass")
    needed = CAP_KILL | CAP_SETGID | CAP_SETUID | CAP_SETPCAP
    for shell in shared_daemon.named("sandboxd-session"):
        assert wait_until(lambda: int(status_of(shell.pid)["CapPrm"], 16) == needed), status_of(shell.pid)
        assert int(status_of(shell.pid)["CapEff"], 16) == needed


def test_a_file_helper_has_no_capability_and_a_filter_of_its_own(shared_daemon: Daemon, session: Client) -> None:
    """Beside those of the broker and of PID 1. Long listings hold one up."""
    session.run("for i in range(15000):\n    open(f'/mnt/data/{i:05}', 'w').close()")
    seen: list[dict[str, str]] = []
    done = threading.Event()

    def list_files() -> None:
        with session.another(session.identifier) as client:
            while not done.is_set():
                client.request("GET", client.target("files"))

    def is_locked_down() -> bool:
        for process in shared_daemon.named("sandboxd-session"):
            try:
                status = status_of(process.pid)
            except (FileNotFoundError, ProcessLookupError):
                continue
            if status["NSpid"].split()[-1] != "1":
                seen.append(status)
        return any(status["Seccomp_filters"] == "3" and status["NoNewPrivs"] == "1"
                   and not any(int(status[name], 16) for name in CAPABILITY_SETS) for status in seen)

    listing = threading.Thread(target=list_files)
    listing.start()
    try:
        assert wait_until(is_locked_down), seen[-1:]
    finally:
        done.set()
        listing.join()


def test_nobody_makes_user_namespaces_in_a_session(shared_daemon: Daemon, session: Client) -> None:
    """Not even a process in its namespaces that no filter holds."""
    session.run("pass")
    for shell in shared_daemon.named("sandboxd-session"):
        enter = ["nsenter", "--target", str(shell.pid), "--user", "--setuid", "1000", "--setgid", "1000"]
        done = subprocess.run([*enter, "unshare", "--user", "true"], capture_output=True, text=True)
        assert done.returncode != 0 and "No space left on device" in done.stderr


def test_the_memory_of_the_daemon_s_processes_is_closed_to_others_with_their_id(shared_daemon: Daemon,
                                                                                session: Client) -> None:
    """A program that a guest has started is open to them: so it would be seen."""
    def answer(process: Process) -> str:
        return subprocess.run([sys.executable, NEIGHBOUR, str(process.pid)], capture_output=True, text=True,
                              check=True).stdout.strip()

    session.run("import subprocess; child = subprocess.Popen(['sleep', '50'])")
    processes = shared_daemon.processes()
    assert {answer(process) for process in processes if process.name == "sleep"} == {"open"}
    for process in processes:
        if process.name != "sleep":
            assert wait_until(lambda: not process.is_alive() or answer(process) == "closed"), process
    session.run("child.kill()")


def test_no_process_of_the_daemon_leaves_a_core_file(shared_daemon: Daemon, session: Client) -> None:
    """One byte, since the kernel would start a program that takes core files for a limit of none."""
    def limit(process: Process) -> list[str]:
        try:
            lines = Path(f"/proc/{process.pid}/limits").read_text().splitlines()
        except (FileNotFoundError, ProcessLookupError):
            return ["1", "1"]
        return next(line.split()[4:6] for line in lines if line.startswith("Max core file size"))

    session.run("pass")
    for process in shared_daemon.processes():
        assert wait_until(lambda: limit(process) == ["1", "1"]), (process, limit(process))


def test_nothing_of_the_one_who_starts_it_gets_into_its_processes(make_daemon: MakeDaemon) -> None:
    """The janitor is a fork of the program that was started: it keeps that one's memory and groups, and no
    descriptor."""
    daemon = make_daemon({"scaleConfiguration": {"maxConcurrentSessions": 2, "readySessionInstances": 0}}, wrapper=STARTER)
    with daemon.client() as client:
        client.run("import subprocess; child = subprocess.Popen(['sleep', '50'])")
        processes = daemon.processes()
        for process in processes:
            links = [os.readlink(link) for link in Path(f"/proc/{process.pid}/fd").iterdir()]
            assert "/etc/passwd" not in links, process
            if process.name != "sandboxd-janito":
                assert b"SANDPOOL_TEST_WORD" not in Path(f"/proc/{process.pid}/environ").read_bytes(), process
                assert status_of(process.pid)["Groups"] == "", process
        assert {"sandboxd-broker", "sandboxd-front", "sandboxd-sessio", "sandboxd-worker", "sleep"} <= \
            {process.name for process in processes}


@pytest.mark.parametrize("kind", ["user", "pid", "mnt", "net", "ipc", "uts", "cgroup"])
def test_a_session_shares_no_namespace(shared_daemon: Daemon, session: Client, kind: str) -> None:
    session.run("pass")
    outside = os.readlink(f"/proc/self/ns/{kind}")
    found = [name for shell in shared_daemon.named("sandboxd-session") if (name := namespace_of(shell, kind))]
    assert found and outside not in found and len(set(found)) == len(found)


def test_each_session_has_ids_of_its_own(shared_daemon: Daemon, session: Client) -> None:
    with session.another() as other:
        session.run("import subprocess; child = subprocess.Popen(['sleep', '50'])")
        other.run("import subprocess; child = subprocess.Popen(['sleep', '50'])")
        owners = [status_of(process.pid)["Uid"].split()[0] for process in shared_daemon.processes()
                  if process.name == "sleep"]
        other.delete_session()
    assert len(owners) == 2 and len(set(owners)) == 2 and not {"0", "1000", "65534"} & set(owners)
