"""What a session was told stays out of the memory of processes that outlive it: read from outside, as root."""
from __future__ import annotations

import os
from pathlib import Path
from uuid import uuid4

from support.client import Client
from support.daemon import Daemon


def memory_of(pid: int) -> bytes:
    """All that the process can write to."""
    found = []
    with open(f"/proc/{pid}/mem", "rb", buffering=0) as memory:
        for line in Path(f"/proc/{pid}/maps").read_text().splitlines():
            span, rights = line.split()[:2]
            first, last = (int(part, 16) for part in span.split("-"))
            if not rights.startswith("rw"):
                continue
            try:
                found.append(os.pread(memory.fileno(), last - first, first))
            except OSError:
                continue
    return b"".join(found)


def test_broker_and_zygote_hold_nothing_of_a_session(shared_daemon: Daemon, session: Client) -> None:
    """The interpreter holds the word, so it would be found."""
    word = uuid4().hex
    token = {"Authorization": f"Bearer {word}-token", "Content-Type": "application/json"}
    code = f'kept = "{word}-code"; print(kept)'
    body = b'{"codeInputType":"Inline","executionType":"Synchronous","code":"%s"}' % code.replace('"', r'\"').encode()
    answer = session.request("POST", session.target("executions"), body, token)
    assert answer.status in (200, 202) and f"{word}-code" in answer.text
    assert session.upload(f"{word}-name.txt", f"{word}-content".encode()).status == 200
    assert session.run(f"print(open('/mnt/data/{word}-name.txt').read())").strip() == f"{word}-content"

    assert any(f"{word}-code".encode() in memory_of(process.pid) for process in shared_daemon.interpreters())
    zygotes = shared_daemon.zygotes()
    assert zygotes
    for pid in [shared_daemon.pid, *(process.pid for process in zygotes)]:
        assert word.encode() not in memory_of(pid), Path(f"/proc/{pid}/comm").read_text()
