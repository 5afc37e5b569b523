"""curl: the requests of the documentation and of the service's samples, as they stand there."""
from __future__ import annotations

import json
from typing import Any

import pytest

from support.application import run_app, token_of
from support.client import new_identifier
from support.daemon import Daemon


@pytest.fixture(scope="module")
def answers(checking_daemon: Daemon,
            tmp_path_factory: pytest.TempPathFactory) -> dict[str, Any]:
    printed = run_app("samples.sh", checking_daemon, tmp_path_factory.mktemp("app"),
                      new_identifier("sample"), TOKEN=token_of(checking_daemon))
    return {answer["name"]: answer for answer in map(json.loads, printed.splitlines())}


def body(answers: dict[str, Any], name: str, status: int = 200) -> Any:
    assert answers[name]["status"] == status, answers[name]
    return answers[name]["body"]


def test_code_execute(answers: dict[str, Any]) -> None:
    properties = body(answers, "execute")["properties"]
    assert (properties["status"], properties["stdout"]) == ("Success", "hello\n")
    assert properties["result"] == properties["executionResult"] == 2


def test_a_path_with_the_identifier_in_it(answers: dict[str, Any]) -> None:
    assert body(answers, "execute-with-segment")["properties"]["result"] == 42


def test_files_of_generation_1(answers: dict[str, Any]) -> None:
    assert body(answers, "upload")["value"][0]["properties"]["filename"] == "README.md"
    assert body(answers, "list")["value"][0]["properties"]["size"] == 16
    assert answers["content-twice"]["status"] == 200
    assert body(answers, "metadata")["value"][0]["properties"]["filename"] == "README.md"
    assert body(answers, "delete")["message"] == "file deleted successfully"


def test_executions(answers: dict[str, Any]) -> None:
    assert body(answers, "executions")["result"]["executionResult"] is None
    assert body(answers, "executions-wrapped")["result"]["executionResult"] == 2


def test_files_of_generation_2(answers: dict[str, Any]) -> None:
    assert body(answers, "upload-large")["sizeInBytes"] == 3_000_000
    assert body(answers, "upload-to-directory")["name"] == "README.md"
    listed = {(entry["directory"], entry["name"]) for entry in body(answers, "list-recursive")["value"]}
    assert ("reports", "README.md") in listed and ("", "large.bin") in listed
    assert body(answers, "delete-file", 204) is None


def test_deleting_the_session(answers: dict[str, Any]) -> None:
    assert body(answers, "delete-session", 204) is None
    assert body(answers, "list-after")["value"] == []
