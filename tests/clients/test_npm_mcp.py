"""@modelcontextprotocol/sdk: a host that gets the key of a pool's tool server from ARM, and uses the tools."""
from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest

from support.application import last_json, run_app
from support.daemon import Daemon


def host(daemon: Daemon, directory: Path, *key: str) -> Any:
    return last_json(run_app("mcp_host.mjs", daemon, directory, *key))


@pytest.fixture(scope="module")
def said(checking_daemon: Daemon, tmp_path_factory: pytest.TempPathFactory) -> Any:
    return host(checking_daemon, tmp_path_factory.mktemp("host"))


def test_the_host_and_the_pool_agree_on_a_version(said: dict[str, Any]) -> None:
    assert said["server"]["name"] == "Microsoft Container Apps MCP Server"
    assert "tools" in said["capabilities"]


def test_the_key_from_arm_is_the_one_in_the_environment(said: dict[str, Any]) -> None:
    assert said["keyIsThatOfTheEnvironment"]


def test_every_tool_is_listed(said: dict[str, Any]) -> None:
    assert set(said["tools"]) == {"launchShell", "launchPythonEnvironment",
                                  "runShellCommandInRemoteEnvironment",
                                  "runPythonCodeInRemoteEnvironment"}


def test_code_runs_in_the_environment_that_was_launched(said: dict[str, Any]) -> None:
    assert not said["launched"].get("isError")
    assert said["first"]["structuredContent"]["stdout"] == "in a session\n"
    assert said["second"]["structuredContent"]["executionResult"] == 42
    assert said["second"]["content"][0]["type"] == "text"


def test_a_programs_mistake_is_in_its_error_stream(said: dict[str, Any]) -> None:
    assert "NameError" in said["mistake"]["structuredContent"]["stderr"]


def test_a_wrong_key_is_refused(checking_daemon: Daemon, tmp_path: Path) -> None:
    assert "x-ms-apikey" in host(checking_daemon, tmp_path, "not-the-key")["refused"]
