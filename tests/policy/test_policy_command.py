"""sandboxd policy as people see it, and the schema that editors use: no daemon, no root."""
from __future__ import annotations

import copy
import json
import os
import subprocess
from pathlib import Path
from typing import Any

import jsonschema
import pytest

TREE = Path(__file__).resolve().parents[2]
BUILD = Path(os.environ.get("SANDPOOL_BUILD", TREE / "build")).resolve()
SANDBOXD = BUILD / "bin" / "sandboxd"
POLICIES = sorted(path for path in (TREE / "policy").glob("*.json")
                  if not path.name.endswith(".schema.json"))
SCHEMA = json.loads((TREE / "policy" / "policy.schema.json").read_text())


def policy(*arguments: str | Path) -> subprocess.CompletedProcess[str]:
    if not SANDBOXD.exists():
        pytest.skip(f"{SANDBOXD} is not built (scripts/build)")
    return subprocess.run([SANDBOXD, "policy", *map(str, arguments)], text=True, timeout=60,
                          capture_output=True)


def write(directory: Path, name: str, text: str | dict[str, Any]) -> Path:
    path = directory / f"{name}.json"
    path.write_text(text if isinstance(text, str) else json.dumps(text))
    return path


def child(name: str, *calls: dict[str, Any], extends: str = "python") -> dict[str, Any]:
    return {"name": name, "extends": extends, "calls": list(calls)}


# ---- check ----

@pytest.mark.parametrize("path", POLICIES, ids=lambda path: path.stem)
def test_every_policy_of_ours_is_good(path: Path) -> None:
    result = policy("check", path)
    assert (result.returncode, result.stdout, result.stderr) == (0, f"{path}: good\n", "")


def test_a_mistake_is_named_with_file_line_path_and_what_was_meant(tmp_path: Path) -> None:
    path = write(tmp_path, "mine", '{"name": "mine",\n "extends": "python",\n "calls": [\n'
                                   '  {"allow": ["read",\n            "opne"], "why": "x"}]}\n')
    result = policy("check", path)
    assert result.returncode == 1
    assert result.stderr == (f'sandboxd: {path}:5: calls[0].allow[1]: unknown system call "opne"; '
                             'did you mean "open"?\n')


def test_text_that_is_not_json_is_named_with_line_and_column(tmp_path: Path) -> None:
    path = write(tmp_path, "mine", '{"name": "mine",\n  oops}')
    result = policy("check", path)
    assert result.returncode == 1
    assert result.stderr.startswith(f"sandboxd: {path}:2:6: ")


def test_a_circle_is_printed(tmp_path: Path) -> None:
    write(tmp_path, "b", child("b", extends="c"))
    write(tmp_path, "c", '{"name": "c",\n\n "extends": "a"}')
    result = policy("check", write(tmp_path, "a", child("a", extends="b")))
    assert result.returncode == 1
    assert result.stderr == (f"sandboxd: {tmp_path}/c.json:3: extends: a -> b -> c -> a: a policy "
                             "cannot extend itself, neither by way of others\n")


def test_a_policy_that_extends_nothing_known_is_told_what_there_is(tmp_path: Path) -> None:
    result = policy("check", write(tmp_path, "mine", child("mine", extends="pyhton")))
    assert result.returncode == 1
    assert f'{tmp_path}/mine.json:1: extends: there is no policy "pyhton"; there are ' in result.stderr
    assert "file-helper" in result.stderr and "python" in result.stderr


def test_every_file_is_checked_and_one_mistake_is_a_finding(tmp_path: Path) -> None:
    good = write(tmp_path, "good", child("good"))
    bad = write(tmp_path, "bad", child("other"))
    result = policy("check", bad, good, tmp_path / "absent.json")
    assert result.returncode == 1
    assert result.stdout == f"{good}: good\n"
    assert "bad.json: name: is \"other\", but the file is bad.json" in result.stderr
    assert "absent.json: No such file" in result.stderr


@pytest.mark.parametrize("arguments", [[], ["check"], ["show"], ["diff", "python"], ["explain", "a", "b"],
                                       ["explain", "sokcet"], ["show", "nobody"], ["what"],
                                       ["check", "--colour"]], ids=" ".join)
def test_a_command_line_that_makes_no_sense_is_2(arguments: list[str]) -> None:
    result = policy(*arguments)
    assert result.returncode == 2
    assert result.stderr and not result.stdout


# ---- show, explain, diff ----

