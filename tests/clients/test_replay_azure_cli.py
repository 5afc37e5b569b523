"""The Azure CLI's `containerapp` extension: sessions and their files."""
from __future__ import annotations

from typing import Iterator

import pytest

from support.daemon import Daemon
from support.replay import Replay


@pytest.fixture
def azure_cli(shared_daemon: Daemon) -> Iterator[Replay]:
    with Replay(shared_daemon, "azure_cli") as replay:
        yield replay


def test_execute_prints_the_answer_as_it_is(azure_cli: Replay) -> None:
    answer = azure_cli.ok("execute")
    assert answer.status != 201, "201 makes it poll"
    assert answer.json["status"] == "Succeeded"
    assert answer.json["result"]["stdout"] == "Hello world\n"


def test_files_are_uploaded_listed_shown_and_deleted(azure_cli: Replay) -> None:
    assert azure_cli.ok("upload").json["name"] == "cert.txt"
    assert [entry["name"] for entry in azure_cli.ok("list").json["value"]] == ["cert.txt"]
    metadata = azure_cli.ok("show_metadata").json
    assert (metadata["name"], metadata["sizeInBytes"]) == ("cert.txt", 7)
    assert azure_cli.ok("show_content").text == "testing"
    assert azure_cli.ok("delete").status == 204
    assert azure_cli.ok("list").json["value"] == []


def test_a_path_is_a_directory_of_its_own(azure_cli: Replay) -> None:
    azure_cli.ok("upload_path")
    assert [entry["name"] for entry in azure_cli.ok("list_path").json["value"]] == ["cert.txt"]
    assert azure_cli.ok("show_content_path").text == "testing"


def test_request_ids_come_back(azure_cli: Replay) -> None:
    assert azure_cli.ok("execute").headers["x-ms-client-request-id"] == \
        "0f1d7c52-9f6e-11ef-8f5d-00155d000001"
