"""What the kernel knows about a daemon: its processes, descriptors, cgroups and mounts."""
from __future__ import annotations

import os
import time
from pathlib import Path
from typing import Callable, NamedTuple

from support.patience import SLOWNESS

CGROUP_ROOTS = Path("/sys/fs/cgroup")


class Process(NamedTuple):
    """A process that cannot be mistaken for a later one with the same number."""

    pid: int
    started: int
    name: str

    def is_alive(self) -> bool:
        now = read_process(self.pid)
        return now is not None and now.started == self.started


def read_process(pid: int) -> Process | None:
    """None when there is none, or only a zombie of it."""
    try:
        text = Path(f"/proc/{pid}/stat").read_text()
    except (FileNotFoundError, ProcessLookupError):
        return None
    name = text[text.index("(") + 1:text.rindex(")")]
    fields = text[text.rindex(")") + 2:].split()
    return None if fields[0] in "ZX" else Process(pid, int(fields[19]), name)


def _parents() -> dict[int, int]:
    parents = {}
    for entry in os.listdir("/proc"):
        if entry.isdigit():
            try:
                text = Path(f"/proc/{entry}/stat").read_text()
            except (FileNotFoundError, ProcessLookupError):
                continue
            parents[int(entry)] = int(text[text.rindex(")") + 2:].split()[1])
    return parents


def descendants(pid: int) -> list[Process]:
    """The process and everything below it."""
    parents = _parents()
    members = {pid}
    grew = True
    while grew:
        found = {child for child, parent in parents.items() if parent in members}
        grew = not found <= members
        members |= found
    return [process for member in sorted(members) if (process := read_process(member))]


def children_named(pid: int, name: str) -> list[Process]:
    """Kernel names are cut at 15 bytes."""
    return [process for process in descendants(pid) if process.name == name[:15]]


def pid_namespace(pid: int) -> str | None:
    """None when the process has ended."""
    try:
        return os.readlink(f"/proc/{pid}/ns/pid")
    except (FileNotFoundError, ProcessLookupError):
        return None


def descriptor_count(pid: int) -> int | None:
    """None when the process has ended."""
    try:
        return len(os.listdir(f"/proc/{pid}/fd"))
    except (FileNotFoundError, ProcessLookupError):
        return None


def cgroup_directories(pid: int) -> set[Path]:
    """The directories of the process in every hierarchy that is mounted in the usual place."""
    directories = set()
    for line in Path(f"/proc/{pid}/cgroup").read_text().splitlines():
        _, controllers, path = line.split(":", 2)
        name = controllers.removeprefix("name=") or "unified"
        for root in (CGROUP_ROOTS / name, CGROUP_ROOTS):
            directory = root / path.lstrip("/")
            if path != "/" and directory.is_dir():
                directories.add(directory)
    return directories


def all_cgroups() -> set[Path]:
    """Those of every sandboxd on the machine, as far as they can be seen."""
    return {path for path in Path("/sys/fs/cgroup").rglob("sandpool-*") if path.is_dir()}


def abandoned_cgroups() -> set[Path]:
    """Those in which no daemon lives: other tests run their own beside this one."""
    abandoned = set()
    for path in all_cgroups():
        try:
            if not (path / "broker" / "cgroup.procs").read_text():
                abandoned.add(path)
        except OSError:
            continue
    return abandoned


def mounts() -> list[str]:
    return Path("/proc/self/mountinfo").read_text().splitlines()


def wait_until(condition: Callable[[], bool], timeout_s: float = 10.0) -> bool:
    """True as soon as the condition holds; False when it never did."""
    deadline = time.monotonic() + timeout_s * SLOWNESS
    while not condition():
        if time.monotonic() > deadline:
            return False
        time.sleep(0.02)
    return True
