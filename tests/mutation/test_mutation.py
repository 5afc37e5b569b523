"""A build without one layer of the isolation starts, and the tests that layers.json names fail against it.

A layer whose absence no test notices could be lost unnoticed. One build directory serves all, layer after layer.
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
LAYERS: dict[str, list[str]] = json.loads((Path(__file__).parent / "layers.json").read_text())


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


def test_every_layer_that_can_be_left_out_has_tests() -> None:
    text = (TREE / "cmake" / "without.cmake").read_text()
    listed = re.search(r"set\(SANDPOOL_LAYERS ([^)]*)\)", text)
    assert listed and set(listed.group(1).split()) == set(LAYERS)


def test_a_layer_that_is_none_is_refused() -> None:
    done = configure("colour")
    assert done.returncode != 0 and "must be one of" in done.stderr


@pytest.mark.parametrize("layer", LAYERS)
def test_the_layer_is_missed(layer: str, tmp_path: Path) -> None:
    require_daemon()
    build_without(layer)
    found = outcomes(LAYERS[layer], tmp_path)
    assert len(found) == len(LAYERS[layer]) and set(found.values()) == {"failure"}, found


def test_such_a_build_says_what_it_is_and_cannot_be_installed(tmp_path: Path) -> None:
    build_without("landlock")
    version = subprocess.run([DIRECTORY / "bin" / "sandboxd", "--version"], capture_output=True, text=True)
    assert "WITHOUT landlock" in version.stdout
    done = subprocess.run(["cmake", "--install", DIRECTORY, "--prefix", tmp_path], capture_output=True, text=True)
    assert done.returncode != 0 and "must not be installed" in done.stderr
