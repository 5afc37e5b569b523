"""@llamaindex/azure: an application that finds its pool and its token by the environment alone."""
from __future__ import annotations

from pathlib import Path
from typing import Iterator

import pytest

from support.daemon import Daemon, pool_document, require_daemon, scale
from support.application import last_json, run_app


@pytest.fixture(scope="module")
def daemon(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Daemon]:
    require_daemon()
    started = Daemon(tmp_path_factory.mktemp("llamaindex"), pool_document(scale(10, 1)),
                     ["--auth", "jwt"])
    yield started
    started.stop()


def test_an_application_for_azure_works_unchanged(daemon: Daemon, tmp_path: Path) -> None:
    said = last_json(run_app("sales_report.mjs", daemon, tmp_path))

    assert (said["uploaded"]["filename"], said["uploaded"]["size"]) == ("sales.csv", 67)
    assert said["totals"]["stdout"] == "region\nnorth    200\nsouth    450\n"
    assert (said["totals"]["result"], said["totals"]["stderr"]) == (450, "")
    assert said["picture"].startswith("\x89PNG")
    assert said["mistake"]["stderr"].rstrip().endswith("KeyError: 'profit'")
    assert [file["filename"] for file in said["listed"]] == ["sales.csv", "totals.csv"]
    assert said["downloaded"] == "region,amount\nnorth,200\nsouth,450\n"
