"""Semantic Kernel: SessionsPythonTool (Python), SessionsPythonPlugin (.NET), and both as they were in 2024.

All of it over HTTPS: the Python tool takes no other endpoint.
"""
from __future__ import annotations

from datetime import datetime
from typing import Any, Iterator

import pytest

from support.client import Answer
from support.daemon import Daemon
from support.replay import Replay

def session_of(folder: str) -> Any:
    @pytest.fixture
    def replayed(shared_daemon: Daemon) -> Iterator[Replay]:
        with Replay(shared_daemon, folder) as replay:
            replay.secure = True
            yield replay
    return replayed


python = session_of("semantic_kernel_python")
python_2024 = session_of("semantic_kernel_python_2024")
dotnet = session_of("semantic_kernel_dotnet")
dotnet_2024 = session_of("semantic_kernel_dotnet_2024")


# ---- Python ----

def text_for_the_model(answer: Answer) -> str:
    """Each member by [ ]: one that is missing would be a KeyError."""
    result = answer.json["properties"]
    return (f"Status:\n{result['status']}\nResult:\n{result['result']}\n"
            f"Stdout:\n{result['stdout']}\nStderr:\n{result['stderr']}")


def full_path(entry: dict[str, Any]) -> str:
    """The path by which the tool finds again what it has uploaded."""
    properties = entry["properties"]
    assert isinstance(properties["size"], int)
    name = properties["filename"]
    return name if name.startswith("/mnt/data/") else f"/mnt/data/{name}"


def test_python_finds_in_the_list_what_it_uploaded(python: Replay) -> None:
    assert full_path(python.ok("upload").json["value"][0]) == "/mnt/data/input.csv"
    listed = [full_path(entry) for entry in python.ok("list").json["value"]]
    assert "/mnt/data/input.csv" in listed


def test_python_reads_a_result(python: Replay) -> None:
    python.ok("upload")
    assert text_for_the_model(python.ok("execute")) == \
        "Status:\nSuccess\nResult:\n2\nStdout:\n[['a', 'b'], ['1', '2']]\n\nStderr:\n"


def test_python_reads_a_failure(python: Replay) -> None:
    text = text_for_the_model(python.ok("execute_failure"))
    assert text.startswith("Status:\nFailure\nResult:\n\nStdout:\n\nStderr:\n")
    assert text.rstrip().endswith("ZeroDivisionError: division by zero")


def test_python_keeps_a_name_with_quotes_and_umlauts(python: Replay) -> None:
    assert full_path(python.ok("upload_unicode").json["value"][0]) == '/mnt/data/Grüße "1".csv'


def test_python_downloads_with_a_content_type_on_the_get(python: Replay) -> None:
    """Its headers are those of the object: after an execution even a GET announces JSON."""
    python.ok("upload")
    python.ok("execute")
    assert python.ok("download_after_execute").body == b"a,b\n1,2\n"


def test_python_in_spring_2024_reads_flat_answers(python_2024: Replay) -> None:
    result = python_2024.ok("execute").json
    assert (result["status"], result["result"]) == ("Success", 42)
    assert (result["stdout"], result["stderr"]) == ("hello\n", "")


def test_python_in_spring_2024_reads_lists_of_values(python_2024: Replay) -> None:
    uploaded = python_2024.ok("upload").json["$values"][0]
    assert (uploaded["filename"], uploaded["size"]) == ("test.txt", 9)
    listed = python_2024.ok("list").json["$values"]
    assert [entry["filename"] for entry in listed] == ["test.txt"]
    assert python_2024.ok("download").body == b"some text"


def test_python_is_refused_an_upload_that_announces_json(python: Replay) -> None:
    """The same once more, and a fault of the tool: the multipart body has no boundary to go by."""
    python.ok("execute_failure")
    answer = python.send("upload_after_execute")
    assert (answer.status, answer.error_code) == (400, "SessionRequestValidationFailed")
    assert "multipart/form-data" in answer.json["error"]["message"]


# ---- .NET ----

def strings_of(answer: Answer) -> dict[str, str | None]:
    """System.Text.Json throws where a member that is declared as text holds anything else."""
    document = answer.json
    result = document["result"]
    read = {"status": document["status"], "result": result.get("executionResult"),
            "stdOut": result.get("stdout"), "stdErr": result.get("stderr")}
    for name, value in read.items():
        assert value is None or isinstance(value, str), f"{name} is {value!r}"
    return read


def metadata_of(entry: dict[str, Any]) -> dict[str, Any]:
    """SessionsRemoteFileMetadata: a name and a type, an Int32, a DateTime, a content type."""
    assert isinstance(entry["name"], str) and isinstance(entry["type"], str)
    assert entry["sizeInBytes"] is None or -2**31 <= entry["sizeInBytes"] < 2**31
    datetime.fromisoformat(entry["lastModifiedAt"].replace("Z", "+00:00"))
    return entry


def test_dotnet_reads_every_result_as_text(dotnet: Replay) -> None:
    assert strings_of(dotnet.ok("execute")) == {
        "status": "Succeeded", "result": "2", "stdOut": "hello\n", "stdErr": ""}
    assert strings_of(dotnet.ok("execute_text"))["result"] == "'ab'"
    assert strings_of(dotnet.ok("execute_nothing"))["result"] == ""


def test_dotnet_reads_a_failure(dotnet: Replay) -> None:
    read = strings_of(dotnet.ok("execute_failure"))
    assert read["status"] == "Failed"
    assert "NameError: name 'undefined_name' is not defined" in (read["stdErr"] or "")


def test_dotnet_uploads_with_a_quoted_boundary_and_bare_words(dotnet: Replay) -> None:
    uploaded = metadata_of(dotnet.ok("upload").json)
    assert uploaded["name"] == "test.txt" and uploaded["type"] == "file"
    assert uploaded["sizeInBytes"] == 10
    assert uploaded["contentType"] == "text/plain; charset=utf-8"
    assert dotnet.ok("download").body == b"some text\n"


def test_dotnet_names_with_spaces_and_umlauts_come_from_the_second_filename(
        dotnet: Replay) -> None:
    assert metadata_of(dotnet.ok("upload_space").json)["name"] == "my file.txt"
    assert metadata_of(dotnet.ok("upload_unicode").json)["name"] == "Grüße.txt"
    assert dotnet.ok("download_unicode").body == "ü\n".encode()


def test_dotnet_lists_files_and_directories_that_a_program_made(dotnet: Replay) -> None:
    dotnet.ok("execute_writes_files")
    listed = {metadata_of(entry)["name"]: entry["type"] for entry in dotnet.ok("list").json["value"]}
    assert listed == {"charts": "directory", "made here.txt": "file"}
    assert dotnet.ok("download_space").body == b"made here"


def test_dotnet_in_2024_mixes_generations(dotnet_2024: Replay) -> None:
    """The identifier of an execution is only in its body, and the list is asked for at //files."""
    result = dotnet_2024.ok("execute").json
    assert (result["status"], result["result"]) == ("Success", 2)
    assert (result["stdout"], result["stderr"]) == ("hello\n", "")

    uploaded = dotnet_2024.ok("upload").json["value"][0]["properties"]
    assert (uploaded["filename"], uploaded["size"]) == ("test.txt", 10)
    listed = [entry["properties"]["filename"] for entry in dotnet_2024.ok("list").json["value"]]
    assert listed == ["test.txt"]
    assert dotnet_2024.ok("download").body == b"some text\n"
