"""What each process of a running daemon still holds, read from outside."""
from __future__ import annotations

import os
from pathlib import Path

import pytest

from support.daemon import Daemon
from support.client import Client
from support.processes import Process


CAP_DAC_OVERRIDE = 1 << 1


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
    for name in ("CapInh", "CapPrm", "CapEff", "CapBnd", "CapAmb"):
        assert int(status[name], 16) == 0, name
    assert status["NoNewPrivs"] == "1" and "0" not in status["Uid"].split()
    listing = os.listdir(f"/proc/{front.pid}/root")
    assert not {"etc", "usr", "root", "home"} & set(listing), listing


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
