"""AutoGen: ACADynamicSessionsCodeExecutor, which asks for the packages, changes the directory, and then runs code."""
from __future__ import annotations

from typing import Iterator, NamedTuple

import pytest

from support.client import Answer
from support.daemon import Daemon
from support.replay import Replay


@pytest.fixture
def autogen(shared_daemon: Daemon) -> Iterator[Replay]:
    with Replay(shared_daemon, "autogen") as replay:
        yield replay


class CodeResult(NamedTuple):
    exit_code: int
    output: str


def code_result(answer: Answer) -> CodeResult:
    """stderr comes first, and the value is shown as str() of whatever the JSON held."""
    data = answer.json["properties"]
    output = data.get("stderr", "") + data.get("stdout", "")
    if "Success" in data["status"]:
        output += str(data["result"])
    return CodeResult(1 if "Failure" in data["status"] else 0, output)


def available_packages(result: CodeResult) -> set[str]:
    """The text of a long list, one item in each line, is taken apart again."""
    return {name.strip(" '") for name in result.output.strip("[]").split(",\n")}


def file_list(answer: Answer) -> list[str]:
    return [value["properties"]["filename"] for value in answer.json["value"]]


def test_packages_are_found_by_the_names_that_a_program_would_write(autogen: Replay) -> None:
    result = code_result(autogen.ok("packages"))
    assert result.exit_code == 0, result.output
    required = {"numpy", "pandas", "matplotlib", "ipython"}
    assert required - available_packages(result) == set()


def test_output_is_the_error_stream_then_the_other_then_the_value(autogen: Replay) -> None:
    assert code_result(autogen.ok("chdir")) == (0, "")
    assert code_result(autogen.ok("execute")) == (0, "err\nout\n[1, 2, 3]")


def test_an_exception_is_exit_code_1_with_its_text(autogen: Replay) -> None:
    result = code_result(autogen.ok("execute_failure"))
    assert result.exit_code == 1
    assert "ValueError: no good" in result.output and result.output.endswith("before\n")


def test_a_chunked_upload_arrives(autogen: Replay) -> None:
    autogen.ok("upload")
    assert file_list(autogen.ok("list")) == ["data.txt"]
    with autogen.daemon.client(autogen.identifier) as client:
        assert client.download("data.txt").body == b"first line\nsecond line\nthird line\n"


def test_an_upload_with_a_length_arrives_as_well(autogen: Replay) -> None:
    autogen.ok("upload_with_length")
    assert file_list(autogen.ok("list")) == ["data.txt"]


def test_what_a_program_wrote_is_listed_and_downloaded(autogen: Replay) -> None:
    autogen.ok("chdir")
    assert code_result(autogen.ok("execute_writes_file")) == (0, "")
    assert "result.txt" in file_list(autogen.ok("list"))
    assert autogen.ok("download").body == b"made here"


def test_a_figure_that_is_saved_is_shown_too(autogen: Replay) -> None:
    result = code_result(autogen.ok("execute_figure_and_print"))
    assert result.exit_code == 0
    assert result.output.startswith("saved\n") and "base64_data" in result.output
