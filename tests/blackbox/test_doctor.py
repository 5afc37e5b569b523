"""`sandboxd doctor`: on this machine, and on what this machine can be made to look like."""
from __future__ import annotations

import json
import os
import shutil
import subprocess
import tempfile
from pathlib import Path
from typing import Any, Iterator, Sequence

import pytest

from support import like_docker
from support.account import Ordinary
from support.daemon import BUILD
from support.lacking import NO_CGROUPS, SYS_LANDLOCK_CREATE_RULESET, SYS_SETHOSTNAME, without_call
from support.networks import WITH_CLOSED_TUN, WITH_EGRESS, WITHOUT_TUN

LAYERS = ["kernel", "user", "ids", "pid", "mount", "network", "ipc", "uts", "cgroup-namespace", "process-handles",
          "join", "root", "procfs", "data-quota", "capabilities", "no-new-privileges", "not-dumpable", "filter",
          "landlock", "cgroup", "filter-notification", "tmpfs-idmap", "egress"]
COMPLETE, LACKING, REFUSED, USAGE = 0, 1, 2, 64

# An id without an account, and so without subordinate ids.
NOBODYS_ID = 2718281
AS_NOBODY = ["setpriv", "--reuid", str(NOBODYS_ID), "--regid", str(NOBODYS_ID), "--clear-groups"]
NO_USER_NAMESPACES = ["unshare", "--user", "--map-root-user", "sh", "-c",
                      'echo 0 >/proc/sys/user/max_user_namespaces && exec "$@"', "sh"]
COVERED_PROC = ["unshare", "--mount", "sh", "-c",
                'mount --bind /proc/sys /proc/sys && mount -o remount,bind,ro /proc/sys && exec "$@"', "sh"]


@pytest.fixture(scope="module")
def sandboxd() -> Iterator[str]:
    """A copy that every user of the machine can reach."""
    if not (BUILD / "bin" / "sandboxd").exists():
        pytest.skip(f"{BUILD}/bin/sandboxd is not built (scripts/build)")
    directory = Path(tempfile.mkdtemp())
    directory.chmod(0o755)
    for name in ("bin", "libexec"):
        shutil.copytree(BUILD / name, directory / name)
    yield str(directory / "bin" / "sandboxd")
    shutil.rmtree(directory)


@pytest.fixture
def as_root() -> None:
    if os.geteuid() != 0:
        pytest.skip("imitating this machine needs root")


def ask(command: Sequence[str]) -> subprocess.CompletedProcess[str]:
    return subprocess.run(command, capture_output=True, text=True, timeout=120)


def examine(sandboxd: str, wrapper: Sequence[str] = (), *arguments: str) -> tuple[int, dict[str, Any]]:
    """The exit status, and what is said to programs; to people the same is said."""
    done = ask([*wrapper, sandboxd, "doctor", "--json", *arguments])
    report = json.loads(done.stdout)
    text = ask([*wrapper, sandboxd, "doctor", *arguments])
    assert text.returncode == done.returncode
    lines = [line.split() for line in text.stdout.splitlines()[1:len(LAYERS) + 1]]
    assert [line[:3] for line in lines] == [[layer["name"], layer["need"], layer["state"]]
                                           for layer in report["layers"]]
    assert all(layer["remedy"] in text.stdout for layer in report["layers"] if "remedy" in layer)
    answer = text.stdout.splitlines()[-1]
    assert answer.startswith("sandboxd would start: " + ("yes" if report["wouldStart"] else "no"))
    return done.returncode, report


def layer_of(report: dict[str, Any], name: str) -> dict[str, str]:
    found, = [layer for layer in report["layers"] if layer["name"] == name]
    return found


def absent(report: dict[str, Any]) -> set[str]:
    """Of what sandboxd needs, or does without when told to."""
    return {layer["name"] for layer in report["layers"] if layer["state"] == "absent" and layer["need"] != "informative"}


def test_everything_is_there_where_the_other_tests_run(sandboxd: str, as_root: None) -> None:
    status, report = examine(sandboxd)
    assert absent(report) == set()
    assert status == COMPLETE and report["wouldStart"] and report["starts"] == "root"
    assert report["allowMissing"] == []


def test_programs_find_every_layer_by_its_name(sandboxd: str) -> None:
    status, report = examine(sandboxd)
    assert [layer["name"] for layer in report["layers"]] == LAYERS
    for layer in report["layers"]:
        assert layer["need"] in ("mandatory", "optional", "informative")
        assert layer["state"] in ("present", "degraded", "absent")
        assert ("reason" in layer) == (layer["state"] != "present") and layer.get("reason", layer.get("detail"))
        assert ("remedy" in layer) == (layer["state"] != "present" and layer["need"] != "informative")
    assert status in (COMPLETE, LACKING, REFUSED)


