"""Fixtures: one daemon for most tests, others by order, and a session that cleans up after itself."""
from __future__ import annotations

import atexit
import os
import shutil
import tempfile
from pathlib import Path
from typing import Any, Callable, Iterator, Sequence

import pytest

from support.account import Account
from support.daemon import Daemon, pool_document, require_daemon, scale
from support.client import Client

# Directories of a run's own: what lies above them is open to the users who start daemons, and another run of
# pytest would close the directory that they share otherwise.
os.environ["PYTEST_DEBUG_TEMPROOT"] = tempfile.mkdtemp(prefix="sandpool-tests-")
atexit.register(shutil.rmtree, os.environ["PYTEST_DEBUG_TEMPROOT"], ignore_errors=True)

MakeDaemon = Callable[..., Daemon]


@pytest.fixture(scope="session")
def shared_daemon(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Daemon]:
    """Serves most tests; room for many sessions, everything else as it comes."""
    require_daemon()
    daemon = Daemon(tmp_path_factory.mktemp("shared"), pool_document(scale(200, 3)))
    yield daemon
    daemon.stop()


@pytest.fixture(scope="session")
def checking_daemon(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Daemon]:
    """Lets only tokens in that it has issued; its pool is a tool server too."""
    require_daemon()
    properties = {**scale(50, 1), "mcpServerSettings": {"isMCPServerEnabled": True}}
    daemon = Daemon(tmp_path_factory.mktemp("checking"), pool_document(properties),
                    ["--auth", "jwt"])
    yield daemon
    daemon.stop()


@pytest.fixture
def make_daemon(tmp_path_factory: pytest.TempPathFactory) -> Iterator[MakeDaemon]:
    """make_daemon(properties, api, **sandpool) starts one of the test's own; document= gives it
    another configuration, arguments= further arguments, wrapper= a command in front,
    account= who starts it."""
    require_daemon()
    daemons: list[Daemon] = []

    def make(properties: dict[str, Any] | None = None, api: dict[str, Any] | None = None,
             document: dict[str, Any] | None = None, arguments: Sequence[str] = (),
             wrapper: Sequence[str] = (), account: Account | None = None, **sandpool: Any) -> Daemon:
        directory: Path = tmp_path_factory.mktemp("daemon")
        daemon = Daemon(directory, document or pool_document(properties, api, **sandpool),
                        arguments, wrapper, account)
        daemons.append(daemon)
        return daemon

    yield make
    for daemon in daemons:
        daemon.stop()


@pytest.fixture
def session(shared_daemon: Daemon) -> Iterator[Client]:
    """A new session of the shared daemon, removed afterwards."""
    with shared_daemon.client() as client:
        yield client
        client.delete_session()
