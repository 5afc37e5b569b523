"""What a session does not reach even when it is in its namespaces: another process is put there from outside."""
from __future__ import annotations

import ctypes
import os
import signal
import subprocess
import sys
from pathlib import Path
from typing import Iterator

import pytest

from support.client import Client
from support.daemon import Daemon
from support.processes import Process, children_named, wait_until

ABSTRACT_NAME = "sandpool-test-outsider"
LISTENER = f"""
import socket, time
listener = socket.socket(socket.AF_UNIX)
listener.bind("\\0{ABSTRACT_NAME}")
listener.listen()
print("ready", flush=True)
time.sleep(60)
"""
CONNECT = f"""
import socket
try:
    socket.socket(socket.AF_UNIX).connect("\\0{ABSTRACT_NAME}")
    print("connected")
except OSError as error:
    print(error.errno)
"""
SIGNAL = """
import os
os.kill(child.pid, 0)
try:
    os.kill({pid}, 0)
    print("sent")
except OSError as error:
    print(error.errno)
"""
WRITE = """
try:
    open("/usr/share/written", "w")
    print("written")
except OSError as error:
    print(error.errno)
"""
EPERM, EACCES = 1, 13
FIRST_WITH_SCOPES = 6  # what reaches out of a Landlock domain: signals and abstract sockets


def landlock_version() -> int:
    """Of this machine's kernel."""
    SYS_LANDLOCK_CREATE_RULESET, VERSION = 444, 1
    return ctypes.CDLL(None).syscall(SYS_LANDLOCK_CREATE_RULESET, None, 0, VERSION)


needs_scopes = pytest.mark.skipif(
    landlock_version() < FIRST_WITH_SCOPES,
    reason=f"the kernel's Landlock has version {landlock_version()}, scopes are in {FIRST_WITH_SCOPES}")


def inner_pid(pid: int) -> str:
    """Its number in the innermost pid namespace; empty for one that has ended."""
    try:
        lines = Path(f"/proc/{pid}/status").read_text().splitlines()
    except (FileNotFoundError, ProcessLookupError):
        return ""
    return next(line for line in lines if line.startswith("NSpid")).split()[-1]


@pytest.fixture
def guest_pid(shared_daemon: Daemon, session: Client) -> int:
    """A process of the session as the machine numbers it."""
    if os.geteuid() != 0:
        pytest.skip("entering the namespaces of a session needs root")
    inside = session.run("import subprocess; child = subprocess.Popen(['sleep', '60']); print(child.pid)").strip()
    return next(process.pid for process in shared_daemon.processes()
                if process.name == "sleep" and inner_pid(process.pid) == inside)


@pytest.fixture
def outsider(guest_pid: int) -> Iterator[subprocess.Popen[str]]:
    """Listens on an abstract name in the session's network namespace."""
    with subprocess.Popen(["nsenter", "--target", str(guest_pid), "--net", sys.executable, "-c", LISTENER],
                          stdout=subprocess.PIPE, text=True) as process:
        assert process.stdout is not None and process.stdout.readline() == "ready\n"
        yield process
        process.kill()


def test_a_writable_mount_where_the_image_is_stays_read_only(session: Client, guest_pid: int) -> None:
    """The mount would let anybody write."""
    subprocess.run(["nsenter", "--target", str(guest_pid), "--mount", "mount", "-t", "tmpfs", "-o", "mode=1777",
                    "tmpfs", "/usr/share"], check=True)
    assert session.run(WRITE).strip() == str(EACCES)


@needs_scopes
def test_an_abstract_socket_of_an_outsider_is_out_of_reach(session: Client, outsider: subprocess.Popen[str]) -> None:
    assert session.run(CONNECT).strip() == str(EPERM)


@needs_scopes
def test_an_outsider_with_the_same_id_gets_no_signal(session: Client, guest_pid: int) -> None:
    """The id alone would allow it."""
    enter = ["nsenter", "--target", str(guest_pid), "--user", "--pid", "--setuid", "1000", "--setgid", "1000"]
    with subprocess.Popen([*enter, "sleep", "60"]) as process:
        found: list[Process] = []
        assert wait_until(lambda: bool(found.extend(children_named(process.pid, "sleep")) or found))
        outsider = found[0]
        answer = session.run(SIGNAL.format(pid=inner_pid(outsider.pid))).strip()
        process.kill()
        os.kill(outsider.pid, signal.SIGKILL)
    assert answer == str(EPERM)
