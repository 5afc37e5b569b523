"""Layers of the isolation that a machine lacks: refused unless allowed by name, and then told."""
from __future__ import annotations

import json
import subprocess
from pathlib import Path
from typing import Sequence

import pytest

from conftest import MakeDaemon
from support.daemon import BUILD, Daemon, require_daemon, scale
from support.lacking import COVERED_PROC, NO_CGROUPS, SYS_LANDLOCK_CREATE_RULESET, without_call

LACKING = [
    pytest.param("cgroup", NO_CGROUPS, id="cgroup"),
    pytest.param("landlock", without_call(SYS_LANDLOCK_CREATE_RULESET), id="landlock"),
]
LOST = {"cgroup": "cpuPercent does not hold", "landlock": "nothing stands beneath the system call filter"}

CHILDREN_UNTIL_REFUSED = """
import subprocess
children = []
try:
    while len(children) < 100:
        children.append(subprocess.Popen(["sleep", "100"]))
except OSError:
    pass
len(children)
"""


def missing_layers(daemon: Daemon) -> list[str]:
    with daemon.client() as client:
        return json.loads(client.request("GET", "/health").body)["missingLayers"]


def start_once(directory: Path, wrapper: Sequence[str], *arguments: str) -> subprocess.CompletedProcess[str]:
    """A start that is to be refused."""
    require_daemon()
    return subprocess.run([*wrapper, BUILD / "bin/sandboxd", "--listen", "127.0.0.1:0", "--listen-https", "none",
                           "--state-dir", directory / "state", *arguments],
                          capture_output=True, text=True, timeout=30)


def test_nothing_is_missing_here(shared_daemon: Daemon) -> None:
    assert missing_layers(shared_daemon) == []


@pytest.mark.parametrize("layer, wrapper", LACKING)
def test_a_missing_layer_is_refused_by_name_and_with_remedies(tmp_path: Path, layer: str, wrapper: list[str]) -> None:
    other = "uts"
    done = start_once(tmp_path, wrapper, "--allow-missing", other)
    assert done.returncode == 1
    assert f'the layer "{layer}" is missing' in done.stderr and f"--allow-missing {layer}" in done.stderr


@pytest.mark.parametrize("layer, wrapper", LACKING)
def test_a_missing_layer_that_is_allowed_is_told(make_daemon: MakeDaemon, layer: str, wrapper: list[str]) -> None:
    daemon = make_daemon(scale(3, 1), arguments=["--allow-missing", layer], wrapper=wrapper)
    assert missing_layers(daemon) == [layer]
    told, = [line for line in daemon.log_path.read_text().splitlines() if "event=layer.missing" in line]
    assert f" layer={layer} why=" in told and f' without="{LOST[layer]}' in told
    with daemon.client() as client:
        assert client.execute("6 * 7").value == 42


def test_without_cgroups_each_process_has_a_limit_and_so_have_the_tasks_of_a_session(make_daemon: MakeDaemon) -> None:
    daemon = make_daemon(scale(3, 0), arguments=["--allow-missing", "cgroup"], wrapper=NO_CGROUPS,
                         sessionMemoryBytes=256 << 20, sessionTasks=20)
    with daemon.client() as client, daemon.client() as other:
        assert client.execute("len(bytearray(64 << 20))").value == 64 << 20
        execution = client.execute("len(bytearray(512 << 20))")
        assert not execution.succeeded and "MemoryError" in execution.stderr
        assert 10 < client.execute(CHILDREN_UNTIL_REFUSED).value < 20
        assert 10 < other.execute(CHILDREN_UNTIL_REFUSED).value < 20  # each has its own


def test_with_cgroups_the_processes_of_a_session_share_its_memory_and_tasks(make_daemon: MakeDaemon) -> None:
    daemon = make_daemon(scale(3, 0), sessionMemoryBytes=256 << 20, sessionTasks=20)
    with daemon.client() as client:
        assert client.execute(CHILDREN_UNTIL_REFUSED).value < 20
        client.run("for child in children: child.kill(); child.wait()")
        # Each has less than the session may have, and together they have more.
        client.run("""
import subprocess, sys
hoard = "x = bytearray(150 << 20); print(len(x), flush=True); input()"
hoarders = [subprocess.Popen([sys.executable, "-c", hoard], stdin=subprocess.PIPE, stdout=subprocess.PIPE)
            for _ in range(3)]
""")
        assert client.execute("sum(bool(child.stdout.readline()) for child in hoarders)").value != 3


def test_a_machine_that_fails_later_than_in_its_first_step_is_refused_at_the_start(tmp_path: Path) -> None:
    done = start_once(tmp_path, COVERED_PROC)
    assert done.returncode == 1 and not (tmp_path / "state").exists()
    assert 'the layer "procfs" is missing: mount procfs: Operation not permitted' in done.stderr
    assert "systempaths=unconfined" in done.stderr or "findmnt -R /proc" in done.stderr


def test_a_layer_that_cannot_be_missing_is_named_as_such(tmp_path: Path) -> None:
    done = start_once(tmp_path, [], "--allow-missing", "seccomp")
    assert done.returncode == 2
    assert "seccomp is no layer that may be missing" in done.stderr and "cgroup-namespace" in done.stderr
