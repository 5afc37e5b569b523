"""Sessions as things of their own: what is told of them, lists in pages, and what outlives the front."""
from __future__ import annotations

import ast
import json
import os
import signal
from concurrent.futures import ThreadPoolExecutor
from datetime import datetime, timedelta
from pathlib import Path
from typing import Any

import pytest

from conftest import MakeDaemon
from support.client import GENERATION_1, LATEST, Client
from support.daemon import START_DEADLINE_S, Daemon, require_daemon, scale
from support.processes import wait_until

PAGE = 300
# The broker hears of a session's use at most this often.
STORED_EVERY_S = 1


def show(client: Client) -> dict[str, Any]:
    answer = client.request("GET", client.target("session"))
    assert answer.status == 200, answer.text
    return answer.json


def listed(client: Client, target: str) -> tuple[list[dict[str, Any]], str | None]:
    answer = client.request("GET", target)
    assert answer.status == 200, answer.text
    return answer.json["sessions"], answer.json["nextLink"]


def time_of(session: dict[str, Any], member: str) -> datetime:
    # Seven digits of a second's fraction are one too many for Python.
    return datetime.fromisoformat(session[member][:-2] + "+00:00")


def kill_front(daemon: Daemon) -> None:
    front, = daemon.named("sandboxd-front")
    os.kill(front.pid, signal.SIGKILL)
    assert wait_until(lambda: daemon.named("sandboxd-front") not in ([], [front]), 10)


def test_looking_at_a_session_is_no_use_of_it(session: Client) -> None:
    session.run("1")
    first = show(session)
    listed(session, f"/listSessions?api-version={LATEST}")
    again = show(session)
    assert again == {**first, "$id": "1"}
    assert time_of(first, "createdAt") <= time_of(first, "lastAccessedAt")
    assert time_of(first, "expireAt") - time_of(first, "lastAccessedAt") == timedelta(seconds=300)

    session.run("2")
    used = show(session)
    assert used["lastAccessedAt"] > first["lastAccessedAt"] and used["expiresAt"] > first["expiresAt"]
    assert (used["createdAt"], used["etag"]) == (first["createdAt"], first["etag"])


def test_a_session_that_is_only_looked_at_expires(make_daemon: MakeDaemon) -> None:
    daemon = make_daemon(scale(3, 0), cooldownSeconds=1)
    with daemon.client() as client:
        client.run("1")
        assert wait_until(lambda: client.request("GET", client.target("session")).status == 400, 10)


def test_a_new_session_behind_an_identifier_has_another_etag(session: Client) -> None:
    session.run("1")
    first = show(session)
    session.delete_session()
    session.run("1")
    assert show(session)["etag"] != first["etag"]


def test_what_is_told_of_sessions_outlives_the_front(make_daemon: MakeDaemon) -> None:
    daemon = make_daemon(scale(20, 2))
    with daemon.client() as client:
        target = f"/listSessions?api-version={LATEST}"
        for i in range(12):
            with client.another(f"session-{i * 7 % 12}") as other:
                other.file_names()
        before, _ = listed(client, target)
        assert [session["identifier"] for session in before] == [f"session-{i * 7 % 12}" for i in range(12)]

        kill_front(daemon)
        client.close()
        after, _ = listed(client, target)
        for old, new in zip(before, after, strict=True):
            # A clock that is stepped meanwhile would move them all.
            assert (old["identifier"], old["etag"]) == (new["identifier"], new["etag"])
            assert abs(time_of(old, "createdAt") - time_of(new, "createdAt")) < timedelta(seconds=0.1)
            for member in ("lastAccessedAt", "expireAt"):
                assert abs(time_of(old, member) - time_of(new, member)) < timedelta(seconds=STORED_EVERY_S + 0.1)


