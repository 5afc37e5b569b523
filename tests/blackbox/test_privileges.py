"""What each process of a running daemon still holds, read from outside."""
from __future__ import annotations

import os
from pathlib import Path

import pytest

from support.daemon import Daemon
from support.client import Client


def status_of(pid: int) -> dict[str, str]:
    lines = Path(f"/proc/{pid}/status").read_text().splitlines()
    return {name: value.strip() for name, _, value in (line.partition(":") for line in lines)}


def test_nothing_holds_the_machines_root(shared_daemon: Daemon, session: Client) -> None:
    """Every id is from the daemon's own range; the only exception may hold no capability at all."""
    session.run("pass")
    for process in shared_daemon.processes():
        status = status_of(process.pid)
        ids = {int(number) for number in status["Uid"].split()}
        user_namespace = os.readlink(f"/proc/{process.pid}/ns/user")
        if 0 in ids:
            assert int(status["CapEff"], 16) == int(status["CapPrm"], 16) == 0, \
                f"{process.name} is root with capabilities"
            assert status["Seccomp"] == "2" and status["NoNewPrivs"] == "1", process.name
        elif int(status["CapEff"], 16):
            assert user_namespace != os.readlink("/proc/self/ns/user"), \
                f"{process.name} has capabilities on the machine"


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
    found = [os.readlink(f"/proc/{shell.pid}/ns/{kind}") for shell in shared_daemon.named("sandboxd-session")]
    assert found and outside not in found and len(set(found)) == len(found)


def test_each_session_has_ids_of_its_own(shared_daemon: Daemon, session: Client) -> None:
    with session.another() as other:
        session.run("import subprocess; child = subprocess.Popen(['sleep', '50'])")
        other.run("import subprocess; child = subprocess.Popen(['sleep', '50'])")
        owners = [status_of(process.pid)["Uid"].split()[0] for process in shared_daemon.processes()
                  if process.name == "sleep"]
        other.delete_session()
    assert len(owners) == 2 and len(set(owners)) == 2 and not {"0", "1000", "65534"} & set(owners)
