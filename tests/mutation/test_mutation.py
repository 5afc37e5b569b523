"""A build without one layer of the isolation is noticed: the tests that layers.json names fail against it, or its
daemon refuses to start with what layers.json says.

A layer whose absence nothing notices could be lost unnoticed. One build directory serves all, layer after layer.
README.md has what cannot be left out.
"""
from __future__ import annotations

import json
import os
import re
import subprocess
import sys
from pathlib import Path
from xml.etree import ElementTree

import pytest

from support.daemon import TREE, require_daemon

DIRECTORY = TREE / "build" / "without"
REFUSAL_S = 60
LAYERS: dict[str, list[str] | dict[str, str]] = json.loads((Path(__file__).parent / "layers.json").read_text())
TESTED = {layer: tests for layer, tests in LAYERS.items() if isinstance(tests, list)}
REFUSED = {layer: how["refused"] for layer, how in LAYERS.items() if isinstance(how, dict)}


def configure(layer: str) -> subprocess.CompletedProcess[str]:
    return subprocess.run(["cmake", "--preset", "release", "-B", DIRECTORY, "-DSANDPOOL_TESTS=OFF",
                           f"-DSANDPOOL_WITHOUT={layer}"], cwd=TREE, capture_output=True, text=True)


def build_without(layer: str) -> None:
    done = configure(layer)
    assert done.returncode == 0, done.stderr
    done = subprocess.run(["ninja", "-C", DIRECTORY], capture_output=True, text=True)
    assert done.returncode == 0, done.stdout[-2000:]


def outcomes(tests: list[str], directory: Path) -> dict[str, str]:
    """What became of each, against the build without the layer. An error is not a failure: then no daemon ran."""
    report = directory / "report.xml"
    subprocess.run([sys.executable, "-B", "-m", "pytest", "-q", "-p", "no:cacheprovider", f"--junit-xml={report}", *tests],
                   cwd=TREE, env={**os.environ, "SANDPOOL_BUILD": str(DIRECTORY)}, capture_output=True, text=True)
    found = {}
    for case in ElementTree.parse(report).iter("testcase"):
        kinds = [child.tag for child in case if child.tag in ("failure", "error", "skipped")]
        found[case.attrib["name"]] = kinds[0] if kinds else "passed"
    return found


def test_every_layer_that_can_be_left_out_is_noticed_by_something() -> None:
    """And every place that asks for one asks for a name that is known."""
    text = re.sub(r"#.*", "", (TREE / "cmake" / "without.cmake").read_text())
    listed = re.search(r"set\(SANDPOOL_LAYERS\s([^)]*)\)", text)
    assert listed and set(listed.group(1).split()) == set(LAYERS)
    sources = "".join(path.read_text() for path in (TREE / "sandboxd").rglob("*.c"))
    kinds = {f"{kind}-namespace" for kind in re.findall(r'KIND\("(\w+)"', sources)}
    assert {*re.findall(r'LAYER\("([^"]+)"\)', sources), *kinds} == set(LAYERS)


def test_a_layer_that_is_none_is_refused() -> None:
    done = configure("colour")
    assert done.returncode != 0 and "must be one of" in done.stderr


@pytest.mark.parametrize("layer", TESTED)
def test_the_layer_is_missed(layer: str, tmp_path: Path) -> None:
    require_daemon()
    build_without(layer)
    found = outcomes(TESTED[layer], tmp_path)
    assert len(found) == len(TESTED[layer]) and set(found.values()) == {"failure"}, found


@pytest.mark.parametrize("layer", REFUSED)
def test_no_daemon_starts_without_the_layer(layer: str, tmp_path: Path) -> None:
    """The kernel does not go on without it, or the check of the lock-down finds out."""
    require_daemon()
    build_without(layer)
    done = subprocess.run([DIRECTORY / "bin/sandboxd", "--listen", "127.0.0.1:0", "--listen-https", "none",
                           "--state-dir", tmp_path / "state"], capture_output=True, text=True, timeout=REFUSAL_S)
    assert done.returncode > 0 and REFUSED[layer] in done.stderr, done.stderr


def test_such_a_build_says_what_it_is_and_cannot_be_installed(tmp_path: Path) -> None:
    build_without("landlock")
    version = subprocess.run([DIRECTORY / "bin" / "sandboxd", "--version"], capture_output=True, text=True)
    assert "WITHOUT landlock" in version.stdout
    done = subprocess.run(["cmake", "--install", DIRECTORY, "--prefix", tmp_path], capture_output=True, text=True)
    assert done.returncode != 0 and "must not be installed" in done.stderr
