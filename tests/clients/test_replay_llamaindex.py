"""LlamaIndex in Python: AzureCodeInterpreterToolSpec, which returns the whole answer."""
from __future__ import annotations

import base64
from typing import Any, Iterator

import pytest

from support.daemon import Daemon
from support.replay import Replay


@pytest.fixture
def llamaindex(shared_daemon: Daemon) -> Iterator[Replay]:
    with Replay(shared_daemon, "llamaindex_python") as replay:
        yield replay


def remote_file(data: dict[str, Any]) -> tuple[str, int, str]:
    name = data["filename"]
    path = name if name.startswith("/mnt/data") else f"/mnt/data/{name}"
    return name, data["size"], path


def test_uploads_under_an_absolute_path_are_files_of_the_data_directory(llamaindex: Replay) -> None:
    uploaded = [remote_file(entry["properties"]) for entry in llamaindex.ok("upload").json["value"]]
    assert uploaded == [("people.csv", 25, "/mnt/data/people.csv")]
    listed = [remote_file(entry["properties"]) for entry in llamaindex.ok("list").json["value"]]
    assert listed == uploaded
    assert llamaindex.ok("download").body == b"name,age\nAda,36\nGrace,85\n"


def test_a_program_reads_what_was_uploaded(llamaindex: Replay) -> None:
    llamaindex.ok("upload")
    assert llamaindex.ok("execute").json["properties"]["result"] == 2


def test_a_figure_is_decoded_and_named_by_its_format(llamaindex: Replay) -> None:
    result = llamaindex.ok("execute_figure").json["properties"]["result"]
    assert result["format"] == "png"
    assert base64.b64decode(result["base64_data"]).startswith(b"\x89PNG")
