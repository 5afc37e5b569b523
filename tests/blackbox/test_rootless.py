"""The daemon of an ordinary user: what he needs, what is his, and what he is told when something lacks."""
from __future__ import annotations

import json
import os
import signal
import subprocess
from pathlib import Path
from typing import Iterator

import pytest

from conftest import MakeDaemon
from support.account import Ordinary
from support.daemon import BUILD, Daemon, require_daemon, scale
from support.lacking import without_user_namespaces
from test_privileges import status_of


@pytest.fixture(scope="module")
def user() -> Ordinary:
    require_daemon()
    return Ordinary(has_range=True)


@pytest.fixture(scope="module")
def poor_user() -> Ordinary:
    """Nobody has given him anything."""
    require_daemon()
    return Ordinary(has_range=False, has_cgroups=False)


@pytest.fixture(scope="module")
def daemon(user: Ordinary, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Daemon]:
    daemon = Daemon(tmp_path_factory.mktemp("rootless"), {"pools": [{"name": "default", "properties": scale(10, 2)}]},
                    account=user)
    yield daemon
    daemon.stop()


def start_once(user: Ordinary, directory: Path, wrapper: list[str]) -> subprocess.CompletedProcess[str]:
    """A start that is to be refused."""
    user.adopt(directory)
    return subprocess.run([*wrapper, BUILD / "bin/sandboxd", "--listen", "127.0.0.1:0", "--listen-https", "none",
                           "--state-dir", directory / "state"], capture_output=True, text=True, timeout=30)


def users_of(daemon: Daemon, name: str) -> set[int]:
    return {int(status_of(process.pid)["Uid"].split()[0]) for process in daemon.named(name)}


# ---- what it is ----

def test_no_process_is_root_or_has_power_over_the_machine(daemon: Daemon, user: Ordinary) -> None:
    with daemon.client() as client:
        client.run("pass")
        outside = os.readlink("/proc/self/ns/user")
        for process in daemon.processes():
            status = status_of(process.pid)
            assert "0" not in status["Uid"].split()
            assert os.readlink(f"/proc/{process.pid}/ns/user") != outside
        client.delete_session()


def test_only_the_front_has_the_id_of_the_user(daemon: Daemon, user: Ordinary) -> None:
    assert [process.name for process in daemon.processes()
            if str(user.uid) in status_of(process.pid)["Uid"].split()] == ["sandboxd-front"]


def test_the_state_directory_is_the_users(daemon: Daemon, user: Ordinary) -> None:
    assert {path.stat().st_uid for path in [daemon.state_directory, *daemon.state_directory.iterdir()]} == {user.uid}


def test_tokens_and_variables_need_no_root(daemon: Daemon, user: Ordinary) -> None:
    for command in (["token"], ["ca"], ["env"]):
        done = subprocess.run([*user.wrapper(), BUILD / "bin/sandboxd", *command, "--state-dir",
                               daemon.state_directory], capture_output=True, text=True, timeout=30)
        assert done.returncode == 0 and done.stdout.strip(), done.stderr


def test_two_daemons_of_one_user_share_no_id(daemon: Daemon, make_daemon: MakeDaemon, user: Ordinary) -> None:
    other = make_daemon(scale(3, 1), account=user)
    for name in ("sandboxd-broker", "sandboxd-session"):
        assert users_of(daemon, name) and users_of(other, name)
        assert not users_of(daemon, name) & users_of(other, name)


@pytest.mark.parametrize("number", [signal.SIGTERM, signal.SIGKILL])
def test_its_end_leaves_nothing(make_daemon: MakeDaemon, user: Ordinary, number: int) -> None:
    daemon = make_daemon(scale(5, 2), account=user)
    daemon.client().run("import subprocess\nsubprocess.Popen(['sleep', '1000'])")
    daemon.end(number)


def test_without_subordinate_ids_he_can_do_with_his_own(make_daemon: MakeDaemon, poor_user: Ordinary) -> None:
    daemon = make_daemon(scale(3, 1), account=poor_user, arguments=["--allow-missing", "cgroup"])
    with daemon.client() as client:
        client.run("import subprocess\nsubprocess.Popen(['sleep', '1000'])")
        assert json.loads(client.request("GET", "/health").body)["missingLayers"] == ["cgroup", "ids"]
        for process in daemon.processes():
            assert set(status_of(process.pid)["Uid"].split()) == {str(poor_user.uid)}, process.name
            if process.name in ("sleep", "sandboxd-front"):
                assert int(status_of(process.pid)["CapEff"], 16) == 0


# ---- what he is told ----

def test_a_user_without_subordinate_ids_is_told_how_to_get_them(poor_user: Ordinary, tmp_path: Path) -> None:
    done = start_once(poor_user, tmp_path, poor_user.wrapper())
    assert done.returncode == 1
    assert 'the layer "ids" is missing' in done.stderr
    assert "/etc/subuid" in done.stderr and "usermod --add-subuids" in done.stderr
    assert len(done.stderr.splitlines()) == 1 and not (tmp_path / "state").exists()


def test_a_user_without_cgroups_is_told_how_to_get_them(user: Ordinary, tmp_path: Path) -> None:
    done = start_once(user, tmp_path, ["setpriv", "--reuid", user.name, "--regid", user.name, "--init-groups"])
    assert done.returncode == 1
    assert 'the layer "cgroup" is missing' in done.stderr and "--allow-missing cgroup" in done.stderr


def test_where_user_namespaces_are_forbidden_the_setting_is_named(user: Ordinary, tmp_path: Path) -> None:
    done = start_once(user, tmp_path, [*without_user_namespaces(), *user.wrapper()])
    assert done.returncode == 1
    assert "user.max_user_namespaces is 0" in done.stderr and "sysctl -w" in done.stderr


def test_a_directory_with_other_things_is_not_taken(user: Ordinary, tmp_path: Path) -> None:
    state = tmp_path / "state"
    state.mkdir()
    (state / "thesis.tex").write_text("mine")
    os.chown(state, user.uid, user.gid)
    done = start_once(user, tmp_path, user.wrapper())
    assert done.returncode == 1 and "holds other things" in done.stderr
