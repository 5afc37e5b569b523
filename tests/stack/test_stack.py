"""Runs every program beside this file in a session of its own, under the default policy. README.md."""
from __future__ import annotations

import re
from pathlib import Path

import pytest

from support.client import Client

PROGRAMS = sorted(path for path in Path(__file__).parent.glob("*.py") if not path.name.startswith("test_"))
TIMEOUT_S = 60


@pytest.mark.parametrize("program", PROGRAMS, ids=lambda path: path.stem)
def test_program(program: Path, session: Client) -> None:
    text = program.read_text()
    timeout = re.search(r"^# timeout: (\d+)$", text, re.MULTILINE)
    execution = session.execute(text, timeout_s=int(timeout.group(1)) if timeout else TIMEOUT_S)
    assert execution.succeeded and not execution.stderr, (
        f"status: {execution.status}\nstdout: {execution.stdout[-2000:]}\nstderr: {execution.stderr[-4000:]}")