def test_show_prints_what_a_policy_has_from_others_too(tmp_path: Path) -> None:
    write(tmp_path, "mine", child("mine", {"refuse": ["execve"], "why": "no programs"}))
    text = policy("show", "mine", "--policy-dir", tmp_path).stdout
    assert "mine, a policy for sessions\n" in text
    assert "refused with EPERM: execve\n    why: no programs (mine, calls[0])" in text
    assert "bytes in and out of open files (python, calls[0])" in text
    assert ", execve," not in text


def test_show_as_json_is_a_policy_that_answers_alike(tmp_path: Path) -> None:
    document = json.loads(policy("show", "python", "--json").stdout)
    jsonschema.validate(document, SCHEMA)
    document["name"] = "copy"
    write(tmp_path, "copy", document)
    result = policy("diff", "python", "copy", "--policy-dir", tmp_path)
    assert (result.returncode, result.stdout) == (0, "")


def test_explain_says_when_and_why_for_each_policy() -> None:
    text = policy("explain", "mknod").stdout
    assert ("python:\n  allowed when mode & S_IFMT is S_IFIFO\n"
            "      why: os.mkfifo; never devices (python, calls[") in text
    assert "  refused with EPERM otherwise\n" in text
    assert "file-helper:\n  refused with EPERM, as every call that no entry names\n" in text


def test_explain_can_be_asked_of_one_policy_only() -> None:
    text = policy("explain", "clone3", "--policy", "python").stdout
    assert text.startswith("python:\n  refused with ENOSYS\n      why: its flags lie in memory")
    assert "file-helper" not in text


def test_diff_has_a_line_for_each_call_that_differs(tmp_path: Path) -> None:
    unix = {"argument": 0, "is": "AF_UNIX"}
    write(tmp_path, "mine", child("mine", {"refuse": ["execve", "fork"], "error": "EACCES", "why": "x"},
                                  {"allow": ["socketpair"], "when": [unix], "why": "as it was"}))
    result = policy("diff", "python", "mine", "--policy-dir", tmp_path)
    assert result.returncode == 1
    assert result.stdout == ("fork: python: allowed | mine: EACCES\n"
                             "execve: python: allowed | mine: EACCES\n")


def test_a_directory_may_not_redefine_a_policy_of_ours(tmp_path: Path) -> None:
    write(tmp_path, "python", json.loads(policy("show", "python", "--json").stdout))
    result = policy("show", "python", "--policy-dir", tmp_path)
    assert result.returncode == 1
    assert "there is a policy of that name already" in result.stderr


def test_settings_are_shown_compared_and_taken_over(tmp_path: Path) -> None:
    write(tmp_path, "mine", {
        "name": "mine", "extends": "python",
        "limits": [{"limit": "descriptors", "most": 2048, "why": "many"}],
        "environment": [{"variable": "LANG", "value": None, "why": "a test"},
                        {"variable": "EXTRA", "value": "1", "why": "a test"}]})
    result = policy("diff", "python", "mine", "--policy-dir", tmp_path)
    assert result.stdout == ('limits.descriptors: python: most 1024 | mine: most 2048\n'
                             'environment.LANG: python: value "C.UTF-8" | mine: value null\n'
                             'environment.EXTRA: python: nothing | mine: value "1"\n')
    text = policy("show", "mine", "--policy-dir", tmp_path).stdout
    assert "\nlimits:\n  descriptors: most 2048\n    why: many\n  stackBytes: most 8388608\n" in text


def test_one_setting_is_said_once(tmp_path: Path) -> None:
    twice = [{"device": "zero", "why": "x"}, {"device": "zero", "shown": False, "why": "x"}]
    result = policy("check", write(tmp_path, "mine", {"name": "mine", "extends": "python", "devices": twice}))
    assert result.returncode == 1
    assert "mine.json:1: devices[1]: devices[0] is about the same; keep one" in result.stderr


def test_an_environment_has_a_size(tmp_path: Path) -> None:
    variables = [{"variable": f"V{i}", "value": "x" * 200, "why": "x"} for i in range(10)]
    result = policy("check", write(tmp_path, "mine", {"name": "mine", "extends": "python",
                                                      "environment": variables}))
    assert result.returncode == 1
    assert "environment.value: the environment is larger than 2048 bytes" in result.stderr


# ---- learn, try ----

PYTHON = ["/usr/bin/python3", "-I", "-S", "-c"]
PROGRAM = """
import os, socket, threading
os.read(os.open('/dev/null', os.O_RDONLY), 1)
socket.socketpair()
thread = threading.Thread(target=int); thread.start(); thread.join()
if os.fork() == 0:
    os.mkdir('made'); os._exit(0)
os.wait()
"""


