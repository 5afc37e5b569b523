"""Runs a program with the npm packages of tests/clients, and with nothing set that a user would not set."""
from __future__ import annotations

import json
import os
import shutil
import subprocess
from pathlib import Path
from typing import Any

import pytest

from support.daemon import BUILD, TREE, Daemon

APPS = TREE / "tests" / "clients" / "apps"
LOCK = TREE / "tests" / "clients" / "package-lock.json"
INSTALLED = TREE / "build" / "clients"
TIMEOUT_S = 120

# What a user types: the environment is what sandboxd says, and nothing else.
RUN = 'eval "$("$1" env --state-dir "$2")" && shift 2 && exec node "$@"'


def require_packages() -> None:
    """Fails where they are missing: a suite that is skipped proves nothing."""
    complete = INSTALLED / "installed.json"
    if not complete.exists() or complete.read_bytes() != LOCK.read_bytes():
        pytest.fail("the npm packages of tests/clients are not installed (scripts/setup --tests)")


def unpack(app: str, directory: Path) -> Path:
    """Puts the application into a directory of its own, beside its packages."""
    require_packages()
    script = directory / app
    shutil.copy(APPS / app, script)
    packages = directory / "node_modules"
    if not packages.exists():
        packages.symlink_to(INSTALLED / "node_modules")
    return script


def run_app(app: str, daemon: Daemon, directory: Path, *arguments: str, **more: str) -> Any:
    """What its last line of output says, as JSON; some clients print a lot before that. More names
    further variables of the environment."""
    script = unpack(app, directory)
    bare = {"PATH": os.environ["PATH"], "HOME": str(directory)}
    ended = subprocess.run(
        ["sh", "-c", RUN, "sh", str(BUILD / "bin" / "sandboxd"), str(daemon.state_directory),
         str(script), *arguments],
        cwd=directory, env={**bare, **more}, capture_output=True, text=True, timeout=TIMEOUT_S,
        check=False)
    assert ended.returncode == 0, \
        f"{app} ended with {ended.returncode}:\n{ended.stdout}\n{ended.stderr}\n{daemon.log_tail()}"
    return json.loads(ended.stdout.splitlines()[-1])