def test_an_ordinary_user_without_subordinate_ids_is_told_how_to_get_some(sandboxd: str, as_root: None) -> None:
    status, report = examine(sandboxd, AS_NOBODY)
    ids = layer_of(report, "ids")
    assert ids["state"] == "absent" and "/etc/subuid" in ids["reason"] and "usermod --add-subuids" in ids["remedy"]
    assert absent(report) == {"ids", "cgroup"}
    if ids["need"] == "mandatory":
        assert status == REFUSED and report["starts"] == "not"
    else:
        assert status == LACKING and report["starts"] == "single-id" and report["allowMissing"] == ["ids", "cgroup"]


def test_an_ordinary_user_with_subordinate_ids_and_cgroups_has_everything(sandboxd: str, as_root: None) -> None:
    account = Ordinary(has_range=True)
    status, report = examine(sandboxd, account.wrapper())
    assert status == COMPLETE and report["starts"] == "subordinate-ids", report


def test_user_namespaces_that_are_forbidden_are_named_with_their_setting(sandboxd: str, as_root: None) -> None:
    status, report = examine(sandboxd, NO_USER_NAMESPACES)
    assert status == REFUSED and not report["wouldStart"] and report["starts"] == "not"
    for name in ("user", "join", "root", "procfs", "data-quota"):
        assert layer_of(report, name)["state"] == "absent"
        assert "sysctl -w user.max_user_namespaces=" in layer_of(report, name)["remedy"]
    assert layer_of(report, "filter")["state"] == "present"


def test_the_filter_of_docker_is_named_with_its_option(sandboxd: str) -> None:
    status, report = examine(sandboxd, like_docker.COMMAND)
    assert status == REFUSED and not report["wouldStart"]
    for name in ("user", "network", "root", "process-handles"):
        assert layer_of(report, name)["state"] == "absent"
        assert "seccomp=unconfined" in layer_of(report, name)["remedy"]


def test_covered_paths_of_proc_are_named_with_their_option(sandboxd: str, as_root: None) -> None:
    status, report = examine(sandboxd, COVERED_PROC)
    assert status == REFUSED
    user = layer_of(report, "user")
    assert user["state"] == "absent" and "max_user_namespaces" in user["reason"]
    in_docker = Path("/.dockerenv").exists()
    assert ("--security-opt systempaths=unconfined" if in_docker else "findmnt -R /proc") in user["remedy"]


@pytest.mark.parametrize("wrapper, reason", [
    pytest.param(WITH_EGRESS, None, id="as udev makes it"),
    pytest.param(WITHOUT_TUN, "modprobe tun", id="missing"),
    pytest.param(WITH_CLOSED_TUN, "chmod 0666 /dev/net/tun", id="closed"),
])
def test_whether_pools_can_have_a_network_is_told_and_stops_nothing(sandboxd: str, as_root: None, wrapper: list[str],
                                                                    reason: str | None) -> None:
    status, report = examine(sandboxd, wrapper)
    assert status == COMPLETE
    egress = layer_of(report, "egress")
    assert (egress["state"], egress["need"]) == ("absent" if reason else "present", "informative")
    assert reason is None or reason in egress["reason"]


@pytest.mark.parametrize("layer, wrapper", [
    pytest.param("cgroup", NO_CGROUPS, id="cgroup"),
    pytest.param("landlock", without_call(SYS_LANDLOCK_CREATE_RULESET), id="landlock"),
])
def test_an_optional_layer_can_be_given_up(sandboxd: str, as_root: None, layer: str, wrapper: list[str]) -> None:
    status, report = examine(sandboxd, wrapper)
    assert status == LACKING and absent(report) == {layer} and report["allowMissing"] == [layer]
    assert f"--allow-missing {layer}" in layer_of(report, layer)["remedy"]
    status, report = examine(sandboxd, wrapper, "--allow-missing", layer)
    assert status == COMPLETE and report["allowMissing"] == [layer]


@pytest.mark.parametrize("arguments", [["--allow-missing", "filter"], ["--nonsense"], ["again"]], ids=str)
def test_wrong_arguments_are_a_usage_error(sandboxd: str, arguments: list[str]) -> None:
    done = ask([sandboxd, "doctor", *arguments])
    assert done.returncode == USAGE and arguments[-1].strip("-") in done.stderr


def test_nothing_is_left_behind(sandboxd: str) -> None:
    examine(sandboxd)
    assert not list(Path("/sys/fs/cgroup").glob("**/sandpool-doctor-*"))


def test_a_daemon_that_could_serve_no_session_does_not_stay(tmp_path: Path, as_root: None) -> None:
    """What is tried at the start succeeds, and a step that only sessions take does not."""
    done = ask([*without_call(SYS_SETHOSTNAME), str(BUILD / "bin" / "sandboxd"), "--listen", "127.0.0.1:0", "--listen-https", "none",
                "--state-dir", str(tmp_path / "state")])
    assert done.returncode == 1
    said, = [line for line in done.stderr.splitlines() if "event=broker.failed" in line]
    assert "no session can be set up" in said and "sethostname" in said and "sandboxd doctor" in said