def test_more_than_300_sessions_are_listed_in_pages(make_daemon: MakeDaemon) -> None:
    daemon = make_daemon(scale(PAGE + 5, 0))
    identifiers = [f"page-{i:03}" for i in range(PAGE + 2)]

    def make(identifier: str) -> None:
        with daemon.client(identifier) as client:
            assert client.file_names() == []

    with ThreadPoolExecutor(8) as workers:
        list(workers.map(make, identifiers))
    with daemon.client() as client:
        first, link = listed(client, f"/pools/default/listSessions/?api-version={LATEST}")
        prefix = f"http://127.0.0.1:{daemon.port}"
        assert len(first) == PAGE and link is not None and link.startswith(f"{prefix}/pools/default/listSessions?")
        second, end = listed(client, link.removeprefix(prefix))
        assert end is None
        assert sorted(session["identifier"] for session in first + second) == identifiers

        managed = client.request("POST", "/.management/listSessions?skip=1")
        assert managed.json["count"] == PAGE
        assert managed.json["nextLink"].endswith("/.management/listSessions?api-version=2025-02-02-preview&skip=301")
        assert managed.json["value"][0]["identifier"] == first[1]["identifier"]


# ---- what a pool's sessions have ----

def metadata(client: Client) -> dict[str, Any]:
    answer = client.request("GET", f"/metadata?api-version={LATEST}")
    assert answer.status == 200, answer.text
    return answer.json


PACKAGES = """
import importlib.metadata, json
print(json.dumps({d.metadata['Name'].lower().replace('_', '-').replace('.', '-'): d.version
                  for d in reversed(list(importlib.metadata.distributions())) if d.version}))
"""


def test_metadata_lists_what_a_session_has(session: Client) -> None:
    document = metadata(session)
    packages = document["preInstalledPackages"]
    names = [package["name"].lower().replace("_", "-").replace(".", "-") for package in packages]
    assert names == sorted(set(names))
    assert dict(zip(names, (package["version"] for package in packages))) == json.loads(session.run(PACKAGES))
    assert document["runtimes"][0]["version"] == session.run("import platform; print(platform.python_version())").strip()
    assert document["jupyterKernel"]["version"] == session.run("import IPython; print(IPython.__version__)").strip()


def test_metadata_outlives_the_front(make_daemon: MakeDaemon) -> None:
    daemon = make_daemon(scale(2, 1))
    with daemon.client() as client:
        before = metadata(client)
        kill_front(daemon)
        client.close()
        assert metadata(client)["preInstalledPackages"] == before["preInstalledPackages"]


class EarlyDaemon(Daemon):
    """Asks for the metadata from the first moment on."""

    statuses: list[int] = []

    def _wait_for_health(self) -> None:
        def asked() -> bool:
            try:
                with self.client() as client:
                    self.statuses.append(client.request("GET", f"/metadata?api-version={LATEST}").status)
            except OSError:
                return False
            return self.statuses[-1] == 200
        assert wait_until(asked, START_DEADLINE_S), self.statuses
        super()._wait_for_health()


def test_metadata_is_unavailable_until_the_first_interpreter_is_there(tmp_path: Path) -> None:
    require_daemon()
    daemon = EarlyDaemon(tmp_path)
    daemon.stop()
    assert set(daemon.statuses[:-1]) == {503}


@pytest.mark.parametrize("version", [GENERATION_1, LATEST])
def test_the_first_thing_that_autogen_asks_works(session: Client, version: str) -> None:
    probe = session.execute("import pkg_resources\n[(d.project_name, d.version) for d in pkg_resources.working_set]", version)
    assert probe.succeeded and probe.stderr == ""
    assert ("numpy", session.run("import numpy; print(numpy.__version__)").strip()) in ast.literal_eval(probe.value)
    names = session.execute("import pkg_resources\n[d.project_name for d in pkg_resources.working_set]", version)
    # As AutoGen takes the text apart.
    parsed = {name.strip().strip("'") for name in names.value.strip("[]").split(",\n")}
    assert {"numpy", "pandas", "matplotlib"} <= parsed
