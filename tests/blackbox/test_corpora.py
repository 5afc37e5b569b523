"""Programs that other people and models wrote, run through HTTP; tests/data/README.md says whose.

A part of each by default, all of it with SANDPOOL_FULL=1. Differences are reported by name.
"""
from __future__ import annotations

import gzip
import json
import os
import subprocess
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import Any, Callable

import pytest

from support.client import Client, Execution
from support.daemon import TREE, Daemon

DATA = TREE / "tests" / "data"
FULL = os.environ.get("SANDPOOL_FULL") == "1"

# Goes first on both sides: some cells draw random numbers.
SEED = "import random, numpy\nrandom.seed(1); numpy.random.seed(1)"


def rows(name: str, every: int) -> list[dict[str, Any]]:
    with gzip.open(DATA / name, "rt", encoding="utf-8") as lines:
        loaded = [json.loads(line) for line in lines]
    return loaded if FULL else loaded[::every]


def in_sessions(daemon: Daemon, tasks: list[Any], run: Callable[[Client, Any], str | None]) -> list[str]:
    """Runs each task in a session of its own, many at a time; returns what differed."""
    def one(task: Any) -> str | None:
        with daemon.client() as client:
            try:
                return run(client, task)
            finally:
                client.delete_session()
    with ThreadPoolExecutor(16) as threads:
        return [line for line in threads.map(one, tasks) if line]


def text_of(execution: Execution) -> str:
    """What a model was shown: the output, or the last line of the error."""
    if execution.succeeded:
        return execution.stdout.strip()
    return (execution.stderr.strip().splitlines() or [""])[-1]


def test_humaneval(shared_daemon: Daemon) -> None:
    """Every program passes its own checks, as sessions in parallel."""
    def run(client: Client, task: dict[str, Any]) -> str | None:
        execution = client.execute(task["program"])
        return None if execution.succeeded else f"{task['id']}: {text_of(execution)}"

    different = in_sessions(shared_daemon, rows("humaneval.jsonl.gz", 4), run)
    assert not different, "\n".join(different)


def test_tora(shared_daemon: Daemon) -> None:
    """A real model's programs print what the model saw."""
    def run(client: Client, task: dict[str, Any]) -> str | None:
        for step in task["steps"]:
            got, wanted = text_of(client.execute(step["code"], timeout_s=60)), step["output"].strip()
            if got != wanted:
                return f"{task['id']}: {got[-200:]!r} instead of {wanted[-200:]!r}"
        return None

    different = in_sessions(shared_daemon, rows("tora-gsm8k-code34b.jsonl.gz", 20), run)
    assert not different, "\n".join(different)


def displays_in_plain_ipython(tasks: list[dict[str, Any]], directory: Path) -> dict[str, list[str | None]]:
    lines = "".join(json.dumps(task) + "\n" for task in tasks)
    result = subprocess.run(["/usr/bin/python3", "-I", TREE / "tests/support/plain_ipython.py"],
                            input=lines, capture_output=True, text=True, cwd=directory, timeout=300)
    assert result.returncode == 0, result.stderr
    return {row["id"]: row["displays"] for row in map(json.loads, result.stdout.splitlines())}


def value_of(display: str | None) -> Any:
    """Rule R of docs/api.md, written down a second time."""
    def refuse(constant: str) -> None:
        raise ValueError(constant)
    if display is None:
        return None
    try:
        return json.loads(display, parse_constant=refuse)
    except ValueError:
        return display


def test_dseval(shared_daemon: Daemon, tmp_path: Path) -> None:
    """Cells that share state show what they show in plain IPython outside the sandbox."""
    tasks = [{**task, "cells": [SEED, *task["cells"]]} for task in rows("dseval-so.jsonl.gz", 5)]
    plain = displays_in_plain_ipython(tasks, tmp_path)

    def run(client: Client, task: dict[str, Any]) -> str | None:
        for number, cell in enumerate(task["cells"]):
            execution = client.execute(cell)
            if not execution.succeeded:
                return f"{task['id']} cell {number}: {text_of(execution)}"
            wanted = value_of(plain[task["id"]][number])
            # A cell without a last expression has no value either; the two cannot be told apart outside.
            if execution.value != wanted and not (wanted is None and execution.value == ""):
                return f"{task['id']} cell {number}: {execution.value!r} instead of {wanted!r}"
        return None

    different = in_sessions(shared_daemon, tasks, run)
    assert not different, "\n".join(different)


def test_the_package_list_of_the_hosted_image(session: Client) -> None:
    """Every package that both have can be imported under the policy."""
    names = [line.split(",")[0].strip().lower() for line in
             (DATA / "azure-packages-2024-06.csv").read_text().splitlines()[1:] if line.strip()]
    assert len(names) > 500
    ours = set(session.run("import pkg_resources\nprint(*[d.project_name.lower() for d in pkg_resources.working_set])").split())
    for package in ("numpy", "pandas", "matplotlib"):
        assert package in ours and package in names
    modules = [name for name in ("numpy", "pandas", "matplotlib", "PIL", "dateutil", "pytz", "six", "IPython")]
    assert session.run("\n".join(f"import {module}" for module in modules) + "\nprint('imported')") == "imported\n"
