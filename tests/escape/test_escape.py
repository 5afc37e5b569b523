"""Runs every hostile program beside this file in a session of its own and judges what became of it.

README.md describes the first lines of a program. Whatever happened, the same session and a fresh one must
answer afterwards.
"""
from __future__ import annotations

import errno
import os
import re
from pathlib import Path
from typing import Iterator, NamedTuple

import pytest

from support.daemon import START, Daemon
from support.client import Client, Execution
from support.patience import SLOWNESS

HERE = Path(__file__).parent
NO_NETWORK = "network is disabled in this session;"  # docs/api.md, "What was refused"


class Header(NamedTuple):
    """The comment lines at the top of a program."""

    expect: str
    timeout_s: int | None
    afterwards: str
    start: str


def read_header(program: Path) -> Header:
    fields = {}
    for line in program.read_text().splitlines():
        if not line.startswith("# "):
            break
        name, _, value = line[2:].partition(": ")
        fields[name] = re.sub(r"\s{2,}\(.*\)$", "", value)
    assert "expect" in fields, f"{program} does not say what to expect"
    if os.environ.get("SANDPOOL_TEST_AS") == "single":
        fields["expect"] = fields.get("single-id", fields["expect"])
    timeout = fields.get("timeout")
    return Header(fields["expect"], int(timeout) if timeout else None,
                  fields.get("afterwards", "at once"), fields.get("start", START))


PROGRAMS = sorted(path for path in HERE.glob("*/*.py")
                  if not path.name.endswith(".beside.py") and read_header(path).start == START)


def last_line(execution: Execution) -> str:
    """Of the traceback."""
    lines = [line for line in execution.stderr.strip().splitlines() if not line.startswith(NO_NETWORK)]
    return lines[-1] if lines else ""


def raised_errno(execution: Execution) -> int | None:
    match = re.search(r"\[Errno (\d+)\]", last_line(execution))
    return int(match.group(1)) if match and not execution.succeeded else None


def is_as_expected(expect: str, execution: Execution) -> bool:
    kind, _, rest = expect.partition(" ")
    if kind == "OSError":
        return raised_errno(execution) in {getattr(errno, name) for name in rest.split(" or ")}
    if kind == "error":
        return not execution.succeeded and rest in last_line(execution)
    if kind == "prints":
        return execution.succeeded and execution.stdout.strip() == rest
    if kind == "aborted":
        return not execution.succeeded and execution.stderr.strip().endswith("Execution aborted")
    if kind == "fails":
        return not execution.succeeded
    assert expect == "survives", f"unknown expectation: {expect}"
    return True


def answers(client: Client, when: str = "at once") -> bool:
    """What a program does to its own interpreter may cost its session failures, or the session."""
    if when == "after removal":
        client.delete_session()
    for _ in range(5 if when == "after failures" else 1):
        execution = client.execute("6 * 7", timeout_s=int(5 * SLOWNESS))
        if execution.succeeded and execution.value == 42:
            return True
    return False


@pytest.fixture
def neighbour(shared_daemon: Daemon) -> Iterator[Client]:
    """Another session, for programs that look for one."""
    with shared_daemon.client() as client:
        yield client
        client.delete_session()


@pytest.mark.parametrize("program", PROGRAMS, ids=lambda path: f"{path.parent.name}/{path.stem}")
def test_program(program: Path, shared_daemon: Daemon, session: Client,
                 request: pytest.FixtureRequest) -> None:
    header = read_header(program)
    beside = program.with_suffix(".beside.py")
    seen = ""
    if beside.exists():
        seen = request.getfixturevalue("neighbour").run(beside.read_text())
    session.run(f"DAEMON_PORT, BESIDE = {shared_daemon.port}, {seen!r}")

    execution = session.execute(program.read_text(), timeout_s=header.timeout_s)
    assert is_as_expected(header.expect, execution), (
        f"expected: {header.expect}\nstatus: {execution.status}\n"
        f"stdout: {execution.stdout[-2000:]}\nstderr: {execution.stderr[-2000:]}")

    assert answers(session, header.afterwards), "the session does not answer any more"
    with shared_daemon.client() as fresh:
        assert answers(fresh), "a fresh session does not answer"
        fresh.delete_session()
