"""LangChain: SessionsPythonREPLTool and the files of SessionsBashTool in Python, and the old npm package."""
from __future__ import annotations

import json
from copy import deepcopy
from typing import Any, Iterator

import pytest

from support.client import Answer, Figure
from support.daemon import Daemon
from support.replay import Replay


@pytest.fixture
def langchain(shared_daemon: Daemon) -> Iterator[Replay]:
    with Replay(shared_daemon, "langchain_python") as replay:
        yield replay


@pytest.fixture
def langchain_js(shared_daemon: Daemon) -> Iterator[Replay]:
    with Replay(shared_daemon, "langchain_js") as replay:
        yield replay


# ---- what it reads ----

def content_and_artifact(answer: Answer) -> tuple[str, dict[str, Any]]:
    """What the model sees, and what the program gets: the image's bytes are only in the latter."""
    properties = answer.json.get("properties", {})
    result = deepcopy(properties.get("result"))
    if isinstance(result, dict) and result.get("type") == "image":
        result.pop("base64_data", None)
    content = {"result": result, "stdout": properties.get("stdout"),
               "stderr": properties.get("stderr")}
    return json.dumps(content, indent=2), properties


def file_of(entry: dict[str, Any]) -> tuple[str, int]:
    properties = entry.get("properties", {})
    return properties.get("filename"), properties.get("size")


# ---- Python ----

def test_an_execution_reads_as_its_end_to_end_test_wants(langchain: Replay) -> None:
    content, _ = content_and_artifact(langchain.ok("execute"))
    assert json.loads(content) == {"result": 2, "stdout": "hello world\n", "stderr": ""}


def test_a_program_that_fails_is_no_http_error(langchain: Replay) -> None:
    content, artifact = content_and_artifact(langchain.ok("execute_failure"))
    assert "KeyError: 'sales_amount'" in json.loads(content)["stderr"]
    assert artifact["status"] == "Failure"


def test_a_figure_reaches_the_program_but_not_the_model(langchain: Replay) -> None:
    content, artifact = content_and_artifact(langchain.ok("execute_figure"))
    shown = json.loads(content)["result"]
    assert (shown["type"], shown["format"]) == ("image", "png")
    assert "base64_data" not in shown
    assert Figure.of(artifact["result"]).data.startswith(b"\x89PNG")


def test_text_outside_ascii_passes_both_ways(langchain: Replay) -> None:
    content, _ = content_and_artifact(langchain.ok("execute_unicode"))
    assert json.loads(content)["stdout"] == "Grüße, 世界\n"


def test_a_quoted_identifier_names_one_session(langchain: Replay, shared_daemon: Daemon) -> None:
    content, _ = content_and_artifact(langchain.ok("execute_quoted_identifier"))
    assert json.loads(content)["result"] == 42
    with shared_daemon.client(langchain.identifier + "|x&y#(1)") as same:
        assert same.execute("_").value == 42
        same.delete_session()


def test_files_are_uploaded_listed_and_downloaded(langchain: Replay) -> None:
    assert file_of(langchain.ok("upload").json["value"][0]) == ("test1.txt", 16)
    assert [file_of(entry) for entry in langchain.ok("list").json["value"]] == [("test1.txt", 16)]
    assert langchain.ok("download").body == b"hello world!!!!!"


def test_a_remote_path_makes_its_directory(langchain: Replay) -> None:
    langchain.ok("upload_path")
    assert langchain.ok("download_path").body == b"quarter\n"


def test_quotes_and_umlauts_in_a_file_name_survive(langchain: Replay) -> None:
    name, size = file_of(langchain.ok("upload_unicode").json["value"][0])
    assert (name, size) == ('übersicht "1".csv', 4)


def test_a_missing_file_is_404(langchain: Replay) -> None:
    assert langchain.send("download_missing").status == 404


def test_deleting_the_session_forgets_its_files(langchain: Replay) -> None:
    langchain.ok("upload")
    assert langchain.ok("delete_session").status == 204
    assert langchain.ok("list").json["value"] == []


# ---- the files of the Bash tool ----

def test_files_of_the_bash_tool_are_those_of_generation_2(langchain: Replay) -> None:
    uploaded = langchain.ok("bash_upload").json
    assert (uploaded.get("name"), uploaded.get("sizeInBytes")) == ("test2.txt", 14)
    listed = langchain.ok("bash_list").json["value"]
    assert [(entry.get("name"), entry.get("sizeInBytes")) for entry in listed] == [("test2.txt", 14)]
    assert langchain.ok("bash_download").body == b"for the shell\n"


def test_the_bash_tool_learns_that_a_python_pool_has_no_shell(langchain: Replay) -> None:
    """Shell pools are not served: the error must be one that says so, not a success."""
    answer = langchain.send("bash_execute")
    assert answer.status == 400
    assert answer.error_code == "SessionPropertiesMissing"


# ---- the old npm package ----

def test_the_old_npm_package_reads_its_answers(langchain_js: Replay) -> None:
    properties = langchain_js.ok("execute").json["properties"]
    assert [properties[name] for name in ("result", "stdout", "stderr")] == [1024, "hello\n", ""]

    uploaded = langchain_js.ok("upload").json["value"][0]["properties"]
    assert (uploaded["filename"], uploaded["size"]) == ("table.csv", 8)
    listed = [entry["properties"]["filename"] for entry in langchain_js.ok("list").json["value"]]
    assert listed == ["table.csv"]
    assert langchain_js.ok("download").body == b"a,b\n1,2\n"