def test_a_program_passes_under_the_policy_that_it_taught(tmp_path: Path,
                                                          monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)
    result = policy("learn", "--name", "mine", "--", *PYTHON, PROGRAM)
    assert (tmp_path / "made").is_dir(), result.stderr
    assert result.returncode == 0 and "policy python lets all of it pass" in result.stderr
    document = json.loads(result.stdout)
    jsonschema.validate(document, SCHEMA)
    path = write(tmp_path, "mine", document)
    assert policy("check", path).returncode == 0
    text = result.stdout
    assert '"mkdir"' in text and '"rmdir"' not in text and "; seen 1 time" in text
    assert "extended attributes" in result.stderr.split("were not needed:")[1]

    (tmp_path / "made").rmdir()
    trial = policy("try", "mine", "--policy-dir", tmp_path, "--", *PYTHON, PROGRAM)
    assert trial.returncode == 0 and (tmp_path / "made").is_dir(), trial.stderr
    assert trial.stderr == "policy mine lets all of it pass\n"


def test_what_the_policy_in_force_refuses_is_named(tmp_path: Path) -> None:
    result = policy("learn", "--policy", "strict", "--", *PYTHON, PROGRAM.replace("made", str(tmp_path / "m")))
    assert result.returncode == 1
    assert "policy strict refuses:\n" in result.stderr
    assert "clone when flags without CLONE_REFUSED: refused with EPERM, 2 times\n" in result.stderr
    assert (tmp_path / "m").is_dir()  # noted, not refused


def test_what_no_policy_may_allow_is_not_learned() -> None:
    program = "import ctypes; print(ctypes.CDLL(None, use_errno=True).ptrace(0, 0, 0, 0), ctypes.get_errno())"
    result = policy("learn", "--", *PYTHON, program + "; print()")
    assert result.returncode == 1
    assert "ptrace: refused with EPERM, 1 time (no policy for sessions may allow it: " in result.stderr
    assert '"ptrace"' not in result.stdout.replace("-1 1", "")


def test_a_trial_refuses_what_the_policy_refuses(tmp_path: Path) -> None:
    result = policy("try", "strict", "--", *PYTHON, f"import os; os.mkdir('{tmp_path}/m'); os.fork()")
    assert result.returncode == 1
    assert "PermissionError" in result.stderr
    assert "/usr/bin/python3 ended with status 1\npolicy strict refuses:\nclone when" in result.stderr
    assert (tmp_path / "m").is_dir()


def test_a_trial_says_how_the_program_ended() -> None:
    result = policy("try", "python", "--", *PYTHON, "import os, signal; os.kill(os.getpid(), signal.SIGKILL)")
    assert result.returncode == 1 and "ended by signal 9" in result.stderr
    assert policy("try", "python", "--", "/bin/true").returncode == 0


def test_a_program_that_is_not_there_is_2() -> None:
    for command in (["learn"], ["try", "python"]):
        result = policy(*command, "--", "/nowhere/program")
        assert result.returncode == 2 and "there is no such program" in result.stderr


# ---- the schema ----

@pytest.mark.parametrize("path", POLICIES, ids=lambda path: path.stem)
def test_every_policy_of_ours_fits_the_schema(path: Path) -> None:
    jsonschema.Draft202012Validator.check_schema(SCHEMA)
    jsonschema.validate(json.loads(path.read_text()), SCHEMA)


GOOD: dict[str, Any] = {
    "$schema": "policy.schema.json", "name": "mine", "kind": "process", "description": "x",
    "default": "EPERM",
    "calls": [{"allow": ["read"], "why": "x"},
              {"allow": ["socket"], "why": "x",
               "when": [{"argument": 0, "mask": "0xff", "is": ["AF_UNIX", 2]}]},
              {"refuse": ["write"], "error": "ENOSYS", "why": "x"},
              {"refuseNumbers": [451, 460], "why": "x"}],
}


def changed(*path: Any, to: Any = ...) -> dict[str, Any]:
    document = copy.deepcopy(GOOD)
    place: Any = document
    for step in path[:-1]:
        place = place[step]
    if to is ...:
        del place[path[-1]]
    else:
        place[path[-1]] = to
    return document


SESSION = json.loads((TREE / "policy" / "python.json").read_text())


def session(section: str, entry: dict[str, Any]) -> dict[str, Any]:
    """A policy for sessions of that one entry, on top of python."""
    return {"name": "mine", "extends": "python", section: [{"why": "x", **entry}]}


def without(section: str) -> dict[str, Any]:
    return {key: value for key, value in {**SESSION, "name": "mine"}.items() if key != section}


