"""A sandboxd of a test's own: started, waited for, stopped, and looked after."""
from __future__ import annotations

import json
import os
import signal
import socket
import subprocess
import time
from pathlib import Path
from typing import Any, Sequence

import pytest

from support.account import Account, account_of_this_run
from support.client import Client
from support.patience import SLOWNESS
from support.processes import (Process, cgroup_directories, children_named, descendants, mounts,
                               pid_namespace, wait_until)

TREE = Path(__file__).resolve().parents[2]
BUILD = Path(os.environ.get("SANDPOOL_BUILD", TREE / "build")).resolve()

START_DEADLINE_S = 60 * SLOWNESS  # the zygote's imports on a slow machine
STOP_DEADLINE_S = 20

# How pools start interpreters when a test does not say: "fork", or "exec", without modules imported ahead
# because every session waits for that.
START = os.environ.get("SANDPOOL_TEST_START", "fork")


def pool_document(properties: dict[str, Any] | None = None, api: dict[str, Any] | None = None,
                  **sandpool: Any) -> dict[str, Any]:
    """A configuration with the one pool "default", and the settings of the API if any."""
    pool: dict[str, Any] = {"name": "default"}
    if properties:
        pool["properties"] = properties
    if START == "exec" and "start" not in sandpool:
        sandpool = {"start": "exec", "preload": False, **sandpool}
    if sandpool:
        pool["sandpool"] = sandpool
    return {"pools": [pool], "api": api} if api else {"pools": [pool]}


def scale(most: int, ready: int) -> dict[str, Any]:
    return {"scaleConfiguration": {"maxConcurrentSessions": most, "readySessionInstances": ready}}


def inode_of(path: Path) -> int:
    """0 for what does not exist."""
    try:
        return path.stat().st_ino
    except FileNotFoundError:
        return 0


def free_port() -> int:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return probe.getsockname()[1]


def require_daemon() -> None:
    """Skips by name where a daemon cannot run."""
    if not (BUILD / "bin" / "sandboxd").exists():
        pytest.skip(f"{BUILD}/bin/sandboxd is not built (scripts/build)")
    if os.geteuid() != 0:
        pytest.skip("sandboxd needs root")


class Daemon:
    """One running sandboxd. Ends with stop(), which checks that nothing is left of it."""

    def __init__(self, directory: Path, configuration: dict[str, Any] | None = None,
                 arguments: Sequence[str] = (), wrapper: Sequence[str] = (),
                 account: Account | None = None) -> None:
        self.account = account or account_of_this_run()
        self.account.adopt(directory)
        self.directory = directory
        self.arguments = [*arguments, *self.account.arguments]
        self.wrapper = wrapper  # a command that becomes the daemon: support/lacking.py
        self.state_directory = directory / "state"
        self.log_path = directory / "sandboxd.log"
        self.configuration_path: Path | None = None
        if configuration is not None:
            self.configuration_path = directory / "config.json"
            self.configuration_path.write_text(json.dumps(configuration))
        self.port = self.https_port = 0
        self.mounts_before = mounts()
        self.process: subprocess.Popen[bytes] | None = None
        self.start()

    def start(self) -> None:
        self.port, self.https_port = free_port(), free_port()
        command = [*self.wrapper, *self.account.wrapper(), str(BUILD / "bin" / "sandboxd"), "--listen", f"127.0.0.1:{self.port}",
                   "--listen-https", f"127.0.0.1:{self.https_port}",
                   "--state-dir", str(self.state_directory), *self.arguments]
        if self.configuration_path is not None:
            command += ["--config", str(self.configuration_path)]
        with self.log_path.open("ab") as log:
            self.process = subprocess.Popen(command, stdin=subprocess.DEVNULL, stdout=log,
                                            stderr=log)
        try:
            self._wait_for_health()
        except BaseException:
            self.process.kill()
            self.process.wait()
            raise

    def _wait_for_health(self) -> None:
        assert self.process is not None
        deadline = time.monotonic() + START_DEADLINE_S
        while True:
            assert self.process.poll() is None, \
                f"sandboxd ended with status {self.process.returncode}:\n{self.log_tail()}"
            assert time.monotonic() < deadline, f"sandboxd is not healthy:\n{self.log_tail()}"
            try:
                with Client(self.port) as client:
                    if client.request("GET", "/health", timeout_s=5 * SLOWNESS).status == 200:
                        return
            except OSError:
                pass
            time.sleep(0.05)

    @property
    def pid(self) -> int:
        assert self.process is not None
        return self.process.pid

    def processes(self) -> list[Process]:
        return descendants(self.pid)

    def named(self, name: str) -> list[Process]:
        return children_named(self.pid, name)

    def _workers(self, zygotes: bool) -> list[Process]:
        """A zygote lives in the daemon's own pid namespace, an interpreter in its session's."""
        own, found = pid_namespace(self.pid), []
        for worker in self.named("sandboxd-worker"):
            namespace = pid_namespace(worker.pid)
            if namespace and (namespace == own) == zygotes:
                found.append(worker)
        return found

    def zygotes(self) -> list[Process]:
        return self._workers(True)

    def interpreters(self) -> list[Process]:
        return self._workers(False)

    def log_tail(self, lines: int = 30) -> str:
        return "\n".join(self.log_path.read_text(errors="replace").splitlines()[-lines:])

    def client(self, identifier: str | None = None) -> Client:
        return Client(self.port, identifier)

    # ---- the end ----

    def footprint(self) -> tuple[list[Process], set[tuple[Path, int]]]:
        """Its processes, and the cgroups that are theirs but not ours, with their inodes: the next daemon of
        the machine may take the same name."""
        processes = self.processes()
        directories: set[Path] = set()
        for process in processes:
            try:
                directories |= cgroup_directories(process.pid)
            except (FileNotFoundError, ProcessLookupError):
                continue
        own = directories - cgroup_directories(os.getpid()) - self.account.directories
        return processes, {(directory, inode_of(directory)) for directory in own}

    def leftovers(self, processes: list[Process], directories: set[tuple[Path, int]]) -> list[str]:
        left = [f"process {process.pid} ({process.name})" for process in processes
                if process.is_alive()]
        left += [f"cgroup {directory}" for directory, inode in sorted(directories)
                 if inode_of(directory) == inode]
        # Only more mounts are a leak: somebody else may have taken one away meanwhile.
        left += [f"mount {line}" for line in mounts()
                 if line not in self.mounts_before and str(self.directory) in line]
        return left

    def end(self, with_signal: int) -> int:
        """Sends the signal, waits, and checks that nothing is left. Returns the exit status."""
        assert self.process is not None
        processes, directories = self.footprint()
        self.process.send_signal(with_signal)
        try:
            status = self.process.wait(STOP_DEADLINE_S * SLOWNESS)
        except subprocess.TimeoutExpired:
            self.process.kill()
            self.process.wait()
            pytest.fail(f"sandboxd did not stop within {STOP_DEADLINE_S} s:\n{self.log_tail()}")
        self.process = None
        self.account.trim()
        gone = wait_until(lambda: not self.leftovers(processes, directories), STOP_DEADLINE_S)
        assert gone, "left behind: " + ", ".join(self.leftovers(processes, directories))
        return status

    def stop(self) -> None:
        if self.process is not None:
            status = self.end(signal.SIGTERM)
            assert status == 0, f"sandboxd stopped with status {status}:\n{self.log_tail()}"
