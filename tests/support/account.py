"""Who starts the daemon of a test: root, or an ordinary user made for this run of the tests.

The variable SANDPOOL_TEST_AS says it for a whole run: "root", "subids" (a user with a range of subordinate
ids) or "single" (a user without one). Each of the user's daemons has a part of the cgroup tree that root has
delegated to him: in version 2, one in which a daemon has made cgroups takes no second one in.
"""
from __future__ import annotations

import atexit
import os
import subprocess
from functools import cache
from itertools import count
from pathlib import Path

from support.processes import CGROUP_ROOTS, cgroup_directories

CONTROLLERS = ("memory", "pids", "cpu")

# Beyond what accounts and the daemon's own ranges use; a run of the tests takes one slice.
FIRST_SUBORDINATE_ID, SUBORDINATE_IDS = 2_000_000_000, 65536

# Root's last steps: into the directories named first, up to "--", then another id, and the daemon.
BECOME = """
user=$1; shift
while [ "$1" != -- ]; do echo $$ >"$1/cgroup.procs"; shift; done; shift
exec setpriv --reuid "$user" --regid "$user" --init-groups env -i PATH="$PATH" HOME=/nonexistent "$@"
"""


class Account:
    """Root itself; the daemon is started as it is."""

    arguments: list[str] = []
    directories: set[Path] = set()

    def wrapper(self) -> list[str]:
        return []

    def adopt(self, directory: Path) -> None:
        """Lets the daemon keep its files there."""

    def trim(self) -> None:
        """The daemon has gone."""


def _own_directories() -> list[Path]:
    """Ours in each hierarchy that limits sessions; the root of the tree for v2."""
    v2 = CGROUP_ROOTS / "cgroup.controllers"
    if v2.exists() and set(CONTROLLERS) <= set(v2.read_text().split()):
        return [CGROUP_ROOTS]
    own = cgroup_directories(os.getpid())
    return [next((path for path in own if path.is_relative_to(CGROUP_ROOTS / name)), CGROUP_ROOTS / name)
            for name in CONTROLLERS]


class Ordinary(Account):
    """An account without a home directory, removed at the end."""

    numbers = count()

    def __init__(self, has_range: bool, has_cgroups: bool = True) -> None:
        number = os.getpid() % 250 * 4 + next(self.numbers) % 4
        self.name = f"sandpool-test-{number}"
        self.arguments = [] if has_range else ["--allow-missing", "ids"]
        subprocess.run(["useradd", "--system", "--no-create-home", "--home-dir", "/nonexistent", "--shell",
                        "/usr/sbin/nologin", "--user-group", self.name], check=True)
        atexit.register(self._remove)
        if has_range:
            first = FIRST_SUBORDINATE_ID + number * SUBORDINATE_IDS
            given = f"{first}-{first + SUBORDINATE_IDS - 1}"
            subprocess.run(["usermod", "--add-subuids", given, "--add-subgids", given, self.name], check=True)
        self.uid, self.gid = (int(subprocess.check_output(["id", option, self.name])) for option in ("-u", "-g"))
        self.directories = set()
        self.has_cgroups = has_cgroups
        self.delegations = count()

    def _delegate(self) -> list[Path]:
        number, directories = next(self.delegations), []
        for parent in _own_directories():
            directory = parent / f"delegated-{self.name}-{number}"
            if parent == CGROUP_ROOTS:
                (parent / "cgroup.subtree_control").write_text(" ".join(f"+{name}" for name in CONTROLLERS))
            directory.mkdir()
            for path in (directory, *(directory / name for name in ("cgroup.procs", "cgroup.subtree_control"))):
                if path.exists():
                    os.chown(path, self.uid, self.gid)
            directories.append(directory)
        self.directories |= set(directories)
        return directories

    def wrapper(self) -> list[str]:
        directories = self._delegate() if self.has_cgroups else []
        return ["sh", "-c", BECOME, "sh", self.name, *map(str, directories), "--"]

    def adopt(self, directory: Path) -> None:
        os.chown(directory, self.uid, self.gid)
        for parent in directory.parents:
            if parent.stat().st_uid == os.getuid() and not parent.stat().st_mode & 0o001:
                parent.chmod(parent.stat().st_mode | 0o011)

    def trim(self) -> None:
        """What systemd does with the parts of the version 2 tree whose daemon has ended."""
        for directory in self.directories & set(CGROUP_ROOTS.iterdir()):
            if "populated 0" in (directory / "cgroup.events").read_text():
                for path in (*sorted(directory.rglob("*/"), reverse=True), directory):
                    path.rmdir()
                self.directories.remove(directory)

    def _remove(self) -> None:
        self.trim()
        for directory in self.directories:
            directory.rmdir()
        subprocess.run(["userdel", self.name], check=True, capture_output=True)


ROOT = Account()


@cache
def account_of_this_run() -> Account:
    kind = os.environ.get("SANDPOOL_TEST_AS", "root")
    assert kind in ("root", "subids", "single"), f"SANDPOOL_TEST_AS is {kind}"
    return ROOT if kind == "root" else Ordinary(has_range=kind == "subids")
