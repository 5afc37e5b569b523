"""Runs a program of tests/clients/apps, with nothing set that a user would not set."""
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
RUN = 'eval "$("$1" env --state-dir "$2")" && shift 2 && exec "$@"'
INTERPRETERS = {".mjs": "node", ".sh": "sh"}


def require_packages() -> None:
    """Fails where they are missing: a suite that is skipped proves nothing."""
    complete = INSTALLED / "installed.json"
    if not complete.exists() or complete.read_bytes() != LOCK.read_bytes():
        pytest.fail("the npm packages of tests/clients are not installed (scripts/setup --tests)")


def unpack(app: str, directory: Path) -> list[str]:
    """Puts the application into a directory of its own, beside its packages; returns its command."""
    script = directory / app
    shutil.copy(APPS / app, script)
    packages = directory / "node_modules"
    if script.suffix == ".mjs" and not packages.exists():
        require_packages()
        packages.symlink_to(INSTALLED / "node_modules")
    return [INTERPRETERS[script.suffix], str(script)]


def run_app(app: str, daemon: Daemon, directory: Path, *arguments: str, **more: str) -> str:
    """What it printed. More names further variables of the environment."""
    bare = {"PATH": os.environ["PATH"], "HOME": str(directory)}
    ended = subprocess.run(
        ["sh", "-c", RUN, "sh", str(BUILD / "bin" / "sandboxd"), str(daemon.state_directory),
         *unpack(app, directory), *arguments],
        cwd=directory, env={**bare, **more}, capture_output=True, text=True, timeout=TIMEOUT_S,
        check=False)
    assert ended.returncode == 0, \
        f"{app} ended with {ended.returncode}:\n{ended.stdout}\n{ended.stderr}\n{daemon.log_tail()}"
    return ended.stdout


def last_json(printed: str) -> Any:
    """What the last line says; some clients print a lot before that."""
    return json.loads(printed.splitlines()[-1])


def token_of(daemon: Daemon) -> str:
    """What a person would get with `sandboxd token`."""
    command = [str(BUILD / "bin" / "sandboxd"), "token", "--state-dir", str(daemon.state_directory)]
    return subprocess.run(command, capture_output=True, text=True, check=True).stdout.strip()