CONDITION = ("calls", 1, "when", 0)
STRUCTURAL: dict[str, Any] = {
    "unknown member": changed("colour", to=1),
    "no name": changed("name"),
    "name with capitals": changed("name", to="Mine"),
    "name too long": changed("name", to="a" * 32),
    "no kind": changed("kind"),
    "unknown kind": changed("kind", to="box"),
    "no default": changed("default"),
    "unknown error": changed("default", to="EWHAT"),
    "no calls": changed("calls"),
    "calls no array": changed("calls", to={}),
    "extends a number": changed("extends", to=1),
    "entry no object": changed("calls", 0, to=[]),
    "unknown member of an entry": changed("calls", 0, "colour", to=1),
    "no why": changed("calls", 0, "why"),
    "empty why": changed("calls", 0, "why", to=""),
    "nothing to say": changed("calls", 0, "allow"),
    "two things to say": changed("calls", 0, "refuse", to=["open"]),
    "no names": changed("calls", 0, "allow", to=[]),
    "name no string": changed("calls", 0, "allow", to=[1]),
    "error of what is allowed": changed("calls", 0, "error", to="EPERM"),
    "unknown error of an entry": changed("calls", 2, "error", to="EWHAT"),
    "numbers not two": changed("calls", 3, "refuseNumbers", to=[451]),
    "number too large": changed("calls", 3, "refuseNumbers", to=[451, 1024]),
    "condition no object": changed(*CONDITION, to=1),
    "unknown member of a condition": changed(*CONDITION, "colour", to=1),
    "argument 6": changed(*CONDITION, "argument", to=6),
    "no argument": changed(*CONDITION, "argument"),
    "no value": changed(*CONDITION, "is"),
    "empty values": changed(*CONDITION, "is", to=[]),
    "negative value": changed(*CONDITION, "is", to=-1),
    "mask no number": changed(*CONDITION, "mask", to="0xg"),
    "settings of a process": changed("limits", to=[{"limit": "signals", "most": 99, "why": "x"}]),
    "no limits": without("limits"),
    "no mounts": without("mounts"),
    "no devices": without("devices"),
    "no landlock": without("landlock"),
    "unknown limit": session("limits", {"limit": "colours", "most": 100}),
    "no descriptors": session("limits", {"limit": "descriptors", "most": 0}),
    "a million signals": session("limits", {"limit": "signals", "most": 1000000}),
    "stack of a byte": session("limits", {"limit": "stackBytes", "most": 1}),
    "limit no number": session("limits", {"limit": "signals", "most": True}),
    "unknown mount": session("mounts", {"path": "/etc", "bytes": 1048576, "files": 16}),
    "mount of a PiB": session("mounts", {"path": "/tmp", "bytes": 2 ** 50, "files": 16}),
    "mount without files": session("mounts", {"path": "/tmp", "bytes": 1048576, "files": 0}),
    "programs no boolean": session("mounts", {"path": "/tmp", "bytes": 1048576, "files": 16, "programs": 1}),
    "unknown device": session("devices", {"device": "mem"}),
    "no null device": session("devices", {"device": "null", "shown": False}),
    "unknown member of a device": session("devices", {"device": "zero", "mode": 1}),
    "unknown access": session("landlock", {"path": "/x", "access": ["see"]}),
    "access to nothing": session("landlock", {"path": "/x", "access": []}),
    "relative path": session("landlock", {"path": "x", "access": ["read"]}),
    "path upwards": session("landlock", {"path": "/x/../y", "access": ["read"]}),
    "no access": session("landlock", {"path": "/x"}),
    "variable with a hyphen": session("environment", {"variable": "A-B", "value": "x"}),
    "variable without a value": session("environment", {"variable": "AB"}),
    "value a number": session("environment", {"variable": "AB", "value": 1}),
    "setting without why": {"name": "mine", "extends": "python",
                            "limits": [{"limit": "signals", "most": 99}]},
    "five conditions": changed("calls", 1, "when", to=[{"argument": 0, "is": 1}] * 5),
}


def test_what_the_loader_takes_the_schema_takes(tmp_path: Path) -> None:
    jsonschema.validate(GOOD, SCHEMA)
    assert policy("check", write(tmp_path, "mine", GOOD)).returncode == 0
    assert policy("check", write(tmp_path, "mine", child("mine"))).returncode == 0
    jsonschema.validate(child("mine"), SCHEMA)


@pytest.mark.parametrize("document", STRUCTURAL.values(), ids=STRUCTURAL.keys())
def test_what_the_loader_refuses_for_its_shape_the_schema_refuses(document: dict[str, Any],
                                                                  tmp_path: Path) -> None:
    with pytest.raises(jsonschema.ValidationError):
        jsonschema.validate(document, SCHEMA)
    assert policy("check", write(tmp_path, "mine", document)).returncode == 1
